/**
 * A review as one file: what the service would keep, in one piece, opened from disk or from a path of the site. Layout, integers
 * little-endian: `EMULREV1` (8 bytes), length of the header (uint32), header (JSON), then the objects' ciphertexts
 * one after another. What a reader does with it: `package-backend.ts`; what comes back: `returns.ts`.
 */

import * as v from 'valibot';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { type Bytes, concat, randomId, utf8 } from './bytes.ts';
import { pause } from './http.ts';
import { Id, LIMITS, NewLink } from './protocol.ts';
import type { ReadPart } from './objects.ts';
import { readJson } from './read.ts';

const MAGIC = utf8('EMULREV1');
const MAGIC_ANY = utf8('EMULREV');
/** Longest header: thousands of objects and links. */
const MAX_HEADER = 4 * 1024 * 1024;

const Whole = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

const Header = v.object({
	version: v.literal(1),
	review: Id,
	blind: v.boolean(),
	createdAt: Whole,
	/** After this moment, by the reader's clock, the file asks for no more votes. */
	expiresAt: Whole,
	manifest: Id,
	ownerObject: Id,
	links: v.pipe(v.array(v.object({ id: Id, ...NewLink.entries })), v.minLength(1), v.maxLength(LIMITS.links)),
	objects: v.pipe(v.array(v.object({ id: Id, size: Whole })), v.maxLength(LIMITS.objects)),
});
/** What stands before the objects. */
export type PackageHeader = v.InferOutput<typeof Header>;

/** Bytes of a package before its objects. */
export function packageHead(header: PackageHeader): Bytes {
	const text = utf8(JSON.stringify(header));
	const length = new Uint8Array(4);
	new DataView(length.buffer).setUint32(0, text.length, true);
	return concat(MAGIC, length, text);
}

/** An opened package: its header, and where its objects lie. */
export interface ReviewPackage {
	readonly name: string;
	readonly header: PackageHeader;
	/** A part of an object's ciphertext. */
	read(object: string, start: number, end: number): Promise<Bytes>;
}

/**
 * Reads the head of a package.
 * @param size Of the whole file in bytes.
 * @throws EmulsionError `review-invalid` (another file, another version, a header that is not one), `input-truncated`.
 */
export async function openPackage(name: string, size: number, read: ReadPart): Promise<ReviewPackage> {
	const start = await read(0, Math.min(size, 12));
	const is = (magic: Bytes): boolean => magic.every((byte, i) => start[i] === byte);
	if (!is(MAGIC_ANY)) throw new EmulsionError('review-invalid', phrase('package-not', { name }));
	if (!is(MAGIC)) {
		const version = String.fromCharCode(start[7] ?? 0x3f).replace(/[^\w]/g, '?');
		throw new EmulsionError('review-invalid', phrase('package-version', { name, version }));
	}
	const cut = (want: number): EmulsionError =>
		new EmulsionError('input-truncated', phrase('package-cut', { name, got: size, want }));
	if (size < 12) throw cut(12);
	const length = new DataView(start.buffer, start.byteOffset).getUint32(8, true);
	if (length > MAX_HEADER) throw new EmulsionError('review-invalid', phrase('package-not', { name }));
	if (size < 12 + length) throw cut(12 + length);
	const header = readJson(Header, await read(12, 12 + length));
	const places = new Map<string, { readonly at: number; readonly size: number }>();
	let at = 12 + length;
	for (const object of header.objects) {
		if (places.has(object.id)) throw new EmulsionError('review-invalid', phrase('package-not', { name }));
		places.set(object.id, { at, size: object.size });
		at += object.size;
	}
	if (size < at) throw cut(at);
	return {
		name,
		header,
		async read(object, from, to) {
			const place = places.get(object);
			if (!place || to > place.size || from < 0 || from > to) {
				throw new EmulsionError('tampered', phrase('tampered', { what: phrase('what-clip') }));
			}
			const bytes = await read(place.at + from, place.at + to);
			if (bytes.length !== to - from) {
				const values = { what: phrase('what-clip'), got: bytes.length, want: to - from };
				throw new EmulsionError('tampered', phrase('tampered-cut', values));
			}
			return bytes;
		},
	};
}

/** Reads a package that lies beside the app, by ranges. @throws EmulsionError `input-unreadable`, `offline`. */
export async function fetchPackage(path: string, signal?: AbortSignal): Promise<ReviewPackage> {
	const get = async (start: number, end: number): Promise<Response> => {
		let response: Response;
		try {
			const headers = { Range: `bytes=${start}-${end - 1}` };
			response = await fetch(path, { headers, credentials: 'omit', redirect: 'error', signal: signal ?? null });
		} catch (cause) {
			signal?.throwIfAborted();
			throw new EmulsionError('offline', phrase('share-offline'), { cause, retryable: true });
		}
		if (!response.ok) {
			const status = response.status;
			throw new EmulsionError('input-unreadable', phrase('package-fetch', { name: path, status }));
		}
		return response;
	};
	const first = await get(0, 12);
	const total = /\/(\d{1,16})$/.exec(first.headers.get('Content-Range') ?? '')?.[1];
	const name = path.split('/').at(-1) ?? path;
	if (first.status === 206 && total !== undefined) {
		await first.body?.cancel();
		return openPackage(name, Number(total), async (start, end) => {
			for (let attempt = 1; ; attempt++) {
				try {
					return new Uint8Array(await (await get(start, end)).arrayBuffer());
				} catch (error) {
					if (attempt === 4) throw error;
					await pause(500 * 2 ** attempt, signal);
				}
			}
		});
	}
	// A host without ranges sends all of it at once.
	const whole = await first.blob();
	return openPackage(
		name,
		whole.size,
		async (start, end) => new Uint8Array(await whole.slice(start, end).arrayBuffer()),
	);
}

/** Ids for a package's links, which no service gives. */
export function packageLinks(links: readonly NewLink[]): PackageHeader['links'] {
	return links.map((link) => ({ id: randomId(), ...link }));
}
