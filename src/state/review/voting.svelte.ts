/**
 * A voter's ballot: the pairs in the voter's own order, how long both sides were in sight, and votes that are kept on the device
 * until the service has acknowledged them. Nothing here knows which side is which version.
 */

import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { orderFor } from '../../share/ballot.ts';
import { randomId, toBase64Url, utf8 } from '../../share/bytes.ts';
import type { Clip, Manifest, ReviewShot } from '../../share/manifest.ts';
import { PackageBackend } from '../../share/package-backend.ts';
import type { Choice, PutVote, VoteRecord } from '../../share/protocol.ts';
import { sealTo } from '../../share/sealed.ts';
import { everyVisible } from './clock.ts';
import type { PendingVote } from './device.ts';
import type { ReviewParts } from './parts.ts';
import { plainMap, plainSet } from './maps.ts';

const FLUSH_MS = 4000;
/** Longest reason, characters: sealed, it fits into the protocol's bytes in any script. */
export const MAX_REASON = 1000;

/** A pair as this voter meets it. */
export interface BallotPair {
	readonly id: string;
	readonly shot: ReviewShot;
	readonly left: Clip;
	readonly right: Clip;
	readonly crops: boolean;
	/** Place in the voter's order, 0 first. */
	readonly position: number;
}

/** What is known of the vote on a pair. */
export type VoteStatus = 'none' | 'waiting' | 'sent';

/** How long a pair was looked at. */
interface Looked {
	both: number;
	left: number;
	right: number;
	plays: number;
}

/** See the file's comment. */
export class Ballot {
	readonly pairs: readonly BallotPair[];
	readonly #parts: ReviewParts;
	readonly #manifest: Manifest;
	readonly #looked = plainMap<string, Looked>();
	/** Reasons as they were written in this tab: what is sent is sealed, and cannot be read back. */
	readonly #reasons = plainMap<string, string>();
	/** Answers that were sent and neither acknowledged nor refused. */
	readonly #sent = plainMap<string, PendingVote>();
	#kept = $state.raw<ReadonlyMap<string, VoteRecord>>(plainMap());
	#pending = $state.raw<ReadonlyMap<string, PendingVote>>(plainMap());
	#at = $state(0);
	#viewed = $state(0);
	#conflict = $state<string | null>(null);
	#lost = $state<number | null>(null);
	#loaded = $state(false);
	#sending: Promise<void> | undefined;

	private constructor(parts: ReviewParts, pairs: readonly BallotPair[]) {
		this.#parts = parts;
		this.#manifest = parts.review.manifest;
		this.pairs = pairs;
	}

	/** The ballot of this link's voter. @throws EmulsionError `review-invalid`: a pair's shot is missing. */
	static async of(parts: ReviewParts): Promise<Ballot> {
		const { backend, manifest } = parts.review;
		const voter = (await backend.voter()) ?? '';
		const shown = await orderFor(voter, manifest.presentations);
		const pairs = shown.map(({ index, swapped }, position): BallotPair => {
			const presentation = manifest.presentations[index]!;
			const { id, a, b, onCrops } = presentation;
			const shot = manifest.shots.find((s) => s.id === presentation.shot);
			if (!shot) {
				const values = { path: `presentations.${index}.shot`, why: 'no such shot' };
				throw new EmulsionError('review-invalid', phrase('review-invalid', values));
			}
			const crops = onCrops && a.crop !== null && b.crop !== null;
			return { id, shot, left: swapped ? b : a, right: swapped ? a : b, crops, position };
		});
		return new Ballot(parts, pairs);
	}

	/** Place of the pair in sight; `pairs.length` is the end page. */
	get at(): number {
		return this.#at;
	}
	get pair(): BallotPair | undefined {
		return this.pairs[this.#at];
	}
	/** Earlier votes were read: what is shown as answered is. */
	get loaded(): boolean {
		return this.#loaded;
	}
	/** How long both sides of the pair were in sight, ms. */
	get viewedMs(): number {
		return this.#viewed;
	}
	/** Still to be looked at before a vote is taken, ms. */
	get missingMs(): number {
		return this.pair ? Math.max(0, this.#manifest.minimumViewMs - this.#viewed) : 0;
	}
	get answered(): number {
		return this.pairs.filter((p) => this.status(p.id) !== 'none').length;
	}
	/** Votes that the service does not have yet. */
	get waiting(): number {
		return this.#pending.size;
	}
	/** Pair whose vote was changed elsewhere, another window or device of this voter. */
	get conflict(): string | null {
		return this.#conflict;
	}
	/** How many votes could not be delivered before voting was closed; null for none. */
	get lost(): number | null {
		return this.#lost;
	}
	get tiesAllowed(): boolean {
		return this.#manifest.tiesAllowed;
	}
	/** True where the votes stay on this device, to be saved as a file. */
	get isPackage(): boolean {
		return this.#parts.review.backend.kind === 'package';
	}

	status(id: string): VoteStatus {
		if (this.#pending.has(id)) return 'waiting';
		return this.#kept.has(id) ? 'sent' : 'none';
	}

	/** What was answered to a pair. */
	choice(id: string): Choice | null {
		return this.#pending.get(id)?.vote.choice ?? this.#kept.get(id)?.choice ?? null;
	}

	/** The reason that was written to a pair in this tab; undefined where none was. */
	reason(id: string): string | undefined {
		return this.#reasons.get(id);
	}

	/** A reason came with the answer, from here or from before. */
	hasReason(id: string): boolean {
		return (this.#pending.get(id)?.vote.reason ?? this.#kept.get(id)?.reason ?? '') !== '';
	}

	/** Remembers what was written to the pair in sight; {@link vote} sends it. */
	write(reason: string): void {
		if (this.pair) this.#reasons.set(this.pair.id, reason);
	}

	/** Sends what waits, reads what is kept; the result stops it. */
	start(): () => void {
		const ask = async (): Promise<void> => {
			if (!this.#loaded) await this.#load();
			await this.#flush();
		};
		return everyVisible(FLUSH_MS, ask, this.#parts.offline);
	}

	/** To a pair, or past the last one to the end page. */
	go(at: number): void {
		this.#at = Math.min(this.pairs.length, Math.max(0, at));
		this.#conflict = null;
		this.#showLooked();
	}

	/** To the first pair without an answer, the end page where there is none. */
	goOn(): void {
		const after = this.pairs.findIndex((p, i) => i > this.#at && this.status(p.id) === 'none');
		const any = this.pairs.findIndex((p) => this.status(p.id) === 'none');
		this.go(after >= 0 ? after : any >= 0 ? any : this.pairs.length);
	}

	/** Counts time for which sides of the pair were painted on a visible page. */
	look(ms: number, sight: { readonly a: boolean; readonly b: boolean }): void {
		const { pair } = this;
		if (!pair) return;
		const looked = this.#lookedAt(pair.id);
		if (sight.a && sight.b) looked.both += ms;
		else if (sight.a) looked.left += ms;
		else if (sight.b) looked.right += ms;
		this.#showLooked();
	}

	/** Counts a pass through the clip. */
	pass(): void {
		if (this.pair) this.#lookedAt(this.pair.id).plays++;
	}

	/**
	 * Votes on the pair in sight, or changes the vote. Kept on the device first, then sent. With it goes the reason, where one was
	 * written in this tab; else the one from before stays, which only the owner can read.
	 */
	async vote(choice: Choice): Promise<void> {
		const { pair } = this;
		if (!pair || this.missingMs > 0) return;
		const { review, device } = this.#parts;
		const looked = this.#lookedAt(pair.id);
		const text = this.#reasons.get(pair.id)?.trim().slice(0, MAX_REASON);
		const context = `${review.info.id}/${pair.id}`;
		const before = this.#pending.get(pair.id)?.vote ?? this.#kept.get(pair.id);
		const written = text ? toBase64Url(await sealTo(this.#manifest.ownerKey, utf8(text), context)) : '';
		const vote: PutVote = {
			...{ choice, left: pair.left.object, right: pair.right.object, position: pair.position },
			// What was looked at before a reload counts with what was looked at since: the same time opened the choices.
			viewedMs: Math.min(24 * 3600 * 1000, Math.max(before?.viewedMs ?? 0, Math.round(inSight(looked)))),
			plays: Math.max(before?.plays ?? 0, looked.plays),
			reason: text === undefined ? (before?.reason ?? '') : written,
			revision: this.#kept.get(pair.id)?.revision ?? 0,
		};
		const pending = { presentation: pair.id, vote, key: randomId() };
		this.#conflict = null;
		await device.keepVote(review.info.link, pending);
		this.#pending = plainMap(this.#pending).set(pair.id, pending);
		await this.#flush();
	}

	/** The file to send back to the owner; undefined where the service has the votes. */
	async returnFile(): Promise<Blob | undefined> {
		const { backend } = this.#parts.review;
		if (!(backend instanceof PackageBackend)) return undefined;
		return new Blob([await backend.returnFile(this.#manifest.ownerKey)], { type: 'application/json' });
	}

	#lookedAt(id: string): Looked {
		let looked = this.#looked.get(id);
		if (!looked) {
			looked = { both: 0, left: 0, right: 0, plays: 0 };
			this.#looked.set(id, looked);
		}
		return looked;
	}

	#showLooked(): void {
		const { pair } = this;
		if (!pair) return;
		const before = this.#pending.get(pair.id)?.vote.viewedMs ?? this.#kept.get(pair.id)?.viewedMs ?? 0;
		this.#viewed = Math.max(before, inSight(this.#lookedAt(pair.id)));
	}

	async #load(): Promise<void> {
		const { review, device, hear, answered } = this.#parts;
		for (const pending of await device.pendingVotes(review.info.link)) {
			if (this.pairs.some((p) => p.id === pending.presentation)) {
				this.#pending = plainMap(this.#pending).set(pending.presentation, pending);
			}
		}
		try {
			await this.#fetch();
			answered();
		} catch (thrown) {
			hear(thrown);
			if (!toEmulsionError(thrown).retryable) return;
		}
		if (!this.#loaded) {
			this.#loaded = true;
			this.#at = -1;
			this.goOn();
		}
	}

	async #fetch(): Promise<void> {
		const votes = await this.#parts.review.backend.votes(0);
		this.#kept = plainMap(votes.map((vote) => [vote.presentation, vote]));
		this.#showLooked();
	}

	#flush(): Promise<void> {
		this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
		return this.#sending;
	}

	async #send(): Promise<void> {
		const { review, device, hear, answered } = this.#parts;
		// One after another, each as it is when its turn comes: what waits may be answered anew meanwhile.
		const tried = plainSet<string>();
		for (;;) {
			const pending = [...this.#pending.values()].find(({ key }) => !tried.has(key));
			if (!pending) return;
			tried.add(pending.key);
			try {
				if (!this.#sent.has(pending.presentation)) this.#sent.set(pending.presentation, pending);
				const record = await review.backend.putVote(pending.presentation, pending.vote, pending.key);
				this.#kept = plainMap(this.#kept).set(pending.presentation, record);
				this.#sent.delete(pending.presentation);
				await this.#rebase(pending, record.revision);
				answered();
			} catch (thrown) {
				const error = toEmulsionError(thrown);
				if (error.code === 'conflict') {
					const verdict = await this.#showTheirs(pending);
					if (verdict === 'unknown') return;
					if (verdict === 'mine') continue;
				} else if (error.code === 'review-closed') this.#lost = (this.#lost ?? 0) + 1;
				else {
					// Whatever it is, the vote stays on the device: a full review may get room, a withdrawn link may be given back.
					hear(error);
					if (error.retryable || error.code === 'link-refused') return;
					continue;
				}
			}
			this.#settle(pending);
			await device.dropVote(review.info.link, pending);
		}
	}

	/** The pair was answered again while its last answer was on the way: the new one changes what has just arrived. */
	async #rebase({ presentation, key }: PendingVote, revision: number): Promise<void> {
		const newer = this.#pending.get(presentation);
		if (!newer || newer.key === key) return;
		const rebased = { ...newer, vote: { ...newer.vote, revision } };
		this.#pending = plainMap(this.#pending).set(presentation, rebased);
		await this.#parts.device.keepVote(this.#parts.review.info.link, rebased);
	}

	/**
	 * Another window or device of this voter was first: shows what is kept and asks again. Where what is kept is this window's own
	 * earlier answer, whose acknowledgement was lost, the new one is put upon it.
	 */
	async #showTheirs(pending: PendingVote): Promise<'theirs' | 'mine' | 'unknown'> {
		const { presentation, vote } = pending;
		try {
			await this.#fetch();
		} catch (thrown) {
			this.#parts.hear(thrown);
			return 'unknown';
		}
		const kept = this.#kept.get(presentation);
		const sent = this.#sent.get(presentation);
		if (kept && sent && sent.key !== pending.key && isAnswer(kept, sent.vote)) {
			this.#sent.delete(presentation);
			const again = { ...pending, key: randomId(), vote: { ...vote, revision: kept.revision } };
			this.#pending = plainMap(this.#pending).set(presentation, again);
			await this.#parts.device.keepVote(this.#parts.review.info.link, again);
			return 'mine';
		}
		const place = this.pairs.findIndex((p) => p.id === presentation);
		this.#sent.delete(presentation);
		this.go(place);
		this.#conflict = presentation;
		return 'theirs';
	}

	#settle({ presentation, key }: PendingVote): void {
		if (this.#pending.get(presentation)?.key !== key) return;
		const left = plainMap(this.#pending);
		left.delete(presentation);
		this.#pending = left;
	}
}

/** Ms for which both sides were in sight, at once or one after the other. */
function inSight({ both, left, right }: Looked): number {
	return both + Math.min(left, right);
}

/** What is kept is this very answer: a reason sealed twice would differ. */
function isAnswer(kept: VoteRecord, sent: PutVote): boolean {
	const { choice, left, right, reason, revision } = sent;
	const same = kept.choice === choice && kept.left === left && kept.right === right && kept.reason === reason;
	return same && kept.revision === revision + 1;
}
