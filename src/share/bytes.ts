/** Bytes as text and back: base64url without padding (RFC 4648 §5) for links and JSON, hexadecimal for checksums. */

/** Bytes over a plain ArrayBuffer: what WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
	let text = '';
	for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
	return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Bytes of base64url without padding; undefined where the text is anything else. */
export function fromBase64Url(text: string): Bytes | undefined {
	if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
	const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
	return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
	return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}

/** UTF-8. */
export function utf8(text: string): Bytes {
	return new TextEncoder().encode(text);
}

/** Parts one after another. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
	const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		all.set(part, at);
		at += part.length;
	}
	return all;
}

/** Random bytes of the platform's generator. */
export function randomBytes(length: number): Bytes {
	return crypto.getRandomValues(new Uint8Array(length));
}

/** A random name nobody guesses: 16 bytes as 22 characters. */
export function randomId(): string {
	return toBase64Url(randomBytes(16));
}

/** SHA-256. */
export async function sha256(bytes: Bytes): Promise<Bytes> {
	return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
