/**
 * A review as one file: what the service would keep, in one piece, opened from disk or from a path of the site. Layout, integers
 * little-endian: `EMULREV1` (8 bytes), length of the header (uint32), header (JSON), then the objects' ciphertexts
 * one after another. Notes and votes stay on the reader's device and return as a small file sealed to the owner.
 */

import * as v from 'valibot';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { ReviewBackend } from './backend.ts';
import { type Bytes, concat, fromBase64Url, randomId, sha256, toBase64Url, utf8 } from './bytes.ts';
import { type VoterSecrets, voterId } from './client.ts';
import { pause } from './http.ts';
import { Id, LIMITS, NewLink, NoteRecord, type PutVote, type ReviewInfo, VoteRecord } from './protocol.ts';
import type { ReadPart } from './objects.ts';
import { readJson } from './read.ts';
import { openSealed, type SealPair, sealTo } from './sealed.ts';
import { derive, linkToken } from './secrets.ts';

const MAGIC = utf8('EMULREV1');
const MAGIC_ANY = utf8('EMULREV');
/** Longest header: thousands of objects and links. */
const MAX_HEADER = 4 * 1024 * 1024;
/** Longest file of votes. */
export const MAX_RETURN_BYTES = 16 * 1024 * 1024;

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

/** Where a device keeps what was noted and voted on a package. Values are plain JSON. */
export interface ReturnStore {
	/** Everything kept for a review; undefined where nothing is. Validated by its reader. */
	load(review: string): Promise<unknown>;
	save(review: string, kept: KeptReturns): Promise<void>;
}

const Kept = v.object({ votes: v.array(VoteRecord), notes: v.array(NoteRecord) });
const KeptLoosely = v.object({ votes: v.array(v.unknown()), notes: v.array(v.unknown()) });
/** Notes and votes of one device. */
export type KeptReturns = v.InferOutput<typeof Kept>;

/** A package as a link's holder sees it. */
export class PackageBackend implements ReviewBackend {
	readonly kind = 'package';
	readonly #file: ReviewPackage;
	readonly #link: PackageHeader['links'][number];
	readonly #store: ReturnStore;
	readonly #devices: VoterSecrets;
	#writing: Promise<unknown> = Promise.resolve();

	readonly #secret: Bytes;

	private constructor(
		file: ReviewPackage,
		link: PackageHeader['links'][number],
		secret: Bytes,
		store: ReturnStore,
		devices: VoterSecrets,
	) {
		this.#secret = secret;
		this.#file = file;
		this.#link = link;
		this.#store = store;
		this.#devices = devices;
	}

	/** @throws EmulsionError `link-refused`: the link belongs to another review. */
	static async of(
		file: ReviewPackage,
		secret: Bytes,
		store: ReturnStore,
		devices: VoterSecrets,
	): Promise<PackageBackend> {
		const hash = toBase64Url(await sha256(utf8(await linkToken(secret))));
		const link = file.header.links.find((l) => l.tokenHash === hash);
		if (!link) throw new EmulsionError('link-refused', phrase('package-other', { name: file.name }));
		return new PackageBackend(file, link, secret, store, devices);
	}

	info(): Promise<ReviewInfo> {
		const { header } = this.#file;
		const now = Date.now();
		const ends = Math.min(header.expiresAt, this.#link.expiresAt ?? Infinity);
		return Promise.resolve({
			id: header.review,
			link: this.#link.id,
			role: this.#link.role,
			once: this.#link.once,
			passphrase: this.#link.passphrase,
			wrappedKey: this.#link.wrappedKey,
			blind: header.blind,
			state: now < ends ? 'open' : 'closed',
			manifest: header.manifest,
			ownerObject: this.#link.role === 'owner' ? header.ownerObject : null,
			createdAt: header.createdAt,
			expiresAt: header.expiresAt,
			linkExpiresAt: this.#link.expiresAt,
			serverTime: now,
			storage: null,
		});
	}

	size(object: string): Promise<number> {
		const found = this.#file.header.objects.find((o) => o.id === object);
		if (found) return Promise.resolve(found.size);
		return Promise.reject(new EmulsionError('tampered', phrase('tampered', { what: phrase('what-clip') })));
	}

	read(object: string, start: number, end: number): Promise<Bytes> {
		return this.#file.read(object, start, end);
	}

	async notes(after: number): Promise<readonly NoteRecord[]> {
		return (await this.#kept()).notes.filter((note) => note.seq > after);
	}

	putNote(id: string, body: string, revision: number): Promise<NoteRecord> {
		return this.#change((kept, seq, now) => {
			const before = kept.notes.find((note) => note.id === id);
			this.#fits(before?.revision ?? 0, revision);
			const note: NoteRecord = {
				...{ id, seq, author: this.#link.id, createdAt: before?.createdAt ?? now, updatedAt: now },
				...{ revision: revision + 1, body },
			};
			return [note, { ...kept, notes: [...kept.notes.filter((n) => n.id !== id), note] }];
		});
	}

	async removeNote(id: string): Promise<void> {
		await this.#change((kept, seq, now) => {
			const notes = kept.notes.map((n) => (n.id === id ? { ...n, seq, body: null, updatedAt: now } : n));
			return [undefined, { ...kept, notes }];
		});
	}

	/** A voter's own votes; for the owner those of all who voted on this device. */
	async votes(after: number): Promise<readonly VoteRecord[]> {
		const voter = await this.voter();
		const own = (vote: VoteRecord): boolean => this.#link.role === 'owner' || vote.voter === voter;
		return (await this.#kept()).votes.filter((vote) => vote.seq > after && own(vote));
	}

	async putVote(presentation: string, vote: PutVote): Promise<VoteRecord> {
		const voter = (await this.voter()) ?? '';
		return this.#change((kept, seq, now) => {
			// Two one-time links opened on one device are two voters.
			const same = (v: VoteRecord): boolean => v.presentation === presentation && v.voter === voter;
			const before = kept.votes.find(same);
			this.#fits(before?.revision ?? 0, vote.revision);
			const record: VoteRecord = {
				...{ ...vote, presentation, link: this.#link.id, voter, once: this.#link.once, seq },
				...{ revision: vote.revision + 1, createdAt: before?.createdAt ?? now, updatedAt: now },
			};
			return [record, { ...kept, votes: [...kept.votes.filter((v) => !same(v)), record] }];
		});
	}

	async voter(): Promise<string | null> {
		if (this.#link.role !== 'voter') return null;
		const info = { link: this.#link.id, once: this.#link.once };
		return info.once ? info.link : voterId(info, await this.#devices.of(info.link));
	}

	/**
	 * What this link's holder voted and noted on this device, proven to come by this link and sealed to the owner: the contents of the file
	 * to send back.
	 */
	async returnFile(ownerKey: string): Promise<Bytes> {
		const review = this.#file.header.review;
		const link = this.#link.id;
		const voter = await this.voter();
		const { votes, notes } = await this.#kept();
		const body = JSON.stringify({
			votes: votes.filter((vote) => vote.link === link && vote.voter === voter),
			notes: notes.filter((note) => note.author === link),
		});
		const proof = toBase64Url(await proofOf(this.#secret, review, body));
		const sealed = await sealTo(ownerKey, utf8(JSON.stringify({ link, body, proof })), `${review}/return`);
		return utf8(JSON.stringify({ kind: 'emulsion-votes', version: 1, review, sealed: toBase64Url(sealed) }));
	}

	/** `before` is the revision kept; a change of another is somebody else's. */
	#fits(before: number, revision: number): void {
		if (before !== revision) throw new EmulsionError('conflict', phrase('review-changed'));
	}

	/** What is kept and can be read: one record that is damaged takes no other along. */
	async #kept(): Promise<KeptReturns> {
		const parsed = v.safeParse(KeptLoosely, await this.#store.load(this.#file.header.review));
		if (!parsed.success) return { votes: [], notes: [] };
		const { votes, notes } = parsed.output;
		return {
			votes: votes.flatMap((vote) => (v.is(VoteRecord, vote) ? [vote] : [])),
			notes: notes.flatMap((note) => (v.is(NoteRecord, note) ? [note] : [])),
		};
	}

	/** One change after another, in all windows of this browser: two at once would each save without the other's. */
	#change<T>(change: (kept: KeptReturns, seq: number, now: number) => readonly [T, KeptReturns]): Promise<T> {
		const work = this.#writing
			.catch(() => undefined)
			.then(() =>
				this.#alone(async () => {
					if ((await this.info()).state === 'closed') throw new EmulsionError('review-closed', phrase('review-closed'));
					const kept = await this.#kept();
					const seq = 1 + [...kept.votes, ...kept.notes].reduce((most, { seq }) => Math.max(most, seq), 0);
					const [result, next] = change(kept, seq, Date.now());
					await this.#store.save(this.#file.header.review, next);
					return result;
				}),
			);
		this.#writing = work;
		return work;
	}

	async #alone<T>(work: () => Promise<T>): Promise<T> {
		const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
		if (!locks) return work();
		return (await locks.request(`emulsion-returns/${this.#file.header.review}`, work)) as T;
	}
}

const ReturnText = v.object({
	kind: v.literal('emulsion-votes'),
	version: v.literal(1),
	review: Id,
	sealed: v.pipe(v.string(), v.maxLength(MAX_RETURN_BYTES)),
});

const Proven = v.object({
	link: Id,
	/** {@link Kept} as JSON: the proof is over these very characters. */
	body: v.pipe(v.string(), v.maxLength(MAX_RETURN_BYTES)),
	proof: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
});

/** HMAC-SHA256 by a key of the link: only its holder and the owner, who made it, can write what comes by it. */
async function proofOf(secret: Bytes, review: string, body: string): Promise<Bytes> {
	const material = await derive(secret, 'returns');
	const key = await crypto.subtle.importKey('raw', material, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
	return new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(`${review}/${body}`)));
}

/** What the owner needs to read what came back. */
export interface ReturnReader {
	readonly review: string;
	readonly pair: SealPair;
	/** Links of the package, and the secrets that the owner keeps of them (base64url). */
	readonly links: PackageHeader['links'];
	readonly secrets: readonly { readonly secret: string }[];
}

/**
 * Opens a file of votes that came back.
 * @throws EmulsionError `review-invalid`: another review's, tampered with, not by the link it names, in several voters' names, or no such file.
 */
export async function openReturn(name: string, bytes: Bytes, reader: ReturnReader): Promise<KeptReturns> {
	const { review, pair, links, secrets } = reader;
	const refused = (): EmulsionError => new EmulsionError('review-invalid', phrase('votes-file', { name }));
	if (bytes.length > MAX_RETURN_BYTES) throw refused();
	try {
		const file = readJson(ReturnText, bytes);
		const sealed = fromBase64Url(file.sealed);
		const plain = file.review === review && sealed ? await openSealed(pair, sealed, `${review}/return`) : undefined;
		if (!plain) throw refused();
		const { link: id, body, proof } = readJson(Proven, plain);
		const link = links.find((l) => l.id === id);
		for (const { secret: text } of secrets) {
			const secret = fromBase64Url(text);
			if (!secret || toBase64Url(await sha256(utf8(await linkToken(secret)))) !== link?.tokenHash) continue;
			if (toBase64Url(await proofOf(secret, review, body)) !== proof) throw refused();
			const kept = readJson(Kept, utf8(body));
			const voters = new Set(kept.votes.map((vote) => vote.voter));
			const pairs = new Set(kept.votes.map((vote) => vote.presentation));
			const own = kept.votes.every((vote) => vote.link === id) && kept.notes.every((note) => note.author === id);
			if (!own || voters.size > 1 || pairs.size !== kept.votes.length) throw refused();
			return kept;
		}
	} catch {
		// Some other file: where in its JSON it differs tells nobody anything.
		throw refused();
	}
	throw refused();
}

/** Ids for a package's links, which no service gives. */
export function packageLinks(links: readonly NewLink[]): PackageHeader['links'] {
	return links.map((link) => ({ id: randomId(), ...link }));
}
