/** Making a review in the editor: what is wanted, what it will take, rendering, sending with pause and resume, and the links. */

import type { ClipProgress, ClipSettings } from '../../contracts/review.ts';
import type { FrameRange, Progress } from '../../contracts/frames.ts';
import type { PlanRequest } from '../../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { CROP_SECONDS } from '../../core/quality.ts';
import { toNumber } from '../../core/rational.ts';
import { shotIndexAt } from '../../core/shots.ts';
import { EMPTY_RECIPE } from '../../project/recipe.ts';
import { type Reel, shotsOf } from '../../project/schema.ts';
import { measureClips, renderClips, type VersionToRender } from '../../services/review/render.ts';
import { isReviewFile } from '../../services/review/work.ts';
import { type Bytes, toBase64Url } from '../../share/bytes.ts';
import { reviewLink } from '../../share/links.ts';
import { assembleReview, checkWishes, type MadeVersion, type ReviewWishes } from '../../share/making/assemble.ts';
import type { ClipCodec } from '../../share/making/codec.ts';
import {
	type ClipCost,
	cropFrameBudget,
	type Estimate,
	estimateReview,
	USUAL_PAIRS,
} from '../../share/making/estimate.ts';
import { madeShots } from '../../share/making/rendered.ts';
import { type LinkWish, type ReviewToSend, Sending, type SendProgress, writePackage } from '../../share/publish.ts';
import type { EnginePort } from '../engine-port.ts';
import { download } from '../files.ts';
import type { Jobs } from '../jobs.svelte.ts';
import type { Planner } from '../planner.svelte.ts';
import type { ProjectState } from '../project.svelte.ts';
import { claimMaking, PrivatePlace } from './place.ts';

const DAY_MS = 86_400_000;
const MINIMUM_VIEW_MS = 3000;

/** A version that can be chosen: the source, the recipe as it is, or one that was kept. */
export interface VersionChoice {
	/** `source`, `current`, or a kept version's id with `kept:` before it. */
	readonly id: string;
	/** Kept versions have names; the others are named by the interface. */
	readonly name: string | null;
}

/** What the dialog decides. */
export interface MakingSettings {
	readonly title: string;
	readonly question: string;
	readonly blind: boolean;
	readonly ties: boolean;
	readonly vote: boolean;
	/** Null: every pair of versions in every shot, at most 24. */
	readonly pairs: number | null;
	readonly days: number;
	readonly passphrase: string;
	/** One link for everybody, or so many one-time links. */
	readonly voters: 'open' | number;
	readonly codec: ClipCodec;
	readonly stills: number;
	/** Measure the clips for the automatic judge. */
	readonly judge: boolean;
	/** Ids of {@link VersionChoice}. */
	readonly versions: readonly string[];
	/** Indexes of the reel's shots. */
	readonly shots: readonly number[];
	readonly destination: 'service' | 'file';
}

/** A link that was made. */
export interface ReadyLink {
	readonly role: 'owner' | 'commenter' | 'voter' | 'viewer';
	readonly once: boolean;
	readonly url: string;
}

/** Where making is. */
export type MakingStep =
	| { readonly kind: 'form'; readonly error: EmulsionError | null }
	| { readonly kind: 'rendering' }
	/** Rendered; on its way, paused, or stopped by an error that a further try may pass. */
	| { readonly kind: 'sending'; readonly paused: boolean; readonly error: EmulsionError | null }
	| {
			readonly kind: 'done';
			readonly links: readonly ReadyLink[];
			readonly file: string | null;
			readonly expiresAt: number;
	  };

const INITIAL: MakingSettings = {
	...{ title: '', question: '', blind: true, ties: true, vote: true, pairs: null, days: 30, passphrase: '' },
	...{
		voters: 'open',
		codec: 'h264',
		stills: 3,
		judge: true,
		versions: ['source', 'current'],
		shots: [],
		destination: 'service',
	},
};

/** What the parts of the editor are to this one. */
export interface MakingParts {
	readonly engine: EnginePort;
	readonly jobs: Jobs;
	readonly planner: Planner;
	readonly project: ProjectState;
	/** The name of a version that has none of its own, and of a shot, in the reader's language. */
	readonly names: {
		readonly version: (id: string) => string;
		readonly shot: (index: number) => string;
		readonly question: () => string;
	};
}

/** A review that was rendered. */
interface Ready {
	readonly review: ReviewToSend;
	readonly place: PrivatePlace;
	readonly reel: string;
	readonly sending: Sending;
}

/** See the file's comment. */
export class ReviewMaking {
	readonly #parts: MakingParts;
	#open = $state(false);
	#settings = $state.raw<MakingSettings>(INITIAL);
	#step = $state.raw<MakingStep>({ kind: 'form', error: null });
	#progress = $state.raw<ClipProgress | null>(null);
	#sent = $state.raw<SendProgress | null>(null);
	#cost = $state.raw<ClipCost | null>(null);
	#measuring = $state(false);
	#abort: AbortController | undefined;
	#ready: Ready | undefined;
	#free: (() => void) | undefined;
	#reel: string | undefined;

	constructor(parts: MakingParts) {
		this.#parts = parts;
	}

	get open(): boolean {
		return this.#open;
	}

	get settings(): MakingSettings {
		return this.#settings;
	}

	get step(): MakingStep {
		return this.#step;
	}

	/** Of rendering. */
	get progress(): ClipProgress | null {
		return this.#progress;
	}

	/** Of sending. */
	get sent(): SendProgress | null {
		return this.#sent;
	}

	/** What was measured; null until it is asked for. */
	get cost(): ClipCost | null {
		return this.#cost;
	}

	get measuring(): boolean {
		return this.#measuring;
	}

	/** True while something is rendered, sent, or waits to be sent. */
	get busy(): boolean {
		return this.#step.kind === 'rendering' || this.#step.kind === 'sending';
	}

	/** Opens the dialog: with what is under way, or with proposals for the reel on screen. @param frame Under the playhead. */
	show(frame: number): void {
		const { reel } = this.#parts.project;
		this.#open = true;
		if (!reel || this.busy) return;
		const isSame = this.#reel === reel.id;
		this.#reel = reel.id;
		this.#step = { kind: 'form', error: null };
		this.#cost = null;
		const shots = shotsOf(reel);
		const here = Math.max(0, shotIndexAt(shots, frame));
		const known = this.choices.map(({ id }) => id);
		const versions = this.#settings.versions.filter((id) => known.includes(id));
		const kept = isSame ? this.#settings.shots.filter((i) => i < shots.length) : [];
		this.#settings = {
			...this.#settings,
			title: this.#settings.title || this.#parts.project.project.name,
			question: this.#settings.question || this.#parts.names.question(),
			versions: versions.length >= 2 ? versions : ['source', 'current'],
			shots: kept.length > 0 ? kept : [here],
		};
	}

	hide(): void {
		this.#open = false;
	}

	set(change: Partial<MakingSettings>): void {
		const [before, now] = [this.#settings, { ...this.#settings, ...change }];
		this.#settings = now;
		// What was measured holds for this codec and these versions.
		if (before.codec !== now.codec || before.versions !== now.versions) this.#cost = null;
	}

	/** Versions that can be chosen. */
	get choices(): readonly VersionChoice[] {
		const kept = this.#parts.project.reel?.versions ?? [];
		return [
			{ id: 'source', name: null },
			{ id: 'current', name: null },
			...kept.map(({ id, name }) => ({ id: `kept:${id}`, name })),
		];
	}

	/** Real pairs that will be asked. */
	get pairs(): number {
		const { vote, pairs, versions, shots } = this.#settings;
		if (!vote) return 0;
		const couples = (versions.length * (versions.length - 1)) / 2;
		return pairs ?? Math.max(1, Math.min(USUAL_PAIRS, couples * shots.length));
	}

	/** Size and time by what is known; null without a reel. */
	get estimate(): Estimate | null {
		const { reel } = this.#parts.project;
		const info = this.#parts.planner.request?.info;
		if (!reel || !info) return null;
		const { codec, stills, blind, versions } = this.#settings;
		const size = this.#parts.planner.planned?.summary.size ?? info.size;
		const crops = Math.min(this.#cropBudget(), Math.round(CROP_SECONDS * toNumber(info.rate)));
		const shots = this.#ranges(reel).map(({ start, end }) => {
			return { frames: end - start, cropFrames: Math.min(crops, end - start), ...size };
		});
		const depth = info.format.depth > 8 ? 16 : 8;
		return estimateReview({
			...{ versions: versions.length, shots, codec, stills, depth, blind },
			...{ pairs: this.pairs, measured: this.#cost },
		});
	}

	/** Renders twelve frames of each version, so that the estimate is one of these versions. */
	async measure(): Promise<void> {
		const { reel } = this.#parts.project;
		if (!reel || this.#measuring || this.busy) return;
		this.#measuring = true;
		const place = new PrivatePlace();
		try {
			const [shot] = this.#ranges(reel);
			if (!shot) throw new EmulsionError('usage', phrase('ballot-shots'));
			const versions = this.#versions(reel);
			const settings = this.#clipSettings();
			this.#cost = await this.#parts.jobs.run('review', reel.source.name, (_report, signal) =>
				measureClips(this.#parts.engine, versions.toRender, shot, settings, place, signal),
			);
		} catch (thrown) {
			this.#fail(thrown);
		} finally {
			this.#measuring = false;
			await place.remove();
		}
	}

	/** Renders, then sends or saves. Failures are shown in the dialog. */
	async start(): Promise<void> {
		const { reel } = this.#parts.project;
		if (!reel || this.busy) return;
		this.#step = { kind: 'rendering' };
		this.#progress = null;
		this.#sent = null;
		const place = new PrivatePlace();
		try {
			this.#free = await claimMaking();
			const review = await this.#parts.jobs.run('review', reel.source.name, (report, signal) =>
				this.#render(reel, place, report, signal),
			);
			this.#ready = { review, place, reel: reel.id, sending: new Sending(serviceOrigin(), review) };
		} catch (thrown) {
			await place.remove();
			this.#release();
			// What failed goes on from its chunks when it is tried again; what was canceled does not.
			if (toEmulsionError(thrown).code === 'aborted') await this.#dropChunks();
			this.#fail(thrown);
			return;
		}
		await (this.#settings.destination === 'service' ? this.resume() : this.saveFile());
	}

	/** Sends, or goes on sending with what has not arrived. */
	async resume(): Promise<void> {
		const ready = this.#ready;
		if (!ready || this.#abort) return;
		const abort = (this.#abort = new AbortController());
		this.#step = { kind: 'sending', paused: false, error: null };
		try {
			const { review } = await ready.sending.send({
				signal: abort.signal,
				progress: (sent) => (this.#sent = sent),
			});
			await this.#finish(ready, review, null);
		} catch (thrown) {
			const error = toEmulsionError(thrown);
			const paused = error.code === 'aborted' || abort.signal.aborted;
			// Canceled meanwhile: there is nothing to be shown any more.
			if (this.#ready === ready) this.#step = { kind: 'sending', paused: true, error: paused ? null : error };
		} finally {
			if (this.#abort === abort) this.#abort = undefined;
		}
	}

	/** Stops sending; what has arrived stays there. */
	pause(): void {
		this.#abort?.abort();
	}

	/** Writes what was rendered to one file instead, and downloads it. */
	async saveFile(): Promise<void> {
		const ready = this.#ready;
		if (!ready) return;
		this.pause();
		this.#step = { kind: 'sending', paused: false, error: null };
		try {
			const parts: Bytes[] = [];
			const review = await writePackage(
				ready.review,
				(bytes) => {
					parts.push(bytes);
					return Promise.resolve();
				},
				{ progress: (sent) => (this.#sent = sent) },
			);
			const file = `${fileName(this.#settings.title)}.emreview`;
			download(new Blob(parts, { type: 'application/octet-stream' }), file);
			// Half of it may lie on the service.
			await ready.sending.discard().catch(() => undefined);
			await this.#finish(ready, review, file);
		} catch (thrown) {
			this.#step = { kind: 'sending', paused: true, error: toEmulsionError(thrown) };
		}
	}

	/** Drops what was rendered, and takes back what was sent. */
	async cancel(): Promise<void> {
		this.#parts.jobs.cancelAll('review');
		const ready = this.#ready;
		if (!ready) return;
		this.#ready = undefined;
		this.pause();
		this.#step = { kind: 'form', error: null };
		await ready.sending.discard().catch(() => undefined);
		await ready.place.remove();
		this.#release();
	}

	#fail(thrown: unknown): void {
		const error = toEmulsionError(thrown);
		this.#step = { kind: 'form', error: error.code === 'aborted' ? null : error };
	}

	/** Frees the chunks of clips that were not finished. */
	async #dropChunks(): Promise<void> {
		const { engine } = this.#parts;
		for (const { id, name } of await engine.interrupted()) if (isReviewFile(name)) await engine.discard(id);
	}

	#release(): void {
		this.#free?.();
		this.#free = undefined;
	}

	#ranges(reel: Reel): FrameRange[] {
		const shots = shotsOf(reel);
		return [...this.#settings.shots]
			.sort((a, b) => a - b)
			.flatMap((index) => shots[index] ?? [])
			.map(({ start, end }) => ({ start, end }));
	}

	/** Frames that a crop may have; none where clips and stills alone are too many, which making the review refuses. */
	#cropBudget(): number {
		try {
			return this.#clipSettings().cropFrames;
		} catch {
			return 0;
		}
	}

	#clipSettings(): ClipSettings {
		const { codec, stills, judge, blind, versions, shots } = this.#settings;
		const { length } = versions;
		const cropFrames = cropFrameBudget({ versions: length, shots: shots.length, stills, blind, pairs: this.pairs });
		return { codec, stills, judge, cropFrames };
	}

	/** The chosen versions, as they are rendered and as the owner's secrets tell of them. */
	#versions(reel: Reel): { readonly toRender: VersionToRender[]; readonly made: MadeVersion[] } {
		const request = this.#parts.planner.request;
		if (!request) throw new EmulsionError('usage', phrase('no-source'));
		const { range: _range, ...base } = request as PlanRequest;
		const chosen = this.choices.filter(({ id }) => this.#settings.versions.includes(id));
		const versions = chosen.map(({ id, name }) => {
			const kept = reel.versions.find((version) => `kept:${version.id}` === id);
			const recipe = id === 'source' ? EMPTY_RECIPE : (kept?.recipe ?? reel.recipe);
			return { label: name ?? this.#parts.names.version(id), recipe, source: id === 'source' };
		});
		return {
			toRender: versions.map(({ label, recipe }) => ({ label, request: { ...base, recipe } })),
			made: versions,
		};
	}

	#wishes(fingerprint: string, shortestMs: number): ReviewWishes {
		const { title, question, blind, ties, days, passphrase, voters, vote } = this.#settings;
		const more = passphrase === '' ? {} : { passphrase };
		const voter: LinkWish = { role: 'voter', once: voters !== 'open', ...more };
		const count = !vote ? 0 : voters === 'open' ? 1 : voters;
		const links: LinkWish[] = [
			{ role: 'commenter', ...more },
			{ role: 'viewer', ...more },
			...Array.from({ length: count }, () => voter),
		];
		return {
			...{ title, question, blind, tiesAllowed: ties, links, pairs: this.pairs, source: fingerprint },
			minimumViewMs: Math.min(MINIMUM_VIEW_MS, Math.floor(shortestMs)),
			expiresAt: Date.now() + days * DAY_MS,
		};
	}

	async #render(
		reel: Reel,
		place: PrivatePlace,
		report: (progress: Progress) => void,
		signal: AbortSignal,
	): Promise<ReviewToSend> {
		const { engine, names } = this.#parts;
		const versions = this.#versions(reel);
		const ranges = this.#ranges(reel);
		const chosen = [...this.#settings.shots].sort((a, b) => a - b);
		const { rate } = reel.source;
		const shortest = Math.min(...ranges.map(({ start, end }) => (1000 * (end - start) * rate.den) / rate.num));
		const wishes = this.#wishes(reel.source.fingerprint, shortest);
		checkWishes(wishes, versions.made, ranges.length, Date.now());
		const settings = this.#clipSettings();
		const onProgress = (progress: ClipProgress): void => {
			this.#progress = progress;
			report({ phase: 'render', done: progress.done, total: progress.total });
		};
		const rendered = await renderClips(engine, versions.toRender, ranges, settings, place, onProgress, signal);
		const shotNames = chosen.map((index) => names.shot(index));
		const shots = await madeShots(rendered, shotNames, settings.codec, reel.numbering, place.fileOf);
		return assembleReview(wishes, versions.made, shots);
	}

	async #finish(ready: Ready, review: string, file: string | null): Promise<void> {
		const { keys, manifest, expiresAt, blind } = ready.review;
		const base = serviceOrigin();
		const links = keys.links.map(({ role, once, secret }): ReadyLink => {
			return { role, once, url: reviewLink(base, secret, file ?? undefined) };
		});
		this.#parts.project.run({
			type: 'add-review',
			review: {
				...{ id: review, reel: ready.reel, title: manifest.title, blind, expiresAt },
				place: file === null ? 'service' : 'package',
				origin: file ?? base,
				ownerSecret: toBase64Url(keys.links[0]!.secret),
				createdAt: manifest.createdAt,
			},
		});
		this.#ready = undefined;
		this.#step = { kind: 'done', links, file, expiresAt };
		await ready.place.remove();
		await this.#dropChunks().catch(() => undefined);
		this.#release();
	}
}

/** The address of this app, whose service keeps its reviews. */
export function serviceOrigin(): string {
	return new URL('.', location.href.replace(/[?#].*$/, '')).href;
}

/** A title as a file name. */
function fileName(title: string): string {
	return (
		title
			.replace(/[^\p{L}\p{N}._ -]+/gu, ' ')
			.trim()
			.replace(/\s+/g, '-')
			.slice(0, 80) || 'review'
	);
}
