/** Exports: the dialog's settings, the run, its report, and jobs of an earlier visit that can go on. */

import type { ContainerId, EncodeCodec, StretchMode } from '../contracts/media.ts';
import type { ExportReport } from '../contracts/report.ts';
import type { ExportRequest, PlanRequest, TargetSpec } from '../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { Marks } from '../project/schema.ts';
import { isReviewFile } from '../services/review/work.ts';
import type { EnginePort, InterruptedJob } from './engine-port.ts';
import { containerOption } from './export-options.ts';
import { recallExport, rememberExport } from './export-memory.ts';
import { download, pickers } from './files.ts';
import type { Jobs } from './jobs.svelte.ts';
import { opfsFolder, packFolder } from './opfs.ts';

/** Where the result goes. */
export type Destination = 'download' | 'file' | 'folder';

/** What the dialog decides. */
export interface ExportSettings {
	readonly container: ContainerId;
	readonly codec: EncodeCodec;
	/** `source`: as deep as the source where the codec holds it. */
	readonly depth: number | 'source';
	readonly quality: number | null;
	readonly engine: 'software' | 'webcodecs';
	readonly audio: number | 'first' | 'none';
	/** Null until chosen; needed where the plan stretches time. */
	readonly stretchMode: StretchMode | null;
	readonly range: 'all' | 'marks';
	readonly destination: Destination;
	readonly name: string;
}

/** A finished or failed export, as the dialog shows it. */
export type ExportOutcome =
	| { readonly kind: 'done'; readonly report: ExportReport; readonly folder: string | null; readonly name: string }
	| { readonly kind: 'failed'; readonly error: EmulsionError };

/** Settings for a container, its first codec and that codec's defaults. */
export function settingsFor(container: ContainerId, base: ExportSettings): ExportSettings {
	const option = containerOption(container);
	const codec = option.codecs[0];
	if (!codec) return base;
	const destination = base.destination === 'download' ? 'download' : option.sequence ? 'folder' : 'file';
	return {
		...base,
		container,
		codec: codec.codec,
		depth: 'source',
		quality: codec.quality?.default ?? null,
		engine: codec.engines[0] ?? 'software',
		destination,
	};
}

const INITIAL: ExportSettings = {
	container: 'mp4',
	codec: 'h264',
	depth: 'source',
	quality: 16,
	engine: 'software',
	audio: 'first',
	stretchMode: null,
	range: 'all',
	destination: 'download',
	name: '',
};

/** See the file's comment. */
export class Exports {
	readonly #engine: EnginePort;
	readonly #jobs: Jobs;
	#open = $state(false);
	#settings = $state.raw<ExportSettings>(INITIAL);
	#outcome = $state.raw<ExportOutcome | null>(null);
	#interrupted = $state.raw<readonly InterruptedJob[]>([]);
	#resume: InterruptedJob | null = $state.raw(null);

	constructor(engine: EnginePort, jobs: Jobs) {
		this.#engine = engine;
		this.#jobs = jobs;
	}

	get open(): boolean {
		return this.#open;
	}

	get settings(): ExportSettings {
		return this.#settings;
	}

	get outcome(): ExportOutcome | null {
		return this.#outcome;
	}

	/** Jobs that can go on. */
	get interrupted(): readonly InterruptedJob[] {
		return this.#interrupted;
	}

	/** The interrupted job that the next export goes on with. */
	get resuming(): InterruptedJob | null {
		return this.#resume;
	}

	/** Opens the dialog. `marked`: in or out is set, and is what an export begins with; an interrupted job keeps its own range. */
	show(
		name: string,
		{ resume = null, marked = false }: { resume?: InterruptedJob | null; marked?: boolean } = {},
	): void {
		const known = resume ? recallExport(resume.name) : undefined;
		const range = marked ? 'marks' : 'all';
		this.#settings = known ?? { ...this.#settings, name: this.#settings.name || name, range };
		this.#resume = resume;
		this.#outcome = null;
		this.#open = true;
	}

	hide(): void {
		this.#open = false;
	}

	set(change: Partial<ExportSettings>): void {
		this.#settings =
			change.container !== undefined && change.container !== this.#settings.container
				? { ...settingsFor(change.container, this.#settings), ...change }
				: { ...this.#settings, ...change };
	}

	/** Looks for interrupted jobs. */
	async refresh(): Promise<void> {
		const jobs = await this.#engine.interrupted();
		// A review's clips go on with their review.
		this.#interrupted = jobs.filter(({ name }) => !isReviewFile(name));
	}

	async discard(job: string): Promise<void> {
		await this.#engine.discard(job);
		if (this.#resume?.id === job) this.#resume = null;
		await this.refresh();
	}

	/**
	 * Runs the export. The destination is asked first, while the click still counts as the restorer's. What fails is the
	 * outcome; a pausing error (a full disk) leaves a job that can go on.
	 */
	async run(request: PlanRequest, marks: Marks, frames: number): Promise<void> {
		const settings = this.#settings;
		try {
			const { target, folder, name } = await this.#target(settings);
			rememberExport({ ...settings, name });
			this.#outcome = null;
			const range = settings.range === 'marks' ? { start: marks.in ?? 0, end: marks.out ?? frames } : undefined;
			const full: ExportRequest = {
				...request,
				...exportFields(settings),
				...(range ? { range } : {}),
				target,
				name,
				...(this.#resume ? { resume: this.#resume.id } : {}),
			};
			const report = await this.#jobs.run('export', name, (progress, signal) =>
				this.#engine.export(full, progress, signal),
			);
			this.#resume = null;
			this.#outcome = { kind: 'done', report, folder, name };
			if (folder !== null) await this.save(folder, name);
		} catch (thrown) {
			const error = toEmulsionError(thrown);
			this.#outcome = error.code === 'aborted' ? null : { kind: 'failed', error };
		} finally {
			await this.refresh().catch(() => undefined);
		}
	}

	/** Downloads what lies in the private file system: the file, or all frames in one archive. */
	async save(folder: string, name: string): Promise<void> {
		const directory = await opfsFolder(folder);
		const packed = await packFolder(directory, name.replace(/\.[^.]*$/, '').replace(/%\d*d/, 'frames'));
		download(packed.blob, packed.name);
	}

	async #target(
		settings: ExportSettings,
	): Promise<{ readonly target: TargetSpec; readonly folder: string | null; readonly name: string }> {
		const { name, destination } = settings;
		if (destination === 'folder') {
			const pick = pickers().showDirectoryPicker;
			if (!pick) throw new EmulsionError('capability-missing', phrase('no-folder-picker'));
			return {
				target: { kind: 'directory', handle: await pick.call(window, { mode: 'readwrite' }) },
				folder: null,
				name,
			};
		}
		if (destination === 'file') {
			const pick = pickers().showSaveFilePicker;
			if (!pick) throw new EmulsionError('capability-missing', phrase('no-file-picker'));
			const handle = await pick.call(window, { suggestedName: name });
			return { target: { kind: 'file', handle }, folder: null, name: handle.name };
		}
		const folder = this.#resume ? `exports-${this.#resume.id}` : `exports-${crypto.randomUUID()}`;
		return { target: { kind: 'opfs', folder }, folder, name };
	}
}

/** The settings as the engine wants them: what follows the source is absent. */
export function exportFields(
	settings: ExportSettings,
): Pick<ExportRequest, 'container' | 'codec' | 'engine' | 'depth' | 'quality' | 'audio' | 'stretchMode'> {
	const { container, codec, engine, depth, quality, audio, stretchMode } = settings;
	return {
		container,
		codec,
		engine,
		...(depth === 'source' ? {} : { depth }),
		...(quality === null ? {} : { quality }),
		...(audio === 'first' ? {} : { audio }),
		...(stretchMode === null ? {} : { stretchMode }),
	};
}
