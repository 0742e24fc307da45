/**
 * Reviews that the project made, as its owner sees them: notes on the restorer's timeline, curators' approvals, votes and what they
 * show. The service is asked while the tab is in sight; everything it says is checked and opened here.
 */

import type { StageMeta } from '../../contracts/stage.ts';
import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { EMPTY_RECIPE, validateRecipe } from '../../project/recipe.ts';
import type { ApprovalEntry, ReviewRef } from '../../project/review-records.ts';
import type { Manifest, OwnerSecrets } from '../../share/manifest.ts';
import { type LetterKey, letterKeys } from '../../share/letters.ts';
import { verifyApproval } from '../../share/notes.ts';
import { type Results, tally } from '../../share/statistics/results.ts';
import { approvalsIn, type TimelineNote, timelineNotes } from '../../share/timeline-notes.ts';
import type { ProjectState } from '../project.svelte.ts';
import { adoptionOf } from './adoption.ts';
import { serviceOrigin } from './making-settings.ts';
import { OwnerClients, type OwnerView } from './owner-clients.ts';

/** Time between two questions to the service, ms. */
const POLL_MS = 15_000;

/** A note, and what the letters in it stood for. */
export interface FollowedNote extends TimelineNote {
	/** Of the note's shot; empty where its writer saw the versions' names. */
	readonly letters: readonly LetterKey[];
}

/** A review as it was last seen. */
export interface FollowedReview {
	readonly ref: ReviewRef;
	/** Null until it was opened. */
	readonly manifest: Manifest | null;
	readonly versions: OwnerSecrets['versions'];
	readonly notes: readonly FollowedNote[];
	/** Approvals whose signatures hold, and which were given to these clips. */
	readonly approvals: readonly ApprovalEntry[];
	/** Approvals whose signature does not fit what they say, or which name other pictures than the clip's. */
	readonly forged: number;
	readonly results: Results | null;
	readonly error: EmulsionError | null;
}

/** See the file's comment. */
export class FollowedReviews {
	readonly #project: ProjectState;
	readonly #metas: readonly StageMeta[];
	#seen = $state.raw<Readonly<Record<string, FollowedReview>>>({});
	#panel = $state(false);
	readonly #owner = new OwnerClients();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#running = false;

	constructor(project: ProjectState, metas: readonly StageMeta[]) {
		this.#project = project;
		this.#metas = metas;
	}

	/** The dialog that lists them is open. */
	get panel(): boolean {
		return this.#panel;
	}

	showPanel(shown: boolean): void {
		this.#panel = shown;
		if (shown) void this.refresh();
	}

	/** Reviews of the reel on screen, newest first. */
	get list(): readonly FollowedReview[] {
		const { reel, project } = this.#project;
		return project.reviews
			.filter((ref) => ref.reel === reel?.id)
			.map((ref) => this.#seen[ref.id] ?? unseen(ref))
			.reverse();
	}

	/** Notes of the reel on screen, in the order of the film, with the review they belong to. */
	get notes(): readonly (FollowedNote & { readonly review: string })[] {
		return this.list
			.flatMap(({ ref, notes }) => notes.map((note) => ({ ...note, review: ref.id })))
			.sort((a, b) => a.from - b.from);
	}

	/** Asks while the tab is in sight, until the returned function is called. */
	start(): () => void {
		let ended = false;
		const again = (): void => {
			clearTimeout(this.#timer);
			if (ended) return;
			this.#timer = setTimeout(() => void tick(), POLL_MS);
		};
		const tick = async (): Promise<void> => {
			if (document.visibilityState === 'visible') await this.refresh();
			again();
		};
		const seen = (): void => {
			if (document.visibilityState === 'visible') void tick();
		};
		document.addEventListener('visibilitychange', seen);
		again();
		return () => {
			ended = true;
			clearTimeout(this.#timer);
			document.removeEventListener('visibilitychange', seen);
		};
	}

	/** Asks the service about all reviews of the reel on screen, now. */
	async refresh(): Promise<void> {
		if (this.#running) return;
		this.#running = true;
		try {
			const { reel, project } = this.#project;
			const here = serviceOrigin();
			for (const ref of project.reviews) {
				// The page may speak to its own service only.
				if (ref.place === 'service' && ref.reel === reel?.id && ref.origin === here) await this.#follow(ref);
			}
		} finally {
			this.#running = false;
		}
	}

	/** Takes approvals into the project's record. */
	recordApprovals(review: string): void {
		const entries = this.#seen[review]?.approvals ?? [];
		const recordedAt = Date.now();
		if (entries.length > 0) {
			this.#project.run({ type: 'record', entries: entries.map((entry) => ({ ...entry, recordedAt })) });
		}
	}

	/**
	 * Makes a version the recipe of the reel, with the record of the vote.
	 * @throws EmulsionError `usage` for a version that came from elsewhere, `recipe-invalid` where its recipe is none for this reel.
	 */
	adopt(review: string, version: string): void {
		const seen = this.#seen[review];
		const found = seen?.versions.find(({ id }) => id === version);
		const reel = this.#project.project.reels.find(({ id }) => id === seen?.ref.reel);
		if (!seen?.results || !found || !reel) return;
		if (!found.source && found.recipe === null)
			throw new EmulsionError('usage', phrase('adopt-foreign', { version: found.label }));
		const recipe = found.source ? EMPTY_RECIPE : validateRecipe(found.recipe, this.#metas);
		const entry = adoptionOf(seen.ref, reel.id, found, seen.results, Date.now());
		this.#project.run({ type: 'adopt', reel: reel.id, recipe, entry });
	}

	async #follow(ref: ReviewRef): Promise<void> {
		try {
			const view = await this.#owner.ask(ref);
			const { manifest, secrets, entries, votes } = view;
			const { approvals, forged } = await checked(view, ref);
			this.#put({
				...{ ref, manifest, versions: secrets.versions, approvals, forged, error: null },
				notes: timelineNotes(entries, manifest).map((note) => {
					const shot = manifest.blind ? manifest.shots.find(({ id }) => id === note.shot) : undefined;
					return { ...note, letters: shot ? letterKeys(shot, secrets) : [] };
				}),
				results: manifest.presentations.length === 0 ? null : tally({ manifest, secrets, votes }),
			});
		} catch (thrown) {
			this.#put({ ...(this.#seen[ref.id] ?? unseen(ref)), error: toEmulsionError(thrown) });
		}
	}

	#put(review: FollowedReview): void {
		this.#seen = { ...this.#seen, [review.ref.id]: review };
	}
}

function unseen(ref: ReviewRef): FollowedReview {
	return { ref, manifest: null, versions: [], notes: [], approvals: [], forged: 0, results: null, error: null };
}

/** Approvals as the record keeps them: those whose signatures hold, of the pictures that the review's clips show. */
async function checked(
	{ entries, manifest, secrets, hashOf }: OwnerView,
	ref: ReviewRef,
): Promise<{ readonly approvals: readonly ApprovalEntry[]; readonly forged: number }> {
	const found = approvalsIn(entries, manifest);
	const approvals: ApprovalEntry[] = [];
	for (const { type: _type, ...approval } of found) {
		if (!(await verifyApproval({ type: 'approval', ...approval }))) continue;
		const shot = manifest.shots.find(({ id }) => id === approval.shot)!;
		const clip = shot.clips.find(({ object }) => object === approval.clip)!;
		if (approval.clipHash !== (await hashOf(clip))) continue;
		const version = secrets.clips.find(({ object }) => object === approval.clip)?.version;
		approvals.push({
			kind: 'approval',
			reel: ref.reel,
			start: shot.sourceFrame,
			end: shot.sourceFrame + shot.frames,
			version: secrets.versions.find(({ id }) => id === version)?.label ?? null,
			recordedAt: Date.now(),
			approval,
		});
	}
	return { approvals, forged: found.length - approvals.length };
}
