/**
 * What commenters say: notes on a frame or a range with drawn marks, answers, "resolved", and a curator's approval of a
 * shot, signed with a key that never leaves the curator's browser. Each is one encrypted entry of the service's log.
 */

import * as v from 'valibot';
import { type Bytes, fromBase64Url, toBase64Url, utf8 } from './bytes.ts';
import { Id, LIMITS } from './protocol.ts';
import { readJson } from './read.ts';
import { aesKey, derive, openMessage, sealMessage } from './secrets.ts';
import { Line, Words } from './text.ts';

const Frame = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e8));
/** A coordinate as a share of the picture's width or height. */
const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** An arrow from (x0, y0) to its tip (x1, y1), or a box between two corners. */
const Mark = v.object({ kind: v.picklist(['arrow', 'box']), x0: Share, y0: Share, x1: Share, y1: Share });
export type Mark = v.InferOutput<typeof Mark>;

const Author = { name: Line(60) };

/** Something said about frames `from` to `to` (both included) of a shot. */
const Note = v.object({
	type: v.literal('note'),
	...Author,
	shot: Id,
	from: Frame,
	to: Frame,
	text: Words(4000),
	marks: v.pipe(v.array(Mark), v.maxLength(16)),
	/** Object of the clip that was in sight; null: all. */
	clip: v.nullable(Id),
});
/** An answer to a note. */
const Reply = v.object({ type: v.literal('reply'), ...Author, to: Id, text: Words(4000) });
/** A note was settled, or is open again. */
const Resolve = v.object({ type: v.literal('resolve'), ...Author, to: Id, resolved: v.boolean() });

/** The end of the year 9999: the latest moment that a date can be written for, ms since 1970. */
const LATEST = 253_402_300_799_999;

/** What a curator signs about a shot. */
const ApprovalText = {
	type: v.literal('approval'),
	...Author,
	review: Id,
	shot: Id,
	/** Object of the clip that is approved. */
	clip: Id,
	/** SHA-256 of that clip's plain bytes, hexadecimal: the signature is about these pictures. */
	clipHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
	verdict: v.picklist(['approved', 'rejected']),
	text: Words(1000),
	/** By the service's clock, ms since 1970. */
	at: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LATEST)),
};
const Approval = v.object({
	...ApprovalText,
	/** ECDSA P-256 public key, uncompressed point, base64url. */
	key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{87}$/)),
	/** ECDSA with SHA-256 over {@link approvalBytes}, base64url. */
	signature: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{86}$/)),
});
export type Approval = v.InferOutput<typeof Approval>;

/** Any entry. */
export const Entry = v.variant('type', [Note, Reply, Resolve, Approval]);
export type Entry = v.InferOutput<typeof Entry>;
export type Note = v.InferOutput<typeof Note>;
export type Reply = v.InferOutput<typeof Reply>;

/** Seals and opens entries of one review. */
export class NoteCipher {
	readonly #key: CryptoKey;
	readonly #review: string;

	private constructor(key: CryptoKey, review: string) {
		this.#key = key;
		this.#review = review;
	}

	static async of(contentKey: Bytes, review: string): Promise<NoteCipher> {
		return new NoteCipher(await aesKey(await derive(contentKey, 'notes')), review);
	}

	/** The body to send, base64url. @throws RangeError: more than {@link LIMITS.noteBytes}. */
	async seal(id: string, entry: Entry): Promise<string> {
		const sealed = await sealMessage(this.#key, utf8(JSON.stringify(entry)), `${this.#review}/${id}`);
		if (sealed.length > LIMITS.noteBytes) throw new RangeError(`note: ${sealed.length} of ${LIMITS.noteBytes} bytes`);
		return toBase64Url(sealed);
	}

	/** The entry; undefined where it was tampered with, moved, or is not an entry of this version. */
	async open(id: string, body: string): Promise<Entry | undefined> {
		const sealed = fromBase64Url(body);
		const plain = sealed && (await openMessage(this.#key, sealed, `${this.#review}/${id}`));
		if (!plain) return undefined;
		try {
			return readJson(Entry, plain);
		} catch {
			return undefined;
		}
	}
}

const SIGN = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGN_HASH = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** What a curator's signature covers: all fields of the approval but key and signature, in a fixed order. */
export function approvalBytes(a: Omit<Approval, 'key' | 'signature'>): Bytes {
	return utf8(JSON.stringify([1, a.review, a.shot, a.clip, a.clipHash, a.verdict, a.name, a.text, a.at]));
}

/** A curator's key pair; the private half cannot be read out, and may be kept in IndexedDB. */
export function makeCuratorKey(): Promise<CryptoKeyPair> {
	return crypto.subtle.generateKey(SIGN, false, ['sign', 'verify']);
}

/** Signs an approval, in the form in which others will read it: what cleaning changes would not verify there. */
export async function signApproval(pair: CryptoKeyPair, said: Omit<Approval, 'key' | 'signature'>): Promise<Approval> {
	const approval = v.parse(v.object(ApprovalText), said);
	const signature = await crypto.subtle.sign(SIGN_HASH, pair.privateKey, approvalBytes(approval));
	const key = await crypto.subtle.exportKey('raw', pair.publicKey);
	return { ...approval, key: toBase64Url(new Uint8Array(key)), signature: toBase64Url(new Uint8Array(signature)) };
}

/** True where the signature is of exactly this approval by its key. */
export async function verifyApproval(approval: Approval): Promise<boolean> {
	const point = fromBase64Url(approval.key);
	const signature = fromBase64Url(approval.signature);
	if (!point || !signature) return false;
	try {
		const key = await crypto.subtle.importKey('raw', point, SIGN, false, ['verify']);
		return await crypto.subtle.verify(SIGN_HASH, key, signature, approvalBytes(approval));
	} catch {
		return false;
	}
}
