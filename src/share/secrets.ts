/**
 * What a link's secret opens. A link carries 32 random bytes in its fragment, which browsers never send; from them come,
 * by HKDF-SHA256 (RFC 5869), the token that the service knows the link by and the key under which the review's content key
 * was wrapped for it. A passphrase, where one was set, is stretched by PBKDF2 and mixed into that key, so that the link
 * alone does not open the review and the service never has enough to guess at it.
 */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { type Bytes, concat, randomBytes, toBase64Url, utf8 } from './bytes.ts';

/** Bytes of link secrets and content keys. */
export const SECRET_BYTES = 32;
/** Rounds of PBKDF2-HMAC-SHA256: OWASP's Password Storage Cheat Sheet, 2023. */
export const PASSPHRASE_ROUNDS = 600_000;
/** Shortest passphrase, in characters. */
export const PASSPHRASE_LEAST = 8;
const NONCE_BYTES = 12;

/** What a derived key is for: part of its derivation, so that no two uses share one. */
export type Purpose = 'token' | 'salt' | 'wrap' | 'owner' | 'notes' | 'labels' | 'returns' | `object:${string}`;

/** HKDF-SHA256 of a secret for one purpose. */
export async function derive(secret: Bytes, purpose: Purpose, extra?: Bytes): Promise<Bytes> {
	const material = extra === undefined ? secret : concat(secret, extra);
	const key = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveBits']);
	const info = utf8(`emulsion/review/1/${purpose}`);
	const bits = await crypto.subtle.deriveBits(
		{ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info },
		key,
		SECRET_BYTES * 8,
	);
	return new Uint8Array(bits);
}

/** An AES-256-GCM key of 32 bytes. */
export function aesKey(bytes: Bytes): Promise<CryptoKey> {
	return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** Encrypts a short message under a random nonce, which stands before it. `context` is authenticated with it. */
export async function sealMessage(key: CryptoKey, plain: Bytes, context: string): Promise<Bytes> {
	const iv = randomBytes(NONCE_BYTES);
	const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: utf8(context) }, key, plain);
	return concat(iv, new Uint8Array(sealed));
}

/** Opens what {@link sealMessage} sealed; undefined where key, context or a single bit differs. */
export async function openMessage(key: CryptoKey, sealed: Bytes, context: string): Promise<Bytes | undefined> {
	if (sealed.length < NONCE_BYTES + 16) return undefined;
	const iv = sealed.slice(0, NONCE_BYTES);
	try {
		const algorithm = { name: 'AES-GCM', iv, additionalData: utf8(context) };
		return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.slice(NONCE_BYTES)));
	} catch {
		return undefined;
	}
}

/** The token that a link's holder shows to the service. */
export async function linkToken(secret: Bytes): Promise<string> {
	return toBase64Url(await derive(secret, 'token'));
}

async function wrapKey(secret: Bytes, passphrase: string | undefined): Promise<CryptoKey> {
	if (passphrase === undefined) return aesKey(await derive(secret, 'wrap'));
	const words = await crypto.subtle.importKey('raw', utf8(passphrase.normalize('NFKC')), 'PBKDF2', false, [
		'deriveBits',
	]);
	// The salt comes from the secret, which is random and this link's alone.
	const salt = await derive(secret, 'salt');
	const stretched = await crypto.subtle.deriveBits(
		{ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: PASSPHRASE_ROUNDS },
		words,
		SECRET_BYTES * 8,
	);
	return aesKey(await derive(secret, 'wrap', new Uint8Array(stretched)));
}

/** Wraps the review's content key for a link. @throws EmulsionError `usage`: a passphrase that is too short. */
export async function wrapContentKey(secret: Bytes, contentKey: Bytes, passphrase?: string): Promise<Bytes> {
	if (passphrase !== undefined && [...passphrase].length < PASSPHRASE_LEAST) {
		throw new EmulsionError('usage', phrase('passphrase-short', { least: PASSPHRASE_LEAST }));
	}
	return sealMessage(await wrapKey(secret, passphrase), contentKey, 'content-key');
}

/**
 * The review's content key.
 * @throws EmulsionError `passphrase-needed` where the passphrase is wrong, `link-refused` where a link without one does not fit.
 */
export async function unwrapContentKey(secret: Bytes, wrapped: Bytes, passphrase?: string): Promise<Bytes> {
	const key = await openMessage(await wrapKey(secret, passphrase), wrapped, 'content-key');
	if (key?.length === SECRET_BYTES) return key;
	if (passphrase === undefined) throw new EmulsionError('link-refused', phrase('link-key-wrong'));
	throw new EmulsionError('passphrase-needed', phrase('link-passphrase-wrong'), { retryable: true });
}
