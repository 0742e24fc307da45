/** Making a review in the editor: what is wanted, what it will take, rendering, sending with pause and resume, and the links. */

import type { ClipProgress } from '../../contracts/review.ts';
import type { Progress } from '../../contracts/frames.ts';
import type { PlanRequest } from '../../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { CROP_SECONDS } from '../../core/quality.ts';
import { toNumber } from '../../core/rational.ts';
import { shotIndexAt } from '../../core/shots.ts';
import { type Reel, shotsOf } from '../../project/schema.ts';
import { measureClips, renderClips, type VersionToRender } from '../../services/review/render.ts';
import { isReviewFile } from '../../services/review/work.ts';
import { type Bytes, toBase64Url } from '../../share/bytes.ts';
import { reviewLink } from '../../share/links.ts';
import { assembleReview, checkWishes, type MadeVersion } from '../../share/making/assemble.ts';
import { type ClipCost, type Estimate, estimateReview } from '../../share/making/estimate.ts';
import { madeShots } from '../../share/making/rendered.ts';
import { type ReviewToSend, Sending, type SendProgress, writePackage } from '../../share/publish.ts';
import type { EnginePort } from '../engine-port.ts';
import { download } from '../files.ts';
import type { Jobs } from '../jobs.svelte.ts';
import type { Planner } from '../planner.svelte.ts';
import type { ProjectState } from '../project.svelte.ts';
import {
	choicesOf,
	clipSettingsOf,
	cropBudgetOf,
	INITIAL,
	type MakingSettings,
	type MakingStep,
	pairsOf,
	rangesOf,
	type ReadyLink,
	serviceOrigin,
	type VersionChoice,
	versionsOf,
	wishesOf,
} from './making-settings.ts';
import { fileName } from './file-names.ts';
import { claimMaking, PrivatePlace } from './place.ts';

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
		return choicesOf(this.#parts.project.reel?.versions ?? []);
	}

	/** Real pairs that will be asked. */
	get pairs(): number {
		return pairsOf(this.#settings);
	}

	/** Size and time by what is known; null without a reel. */
	get estimate(): Estimate | null {
		const { reel } = this.#parts.project;
		const info = this.#parts.planner.request?.info;
		if (!reel || !info) return null;
		const { codec, stills, blind, versions } = this.#settings;
		const size = this.#parts.planner.planned?.summary.size ?? info.size;
		const crops = Math.min(cropBudgetOf(this.#settings), Math.round(CROP_SECONDS * toNumber(info.rate)));
		const shots = rangesOf(this.#settings, reel).map(({ start, end }) => {
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
			const [shot] = rangesOf(this.#settings, reel);
			if (!shot) throw new EmulsionError('usage', phrase('ballot-shots'));
			const versions = this.#versions(reel);
			const settings = clipSettingsOf(this.#settings, reel.versions);
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

	/** The chosen versions, as they are rendered and as the owner's secrets tell of them. */
	#versions(reel: Reel): { readonly toRender: VersionToRender[]; readonly made: MadeVersion[] } {
		const request = this.#parts.planner.request;
		if (!request) throw new EmulsionError('usage', phrase('no-source'));
		const { range: _range, ...base } = request as PlanRequest;
		const made = versionsOf(this.#settings, reel, this.#parts.names.version);
		return { toRender: made.map(({ label, recipe }) => ({ label, request: { ...base, recipe } })), made };
	}

	async #render(
		reel: Reel,
		place: PrivatePlace,
		report: (progress: Progress) => void,
		signal: AbortSignal,
	): Promise<ReviewToSend> {
		const { engine, names } = this.#parts;
		const versions = this.#versions(reel);
		const ranges = rangesOf(this.#settings, reel);
		const chosen = [...this.#settings.shots].sort((a, b) => a - b);
		const { rate } = reel.source;
		const shortest = Math.min(...ranges.map(({ start, end }) => (1000 * (end - start) * rate.den) / rate.num));
		const wishes = wishesOf(this.#settings, reel.source.fingerprint, shortest);
		checkWishes(wishes, versions.made, ranges.length, Date.now());
		const settings = clipSettingsOf(this.#settings, reel.versions);
		const onProgress = (progress: ClipProgress): void => {
			this.#progress = progress;
			report({ phase: 'review', done: progress.done, total: progress.total });
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
