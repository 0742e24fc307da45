/** All of the editor's state, put together, and the verbs that touch more than one part of it. */

import { untrack } from 'svelte';
import type { BackendInfo } from '../contracts/compute.ts';
import type { FrameRange } from '../contracts/frames.ts';
import type { InputFile } from '../contracts/media.ts';
import type { StageMeta } from '../contracts/stage.ts';
import type { BackendWish } from '../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { parseEdl, shotsFromEdl } from '../core/edl.ts';
import { shotIndexAt } from '../core/shots.ts';
import { parseRecipe } from '../project/recipe.ts';
import { emptyProject, type MatteRef, type Project, type Reel } from '../project/schema.ts';
import { parseProject, serializeProject } from '../project/validate.ts';
import { Autosave } from './autosave.svelte.ts';
import type { Capability } from './capability.ts';
import { type Demo, loadDemo } from './demo.ts';
import type { EnginePort } from './engine-port.ts';
import { Exports } from './exports.svelte.ts';
import { classify, download, fetchFile } from './files.ts';
import { I18n } from './i18n/i18n.svelte.ts';
import { Jobs } from './jobs.svelte.ts';
import { Mattes } from './mattes.svelte.ts';
import { Notices } from './notices.svelte.ts';
import { Planner } from './planner.svelte.ts';
import { Player } from './player.svelte.ts';
import { Preferences } from './preferences.svelte.ts';
import { ProjectState } from './project.svelte.ts';
import { Questions } from './questions.svelte.ts';
import { Renders } from './renders.svelte.ts';
import { FollowedReviews } from './review/followed.svelte.ts';
import { ReviewMaking } from './review/making.svelte.ts';
import { type Origin, Sources } from './sources.svelte.ts';
import { Tabs } from './tabs.svelte.ts';
import { Thumbnails } from './thumbnails.svelte.ts';

/** What the backend's badge shows. */
export type BackendState =
	| { readonly kind: 'starting' }
	| { readonly kind: 'ready'; readonly info: BackendInfo }
	| { readonly kind: 'failed'; readonly error: EmulsionError };

/** A part of the reel that can be rendered ahead. */
export interface RenderTarget {
	readonly kind: 'marks' | 'shot' | 'all';
	/** Number of the shot, from 1; 0 where it is none. */
	readonly shot: number;
	/** Source frames; null where there is no such part now. */
	readonly range: FrameRange | null;
}

/** What the composition root hands in. */
export interface WorkspaceOptions {
	readonly engine: EnginePort;
	readonly metas: readonly StageMeta[];
	readonly capabilities: readonly Capability[];
	readonly backend: BackendWish;
}

/** See the file's comment. */
export class Workspace {
	readonly capabilities: readonly Capability[];
	readonly preferences = new Preferences();
	readonly i18n = new I18n(this.preferences);
	readonly notices = new Notices();
	readonly jobs = new Jobs();
	readonly questions = new Questions();
	readonly tabs = new Tabs({
		yield: () => this.autosave.flush(),
		inherit: () => this.#inherit(),
		lost: () => this.notices.say('warning', 'tabs.lost'),
	});
	readonly project: ProjectState;
	readonly sources: Sources;
	readonly mattes: Mattes;
	readonly planner: Planner;
	readonly player: Player;
	readonly renders: Renders;
	readonly exports: Exports;
	readonly reviewMaking: ReviewMaking;
	readonly reviews: FollowedReviews;
	readonly thumbnails: Thumbnails;
	readonly autosave = new Autosave(this.notices, this.preferences);
	readonly #options: WorkspaceOptions;
	#backend = $state.raw<BackendState>({ kind: 'starting' });
	#demo = $state.raw<Demo | null>(null);
	#selectedStage = $state<string | null>(null);
	#ready = $state(false);
	/** What is dropped before the last project is back goes into that one. */
	#recalled: Promise<void> = Promise.resolve();
	/** The project that this browser keeps. */
	#shared = $state<string | null>(null);

	constructor(options: WorkspaceOptions) {
		const { engine } = options;
		this.#options = options;
		this.capabilities = options.capabilities;
		this.project = new ProjectState(options.metas, this.notices, () => this.locked);
		this.sources = new Sources(engine, this.project, this.jobs, this.notices, this.questions);
		this.mattes = new Mattes(engine, this.project, this.sources, this.jobs, this.questions);
		this.planner = new Planner(engine, this.project, this.sources, this.mattes, this.jobs);
		this.player = new Player(engine, this.project, this.planner, this.preferences, this.notices);
		this.renders = new Renders(engine, this.jobs);
		this.exports = new Exports(engine, this.jobs);
		const { jobs, planner, project, i18n } = this;
		const names = {
			version: (id: string) => i18n.t(id === 'source' ? 'making.versionSource' : 'making.versionCurrent'),
			shot: (index: number) => i18n.t('making.shotName', { number: index + 1 }),
			question: () => i18n.t('making.questionDefault'),
		};
		this.reviewMaking = new ReviewMaking({ engine, jobs, planner, project, names });
		this.reviews = new FollowedReviews(project, options.metas);
		const busy = (): boolean => this.player.drawing || this.player.speed !== 0 || this.jobs.list.length > 0;
		this.thumbnails = new Thumbnails(engine, busy);
	}

	get backend(): BackendState {
		return this.#backend;
	}

	/** The demo reel of this installation; null where there is none. */
	get demo(): Demo | null {
		return this.#demo;
	}

	/** True when the last project was looked for and the editor may be used. */
	get ready(): boolean {
		return this.#ready;
	}

	/** True while another tab holds the project on screen. */
	get locked(): boolean {
		return this.tabs.role === 'guest' && this.project.project.id === this.#shared;
	}

	get selectedStage(): string | null {
		return this.#selectedStage;
	}

	selectStage(id: string | null): void {
		this.#selectedStage = id;
	}

	/** Starts everything: effects, the last project, the engine. Returns the end of it. */
	start(): () => void {
		const stopEffects = $effect.root(() => {
			$effect(() => {
				const { project } = this.project;
				if (!this.#ready || !this.tabs.holds) return;
				untrack(() => {
					this.#shared = project.id;
					this.autosave.schedule(project);
				});
			});
			$effect(() => {
				const { request } = this.planner;
				untrack(() => {
					this.renders.reset(request);
					void this.planner.follow();
				});
			});
			$effect(() => {
				void this.planner.planned;
				untrack(() => this.player.replan());
			});
			$effect(() => this.player.follow());
			$effect(() => {
				void this.project.project.reels.length;
				untrack(() => void this.sources.prune());
			});
			$effect(() => {
				void this.mattes.wanted;
				untrack(() => void this.notices.guard(() => this.mattes.sync()));
			});
		});
		const offRestart = this.#options.engine.onRestart((worker) => {
			if (worker !== 'restore') return;
			this.player.restarted();
			this.renders.reset(null);
			this.notices.say('warning', 'engine.restarted');
		});
		const hidden = (): void => void this.autosave.flush();
		addEventListener('pagehide', hidden);
		document.addEventListener('visibilitychange', hidden);
		void this.#restore();
		const stopReviews = this.reviews.start();
		return () => {
			stopReviews();
			stopEffects();
			offRestart();
			removeEventListener('pagehide', hidden);
			document.removeEventListener('visibilitychange', hidden);
			this.player.close();
			this.tabs.close();
		};
	}

	/** The project of the last visit, or a new one. */
	async #recall(): Promise<void> {
		this.project.replace(emptyProject(crypto.randomUUID(), ''));
		await this.tabs.start();
		const restored = await this.autosave.restore(this.#options.metas);
		if (restored) this.#show(restored);
	}

	async #restore(): Promise<void> {
		await (this.#recalled = this.#recall());
		this.#demo = await loadDemo();
		this.#ready = true;
		try {
			this.#backend = { kind: 'ready', info: await this.#options.engine.start(this.#options.backend) };
		} catch (thrown) {
			this.#backend = { kind: 'failed', error: toEmulsionError(thrown) };
			this.notices.report(thrown);
			return;
		}
		await this.notices.guard(() => this.exports.refresh());
		const reel = this.project.reel;
		if (reel?.source.url !== undefined) await this.reopen(reel);
	}

	#show(project: Project): void {
		this.#shared = project.id;
		this.project.replace(project);
	}

	/** The other tab let go: its last state is shown here, unless this tab works on a project of its own. */
	async #inherit(): Promise<void> {
		const own = this.project.project;
		const kept = await this.autosave.restore(this.#options.metas);
		if (!kept) return;
		if (kept.id === own.id || own.reels.length === 0) this.#show(kept);
		else await this.autosave.keepAside(kept);
	}

	/** Opens whatever files were chosen or dropped: a film, a sequence, a project, an EDL, a recipe. */
	async openFiles(files: readonly InputFile[], origin: Origin = {}): Promise<void> {
		await this.#recalled;
		await this.notices.guard(async () => {
			const opened = classify(files);
			if (opened.kind === 'source') await this.#openSource(opened.input, origin);
			else if (opened.kind === 'project') await this.openProject(opened.file);
			else if (opened.kind === 'edl') await this.importEdl(opened.file);
			else await this.importRecipe(opened.file);
		});
	}

	/** Opens files as a matte of the reel on screen: a new one, or the one that is given again. */
	async openMatte(files: readonly InputFile[], matte?: MatteRef): Promise<void> {
		await this.notices.guard(async () => {
			const { reel } = this.project;
			const opened = classify(files);
			if (opened.kind !== 'source') {
				throw new EmulsionError('usage', phrase('matte-kind'));
			}
			if (!reel) return;
			if (matte) await this.mattes.relink(reel, matte, opened.input);
			else await this.mattes.add(reel, opened.input);
		});
	}

	/** Opens a film of this origin. */
	async openUrl(url: string, origin: Origin = {}): Promise<Reel | undefined> {
		return this.notices.guard(async () => {
			const file = await this.jobs.run('fetch', url, (report, signal) =>
				fetchFile(url, (done, total) => report({ phase: 'fetch', done, total }), signal),
			);
			return this.#openSource({ kind: 'file', files: [file] }, { ...origin, url });
		});
	}

	/** Opens the demo reel with its recipe. */
	async openDemo(): Promise<void> {
		const demo = this.#demo;
		if (!demo) return;
		const reel = await this.openUrl(demo.url);
		if (!reel || reel.recipe.stages.length > 0) return;
		await this.notices.guard(() => {
			const recipe = parseRecipe(demo.recipe, this.#options.metas);
			this.project.run({ type: 'recipe', reel: reel.id, recipe });
			this.#selectedStage = recipe.stages[0]?.id ?? null;
		});
	}

	/** Opens a reel's source again: by its address, where it has one. */
	async reopen(reel: Reel): Promise<void> {
		if (reel.source.url !== undefined) await this.openUrl(reel.source.url, { reel: reel.id });
	}

	async #openSource(input: Parameters<Sources['open']>[0], origin: Origin): Promise<Reel> {
		const { reel } = await this.sources.open(input, origin);
		if (this.project.project.name === '') this.project.run({ type: 'rename', name: stem(reel.source.name) });
		if (reel.shots === null) void this.notices.guard(() => this.sources.detectShots(reel));
		return reel;
	}

	/** A new, empty project; the old one stays in its file, if it was saved. */
	newProject(): void {
		this.project.replace(emptyProject(crypto.randomUUID(), ''));
		this.#selectedStage = null;
	}

	async openProject(file: File): Promise<void> {
		this.project.replace(parseProject(await file.text(), this.#options.metas));
		const reel = this.project.reel;
		if (reel?.source.url !== undefined) await this.reopen(reel);
	}

	saveProject(): void {
		const { project } = this.project;
		download(
			new Blob([serializeProject(project)], { type: 'application/json' }),
			`${project.name || 'project'}.emulsion`,
		);
	}

	/** Takes the cuts of an EDL for the reel on screen. */
	async importEdl(file: File): Promise<void> {
		const reel = this.project.reel;
		if (!reel) return this.notices.say('warning', 'edl.noReel');
		const { base } = reel.numbering;
		const edl = parseEdl(await file.text(), base);
		this.project.run({ type: 'shots', reel: reel.id, shots: shotsFromEdl(edl, reel.source.frames) });
	}

	/** Takes the stages of a recipe file for the reel on screen. */
	async importRecipe(file: File): Promise<void> {
		const reel = this.project.reel;
		if (!reel) return this.notices.say('warning', 'recipe.noReel');
		const recipe = parseRecipe(await file.text(), this.#options.metas);
		this.project.run({ type: 'recipe', reel: reel.id, recipe });
	}

	/** Saves the recipe of the reel on screen, as the terminal reads it. */
	saveRecipe(): void {
		const reel = this.project.reel;
		if (!reel) return;
		const text = `${JSON.stringify(reel.recipe, null, '\t')}\n`;
		download(new Blob([text], { type: 'application/json' }), `${stem(reel.source.name)}.recipe.json`);
	}

	/** What "Restore" may mean, the usual first: in to out where either is set, else the shot under the playhead, else all. */
	get renderTargets(): readonly RenderTarget[] {
		const { reel } = this.project;
		const { marks, source, shots } = reel ?? {};
		const marked = marks && source && (marks.in !== null || marks.out !== null);
		const index = shots ? shotIndexAt(shots, this.player.sourceFrame) : -1;
		const shot = shots?.[index];
		return [
			{ kind: 'marks', shot: 0, range: marked ? { start: marks.in ?? 0, end: marks.out ?? source.frames } : null },
			{ kind: 'shot', shot: index + 1, range: shot ? { start: shot.start, end: shot.end } : null },
			{ kind: 'all', shot: 0, range: source ? { start: 0, end: source.frames } : null },
		];
	}

	/** Source range of the usual {@link renderTargets}. */
	get renderRange(): FrameRange | null {
		return this.renderTargets.find(({ range }) => range !== null)?.range ?? null;
	}

	/** Renders a target, or the usual one, into the frame store. */
	async render(target?: RenderTarget): Promise<void> {
		const [range, reel] = [target?.range ?? this.renderRange, this.project.reel];
		if (!this.planner.request || !range || !reel) return;
		this.player.stop();
		await this.notices.guard(() => this.renders.render(() => this.planner.ready(), range, reel.source.name));
	}

	/** Sets the in or the out point at the playhead; out includes the frame. */
	mark(which: 'in' | 'out'): void {
		const { reel } = this.project;
		if (!reel) return;
		const frame = this.player.sourceFrame;
		const marks = which === 'in' ? { ...reel.marks, in: frame } : { ...reel.marks, out: frame + 1 };
		this.project.run({ type: 'marks', reel: reel.id, marks });
	}

	clearMarks(): void {
		const { reel } = this.project;
		if (reel) this.project.run({ type: 'marks', reel: reel.id, marks: { in: null, out: null } });
	}
}

/** A file's name without its folder and extension. */
export function stem(name: string): string {
	return name.replace(/^.*\//, '').replace(/\.[^.]*$/, '') || name;
}
