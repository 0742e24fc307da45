/**
 * Messages to the owner that nobody else opens, other holders of the content key included: reasons of votes, and whole
 * sets of votes that come back as a file. Ephemeral ECDH on P-256, HKDF-SHA256, AES-256-GCM (ECIES; what every WebCrypto has).
 */

import { type Bytes, concat, fromBase64Url, toBase64Url, utf8 } from './bytes.ts';
import { aesKey, openMessage, sealMessage } from './secrets.ts';

const CURVE = { name: 'ECDH', namedCurve: 'P-256' } as const;
/** An uncompressed point of P-256. */
const POINT_BYTES = 65;

/** The owner's key pair: the public half goes into the manifest, the private half into the owner's object. */
export interface SealPair {
	/** Uncompressed point, base64url. */
	readonly publicKey: string;
	/** PKCS #8, base64url. */
	readonly privateKey: string;
}

/** Makes a key pair. */
export async function makeSealPair(): Promise<SealPair> {
	const pair = await crypto.subtle.generateKey(CURVE, true, ['deriveBits']);
	return {
		publicKey: toBase64Url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))),
		privateKey: toBase64Url(new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))),
	};
}

async function sharedKey(own: CryptoKey, other: CryptoKey, point: Bytes): Promise<CryptoKey> {
	const bits = await crypto.subtle.deriveBits({ name: 'ECDH', public: other }, own, 256);
	const material = await crypto.subtle.importKey('raw', bits, 'HKDF', false, ['deriveBits']);
	const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: point, info: utf8('emulsion/review/1/sealed') };
	return aesKey(new Uint8Array(await crypto.subtle.deriveBits(algorithm, material, 256)));
}

/** Seals to a public key. `context` binds the message to its place (review and pair), so that it cannot be moved to another. */
export async function sealTo(publicKey: string, plain: Bytes, context: string): Promise<Bytes> {
	const point = fromBase64Url(publicKey);
	if (point?.length !== POINT_BYTES) throw new TypeError('expected an uncompressed point of P-256');
	const other = await crypto.subtle.importKey('raw', point, CURVE, false, []);
	const ephemeral = await crypto.subtle.generateKey(CURVE, true, ['deriveBits']);
	const own = new Uint8Array(await crypto.subtle.exportKey('raw', ephemeral.publicKey));
	return concat(own, await sealMessage(await sharedKey(ephemeral.privateKey, other, own), plain, context));
}

/** Opens what was sealed to the pair; undefined where it was not, or was changed or moved. */
export async function openSealed(pair: SealPair, sealed: Bytes, context: string): Promise<Bytes | undefined> {
	const secret = fromBase64Url(pair.privateKey);
	if (secret === undefined || sealed.length <= POINT_BYTES) return undefined;
	const point = sealed.slice(0, POINT_BYTES);
	try {
		const own = await crypto.subtle.importKey('pkcs8', secret, CURVE, false, ['deriveBits']);
		const other = await crypto.subtle.importKey('raw', point, CURVE, false, []);
		return await openMessage(await sharedKey(own, other, point), sealed.slice(POINT_BYTES), context);
	} catch {
		return undefined;
	}
}
