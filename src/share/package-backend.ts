/** A package as its reader's pages see it: notes and votes stay on the device and go back as a file (`returns.ts`). */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { ReviewBackend } from './backend.ts';
import { type Bytes, sha256, toBase64Url, utf8 } from './bytes.ts';
import { type VoterSecrets, voterId } from './client.ts';
import type { PackageHeader, ReviewPackage } from './package.ts';
import type { NoteRecord, PutVote, ReviewInfo, VoteRecord } from './protocol.ts';
import { type KeptReturns, readKept, sealReturn } from './returns.ts';
import { linkToken } from './secrets.ts';

/** Where a device keeps what was noted and voted on a package. Values are plain JSON. */
export interface ReturnStore {
	/** Everything kept for a review; undefined where nothing is. Validated by its reader. */
	load(review: string): Promise<unknown>;
	save(review: string, kept: KeptReturns): Promise<void>;
}

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
		const kept = {
			votes: votes.filter((vote) => vote.link === link && vote.voter === voter),
			notes: notes.filter((note) => note.author === link),
		};
		return sealReturn(kept, { review, link, secret: this.#secret, ownerKey });
	}

	/** `before` is the revision kept; a change of another is somebody else's. */
	#fits(before: number, revision: number): void {
		if (before !== revision) throw new EmulsionError('conflict', phrase('review-changed'));
	}

	async #kept(): Promise<KeptReturns> {
		return readKept(await this.#store.load(this.#file.header.review));
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
