/**
 * Mattes of the project's reels that the engine holds open: adding, choosing the file of one again, closing. A matte belongs
 * to its file, not to its name: it is kept by reel and fingerprint, so that renaming and undo keep it open.
 */

import { SvelteMap } from 'svelte/reactivity';
import type { SourceInput } from '../contracts/media.ts';
import type { MatteInput } from '../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { isPhrase, phrase, type Text } from '../core/phrases.ts';
import { isMatteId } from '../core/regions.ts';
import { EMPTY_RECIPE } from '../project/recipe.ts';
import { type MatteRef, matteRef, type Reel, reelById, shotsOf } from '../project/schema.ts';
import { matteInput } from '../services/matte-input.ts';
import type { EnginePort } from './engine-port.ts';
import type { Jobs } from './jobs.svelte.ts';
import type { ProjectState } from './project.svelte.ts';
import type { Questions } from './questions.svelte.ts';
import type { OpenSource, Sources } from './sources.svelte.ts';

/** See the file's comment. */
export class Mattes {
	readonly #engine: EnginePort;
	readonly #project: ProjectState;
	readonly #sources: Sources;
	readonly #jobs: Jobs;
	readonly #questions: Questions;
	readonly #open = new SvelteMap<string, OpenSource>();
	/** Files of mattes that were open in this tab: undo brings a matte back together with its pictures. */
	readonly #files = new SvelteMap<string, SourceInput>();
	readonly #wanted = $derived.by(() =>
		this.#project.project.reels.flatMap((reel) => reel.mattes.map((matte) => keyOf(reel.id, matte))).join('\n'),
	);

	constructor(engine: EnginePort, project: ProjectState, sources: Sources, jobs: Jobs, questions: Questions) {
		this.#engine = engine;
		this.#project = project;
		this.#sources = sources;
		this.#jobs = jobs;
		this.#questions = questions;
	}

	/** Changes whenever mattes come or go. */
	get wanted(): string {
		return this.#wanted;
	}

	/** True while the matte's pictures can be read. */
	isOpen(reel: string, matte: MatteRef): boolean {
		return this.#open.has(keyOf(reel, matte));
	}

	/** The matte as plans take it; undefined while it is not open. */
	input(reel: string, matte: MatteRef): MatteInput | undefined {
		const source = this.#open.get(keyOf(reel, matte));
		return source && matteInput(matte.id, source.id, source.info);
	}

	/** Opens files as a new matte of a reel. Throws what probing throws, and `usage` for what does not fit the film. */
	async add(reel: Reel, files: SourceInput): Promise<void> {
		const source = await this.#probe(files);
		await this.#keep(reel.id, source, async () => {
			await this.#check(reel, source);
			const now = reelById(this.#project.project, reel.id) ?? reel;
			const matte = matteRef(freeId(now, files), source.info);
			return this.#project.run({ type: 'add-matte', reel: reel.id, matte });
		});
	}

	/** Opens a matte's file again. A file with another fingerprint is asked about; it has to fit the film. */
	async relink(reel: Reel, matte: MatteRef, files: SourceInput): Promise<void> {
		const source = await this.#probe(files);
		await this.#keep(reel.id, source, async () => {
			if (source.info.fingerprint === matte.fingerprint) return true;
			await this.#check(reel, source);
			await this.#questions.ask({ kind: 'relink', what: 'matte', expected: matte, found: source.info, fits: true });
			return this.#project.run({ type: 'relink-matte', reel: reel.id, matte: matteRef(matte.id, source.info) });
		});
	}

	/** Closes mattes that are gone, and opens those again that undo brought back. */
	async sync(): Promise<void> {
		const wanted = this.#wanted.split('\n');
		const gone = [...this.#open].filter(([key]) => !wanted.includes(key));
		for (const [key] of gone) this.#open.delete(key);
		await Promise.all(gone.map(([, source]) => this.#close(source)));
		for (const key of wanted) {
			const files = this.#files.get(key);
			if (files && !this.#open.has(key)) await this.#reopen(key, files);
		}
	}

	async #reopen(key: string, files: SourceInput): Promise<void> {
		// Not tried a second time: what cannot be read is offline, and said to be.
		this.#files.delete(key);
		const source = await this.#probe(files);
		const wanted = this.#wanted.split('\n').includes(key);
		if (wanted && !this.#open.has(key) && key.endsWith(`/${source.info.fingerprint}`)) this.#set(key, source);
		else await this.#close(source);
	}

	/** Keeps a source open where `accept` takes it, else closes it. */
	async #keep(reel: string, source: OpenSource, accept: () => Promise<boolean>): Promise<void> {
		let accepted = false;
		try {
			accepted = await accept();
		} finally {
			if (accepted) this.#set(keyOf(reel, source.info), source);
			else await this.#close(source);
		}
	}

	#set(key: string, source: OpenSource): void {
		const old = this.#open.get(key);
		this.#open.set(key, source);
		this.#files.set(key, source.input);
		if (old) void this.#close(old);
	}

	#close(source: OpenSource): Promise<void> {
		return this.#engine.close(source.id).catch(() => undefined);
	}

	/** Its transfer is never asked: the code values are the matte. */
	async #probe(input: SourceInput): Promise<OpenSource> {
		const name = input.files[0]?.path ?? '';
		const opened = await this.#jobs.run('probe', name, (report, signal) => this.#engine.open(input, report, signal));
		return { ...opened, input };
	}

	/** The engine's own word on whether a matte fits the film. */
	async #check(reel: Reel, { id, info }: OpenSource): Promise<void> {
		const film = this.#sources.of(reel);
		if (!film) throw new EmulsionError('usage', phrase('film-first'));
		const request = { source: film.id, info: film.info, shots: shotsOf(reel), recipe: EMPTY_RECIPE };
		try {
			await this.#jobs.run('probe', info.name, (report, signal) =>
				this.#engine.plan({ ...request, mattes: [matteInput(MATTE, id, info)] }, report, signal),
			);
		} catch (thrown) {
			const error = toEmulsionError(thrown);
			const what = aboutMatte(error.said);
			if (what === undefined) throw error;
			throw new EmulsionError('usage', phrase('about-file', { name: info.name, what }), error.details);
		}
	}
}

/** Stands for a matte that has no name yet. */
const MATTE = 'matte';

/** What the planner says of the matte, without the name that stands for it; undefined where it speaks of something else. */
function aboutMatte(said: Text): Text | undefined {
	if (typeof said === 'string' || said.code !== 'about-matte') return undefined;
	const what = said.values?.['what'];
	return typeof what === 'string' || isPhrase(what) ? what : undefined;
}

function keyOf(reel: string, { fingerprint }: Pick<MatteRef, 'fingerprint'>): string {
	return `${reel}/${fingerprint}`;
}

/** A name made from the file's or the folder's, free in the reel. */
export function freeId(reel: Pick<Reel, 'mattes'>, { kind, files }: SourceInput): string {
	const path = files[0]?.path ?? '';
	const folder = path.split('/').at(-2);
	const several = kind === 'sequence' && files.length > 1;
	const own = (several ? (folder ?? path.replace(/[\d_.-]*\.\w+$/, '')) : path.replace(/^.*\//, ''))
		.replace(/\.\w+$/, '')
		.replace(/[^A-Za-z0-9_.-]+/g, '-')
		.replace(/^[^A-Za-z0-9]+/, '')
		.replace(/-+$/, '')
		.slice(0, 60);
	const base = isMatteId(own) ? own : MATTE;
	for (let n = 1; ; n++) {
		const id = n === 1 ? base : `${base}-${n}`;
		if (!reel.mattes.some((matte) => matte.id === id)) return id;
	}
}
