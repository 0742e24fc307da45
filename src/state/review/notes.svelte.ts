/** Notes, answers and approvals of a review: polled, decrypted, shown in threads; written here, kept until the service has them. */

import { toEmulsionError } from '../../core/errors.ts';
import { randomId, sha256, toHex } from '../../share/bytes.ts';
import type { Clip, ReviewShot } from '../../share/manifest.ts';
import {
	type Approval,
	type Entry,
	type Mark,
	type Note,
	type Reply,
	signApproval,
	verifyApproval,
} from '../../share/notes.ts';
import type { NoteRecord } from '../../share/protocol.ts';
import { everyVisible } from './clock.ts';
import type { PendingNote } from './device.ts';
import type { ReviewParts } from './parts.ts';
import { plainMap, plainSet } from './maps.ts';

const POLL_MS = 3000;

/** Something that was said, and whether it has arrived. */
export interface Said<T> {
	readonly id: string;
	readonly entry: T;
	/** Ms since 1970 by the service's clock; by ours where it has not arrived. */
	readonly at: number;
	/** It is kept on this device and not sent yet. */
	readonly waiting: boolean;
	/** It may be removed by this link. */
	readonly mine: boolean;
}

/** A note with what was answered. */
export interface Thread extends Said<Note> {
	readonly replies: readonly Said<Reply>[];
	readonly resolved: boolean;
}

/** What became of a signature. */
export type SignatureState = 'valid' | 'invalid';

/** An approval with its proof. */
export interface SignedApproval extends Said<Approval> {
	readonly signature: SignatureState;
}

/** What is being written about frames. */
export interface NoteDraft {
	readonly shot: string;
	readonly from: number;
	readonly to: number;
	readonly text: string;
	readonly marks: readonly Mark[];
	readonly clip: string | null;
}

interface Held {
	readonly record: NoteRecord;
	readonly entry: Entry | undefined;
	readonly valid: boolean;
}

/** See the file's comment. */
export class NotesBook {
	readonly #parts: ReviewParts;
	#held = $state.raw<ReadonlyMap<string, Held>>(plainMap());
	#pending = $state.raw<ReadonlyMap<string, Held & { readonly sealed: PendingNote }>>(plainMap());
	#name = $state('');
	#seq = 0;
	#sending: Promise<void> | undefined;
	/** Notes that the service refuses; see `#send`. */
	readonly #refused = plainSet<string>();

	constructor(parts: ReviewParts) {
		this.#parts = parts;
	}

	/** The name under which this device writes; empty until it was asked. */
	get name(): string {
		return this.#name;
	}

	async setName(name: string): Promise<void> {
		this.#name = name.replace(/\s+/g, ' ').trim().slice(0, 60);
		await this.#parts.device.setName(this.#name);
	}

	/** May this link write, now. */
	get writes(): boolean {
		const { role } = this.#parts.review.info;
		return (role === 'owner' || role === 'commenter') && !this.#parts.closed();
	}

	/** Notes that cannot be read with this link's key: changed, or of another version. */
	readonly unreadable = $derived.by(
		() => [...this.#held.values()].filter((h) => h.record.body !== null && h.entry === undefined).length,
	);

	/** Entries that are kept here and not sent yet. */
	get waiting(): number {
		return this.#pending.size;
	}

	readonly #all = $derived.by((): readonly Said<Entry>[] => {
		const all = plainMap<string, Said<Entry>>();
		const { link, role } = this.#parts.review.info;
		for (const [id, { record, entry }] of this.#held) {
			const mine = this.writes && (role === 'owner' || record.author === link);
			if (entry && record.body !== null) all.set(id, { id, entry, at: record.createdAt, waiting: false, mine });
		}
		for (const [id, { record, entry }] of this.#pending) {
			if (entry) all.set(id, { id, entry, at: record.createdAt, waiting: true, mine: true });
		}
		return [...all.values()].sort((x, y) => x.at - y.at);
	});

	/** All notes in the order of shots and frames. */
	readonly threads = $derived.by((): readonly Thread[] => {
		const shots = plainMap(this.#parts.review.manifest.shots.map((shot, i) => [shot.id, i]));
		const notes = this.#all.filter((s): s is Said<Note> => s.entry.type === 'note' && shots.has(s.entry.shot));
		const replies = plainMap<string, Said<Reply>[]>();
		const resolved = plainMap<string, boolean>();
		for (const { entry, ...said } of this.#all) {
			if (entry.type === 'resolve') resolved.set(entry.to, entry.resolved);
			if (entry.type !== 'reply') continue;
			const before = replies.get(entry.to);
			if (before) before.push({ ...said, entry });
			else replies.set(entry.to, [{ ...said, entry }]);
		}
		return notes
			.map((note) => ({
				...note,
				replies: replies.get(note.id) ?? [],
				resolved: resolved.get(note.id) ?? false,
			}))
			.sort(
				(x, y) => shots.get(x.entry.shot)! - shots.get(y.entry.shot)! || x.entry.from - y.entry.from || x.at - y.at,
			);
	});

	/** Approvals, the newest last; of one key, shot and clip only the last. */
	readonly approvals = $derived.by((): readonly SignedApproval[] => {
		const last = plainMap<string, SignedApproval>();
		for (const said of this.#all) {
			if (said.entry.type !== 'approval') continue;
			const { entry } = said;
			const held = this.#held.get(said.id) ?? this.#pending.get(said.id);
			const key = `${entry.key}/${entry.shot}/${entry.clip}`;
			last.delete(key);
			last.set(key, { ...said, entry, signature: held?.valid === true ? 'valid' : 'invalid' });
		}
		return [...last.values()];
	});

	/** Polls and sends; the result stops it. */
	start(): () => void {
		void this.#restore();
		const ask = async (): Promise<void> => {
			await this.poll();
			await this.#flush();
		};
		return everyVisible(POLL_MS, ask, this.#parts.offline);
	}

	/** Asks for what changed. */
	async poll(): Promise<void> {
		try {
			await this.#fetch();
			this.#parts.answered();
		} catch (thrown) {
			this.#parts.hear(thrown);
		}
	}

	/** Notes of files that were sent back: shown like any other. */
	async takeReturned(records: readonly NoteRecord[]): Promise<void> {
		await this.#take(records.filter((record) => !this.#held.has(record.id)));
	}

	/** Writes a note. */
	async add(draft: NoteDraft): Promise<void> {
		await this.#write({ type: 'note', name: this.#name, ...draft, marks: [...draft.marks] });
	}

	async reply(to: string, text: string): Promise<void> {
		await this.#write({ type: 'reply', name: this.#name, to, text });
	}

	async resolve(to: string, resolved: boolean): Promise<void> {
		await this.#write({ type: 'resolve', name: this.#name, to, resolved });
	}

	/** Removes what this link wrote; the owner, anything. */
	async remove(id: string): Promise<void> {
		if (this.#pending.has(id)) {
			await this.#settle(id);
			return;
		}
		try {
			await this.#parts.review.backend.removeNote(id);
			await this.#fetch();
		} catch (thrown) {
			this.#parts.hear(thrown);
		}
	}

	/** Signs a verdict on a shot's clip with this device's key. */
	async approve(
		shot: ReviewShot,
		clip: Clip,
		pictures: Blob,
		verdict: Approval['verdict'],
		text: string,
	): Promise<void> {
		const { review, device, clock } = this.#parts;
		const clipHash = toHex(await sha256(new Uint8Array(await pictures.arrayBuffer())));
		const signed = await signApproval(await device.curator(), {
			...{ type: 'approval', name: this.#name, review: review.info.id, shot: shot.id, clip: clip.object },
			...{ clipHash, verdict, text, at: Math.round(clock.now()) },
		});
		await this.#write(signed);
	}

	async #restore(): Promise<void> {
		const { device, review } = this.#parts;
		this.#name = await device.name();
		for (const sealed of await device.pendingNotes(review.info.link)) {
			const entry = await review.notes.open(sealed.id, sealed.body);
			if (entry) await this.#keep(sealed, entry);
		}
		await this.#flush();
	}

	async #write(entry: Entry): Promise<void> {
		const { device, review } = this.#parts;
		const id = randomId();
		const sealed = { id, body: await review.notes.seal(id, entry), revision: 0 };
		// As everybody will read it, cleaned: what waits here is shown like what has arrived.
		const read = await review.notes.open(id, sealed.body);
		if (!read) throw new TypeError('an entry that nobody could read');
		await device.keepNote(review.info.link, sealed);
		await this.#keep(sealed, read);
		await this.#flush();
	}

	async #keep(sealed: PendingNote, entry: Entry): Promise<void> {
		const at = Math.round(this.#parts.clock.now());
		const { link } = this.#parts.review.info;
		const record: NoteRecord = {
			...{ id: sealed.id, seq: 0, author: link, createdAt: at, updatedAt: at },
			...{ revision: sealed.revision, body: sealed.body },
		};
		const valid = entry.type === 'approval' && (await this.#isValid(entry));
		this.#pending = plainMap(this.#pending).set(sealed.id, { record, entry, valid, sealed });
	}

	/** Sends what waits, in order. */
	#flush(): Promise<void> {
		this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
		return this.#sending;
	}

	async #send(): Promise<void> {
		const { review } = this.#parts;
		for (const [id, { sealed }] of this.#pending) {
			if (this.#refused.has(id)) continue;
			try {
				const record = await review.backend.putNote(id, sealed.body, sealed.revision);
				await this.#take([record]);
			} catch (thrown) {
				const error = toEmulsionError(thrown);
				// An answer that was lost on its way: what the service keeps is this very entry.
				if (error.code === 'conflict') await this.#fetch().catch(() => undefined);
				if (error.code !== 'conflict' || this.#held.get(id)?.record.body !== sealed.body) this.#parts.hear(error);
				if (error.code === 'offline' || error.retryable) return;
				// Refused: nothing of it is lost. It stays among the notes as one that waits, and is tried again when the page is opened anew.
				if (error.code !== 'conflict') {
					this.#refused.add(id);
					continue;
				}
			}
			await this.#settle(id);
		}
	}

	async #settle(id: string): Promise<void> {
		const left = plainMap(this.#pending);
		left.delete(id);
		this.#pending = left;
		await this.#parts.device.dropNote(this.#parts.review.info.link, id);
	}

	async #fetch(): Promise<void> {
		const records = await this.#parts.review.backend.notes(this.#seq);
		await this.#take(records);
		this.#seq = records.reduce((seq, record) => Math.max(seq, record.seq), this.#seq);
	}

	async #take(records: readonly NoteRecord[]): Promise<void> {
		if (records.length === 0) return;
		const opened = await Promise.all(
			records.map(async (record): Promise<Held> => {
				const entry = record.body === null ? undefined : await this.#parts.review.notes.open(record.id, record.body);
				return { record, entry, valid: entry?.type === 'approval' && (await this.#isValid(entry)) };
			}),
		);
		const next = plainMap(this.#held);
		for (const held of opened) {
			const known = next.get(held.record.id);
			if (!known || known.record.seq <= held.record.seq) next.set(held.record.id, held);
		}
		this.#held = next;
	}

	/** Signed by its key, about this review. */
	async #isValid(approval: Approval): Promise<boolean> {
		return approval.review === this.#parts.review.info.id && (await verifyApproval(approval));
	}
}
