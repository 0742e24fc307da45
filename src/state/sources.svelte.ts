/** Open sources and the reels they belong to: opening, relinking with a fingerprint check, shot detection. */

import { SvelteMap } from 'svelte/reactivity';
import type { SourceInfo, SourceInput } from '../contracts/media.ts';
import type { SourceId } from '../contracts/workers.ts';
import { toEmulsionError } from '../core/errors.ts';
import type { Shot } from '../core/shots.ts';
import { newReel, numberingOf, type Reel, reelById, shotsOf, type SourceRef, sourceRef } from '../project/schema.ts';
import type { EnginePort } from './engine-port.ts';
import type { Jobs } from './jobs.svelte.ts';
import type { Notices } from './notices.svelte.ts';
import type { ProjectState } from './project.svelte.ts';
import type { Questions } from './questions.svelte.ts';

/** A source the engine holds open. */
export interface OpenSource {
	readonly id: SourceId;
	readonly info: SourceInfo;
	readonly input: SourceInput;
}

/** What is known about where a source came from. */
export interface Origin {
	readonly url?: string;
	/** The reel that is to be linked again; absent: whichever has this fingerprint, else a new one. */
	readonly reel?: string;
}

/** See the file's comment. */
export class Sources {
	readonly #engine: EnginePort;
	readonly #project: ProjectState;
	readonly #jobs: Jobs;
	readonly #notices: Notices;
	readonly #questions: Questions;
	/** By reel. */
	readonly #open = new SvelteMap<string, OpenSource>();

	constructor(engine: EnginePort, project: ProjectState, jobs: Jobs, notices: Notices, questions: Questions) {
		this.#engine = engine;
		this.#project = project;
		this.#jobs = jobs;
		this.#notices = notices;
		this.#questions = questions;
	}

	/** The open source of a reel. */
	of(reel: Reel | undefined): OpenSource | undefined {
		return reel && this.#open.get(reel.id);
	}

	/** Probes and links a source. Gives its reel, and whether that is new; throws what probing throws, `aborted` included. */
	async open(input: SourceInput, origin: Origin): Promise<{ readonly reel: Reel; readonly fresh: boolean }> {
		const known = reelById(this.#project.project, origin.reel ?? null)?.source;
		const source = await this.#probe({
			...input,
			...(known?.transfer === undefined ? {} : { transfer: known.transfer }),
			...(known?.kind === 'sequence' ? { rate: known.rate } : {}),
		});
		try {
			return await this.#link(source, origin);
		} catch (error) {
			await this.#engine.close(source.id).catch(() => undefined);
			throw error;
		}
	}

	/**
	 * Looks for shots and puts them into the reel, as a step that can be undone. Where shots were set by hand or by an EDL the restorer
	 * is asked first (`aborted` where that is canceled); edits meanwhile win.
	 */
	async detectShots(reel: Reel): Promise<void> {
		const source = this.of(reel);
		if (!source) return;
		const edited = reel.shots?.filter((shot) => shot.source !== 'detected').length ?? 0;
		if (reel.shots && edited > 0) await this.#questions.ask({ kind: 'detect', edited, shots: reel.shots.length });
		const take = (shots: readonly Shot[]): void => {
			const now = reelById(this.#project.project, reel.id);
			if (now && now.shots === reel.shots) this.#project.run({ type: 'shots', reel: reel.id, shots });
		};
		let shots: readonly Shot[];
		try {
			shots = await this.#jobs.run('shots', source.info.name, (report, signal) =>
				this.#engine.shots(source.id, source.info, report, signal),
			);
		} catch (error) {
			// Canceled or failed: a new reel is one shot, to be cut by hand; another keeps its shots.
			if (!reel.shots) take(shotsOf({ source: reel.source, shots: null }));
			throw error;
		}
		take(shots);
	}

	/** Another answer to what the source does not say (transfer, or a sequence's rate): it is opened again with it. */
	async reinterpret(reel: Reel, answer: Pick<SourceInput, 'transfer' | 'rate'>): Promise<void> {
		const source = this.of(reel);
		if (!source) return;
		const again = await this.#probe({ ...source.input, ...answer });
		const { transfer } = again.input;
		const reference = { ...reel.source, rate: again.info.rate, ...(transfer === undefined ? {} : { transfer }) };
		this.#set(reel.id, again);
		this.#project.run({ type: 'relink', reel: reel.id, source: reference });
	}

	/** Closes the sources of reels that are gone and that neither undo nor redo can bring back. */
	async prune(): Promise<void> {
		const gone = [...this.#open].filter(([id]) => !this.#project.remembers(id));
		for (const [id] of gone) this.#open.delete(id);
		await Promise.all(gone.map(([, source]) => this.#engine.close(source.id).catch(() => undefined)));
	}

	async #probe(first: SourceInput): Promise<OpenSource> {
		const name = first.files[0]?.path ?? '';
		const attempt = async (given: SourceInput): Promise<OpenSource> => {
			const opened = await this.#jobs.run('probe', name, (report, signal) => this.#engine.open(given, report, signal));
			return { ...opened, input: given };
		};
		let source: OpenSource | undefined;
		try {
			source = await attempt(first);
		} catch (thrown) {
			if (toEmulsionError(thrown).code !== 'transfer-unknown') throw thrown;
		}
		if (source && (source.info.color.transfer !== 'unknown' || first.transfer !== undefined)) return source;
		// Never a guess: an untagged source is opened again with the restorer's answer.
		try {
			const transfer = await this.#questions.ask({ kind: 'transfer', name, info: source?.info ?? null });
			return await attempt({ ...first, transfer });
		} finally {
			if (source) await this.#engine.close(source.id).catch(() => undefined);
		}
	}

	async #link(source: OpenSource, origin: Origin): Promise<{ readonly reel: Reel; readonly fresh: boolean }> {
		const { info, input } = source;
		const extra = {
			...(origin.url === undefined ? {} : { url: origin.url }),
			...(input.transfer === undefined ? {} : { transfer: input.transfer }),
		};
		const reference = sourceRef(info, extra);
		const wanted = reelById(this.#project.project, origin.reel ?? null);
		const twin = this.#project.project.reels.find((r) => r.source.fingerprint === info.fingerprint);
		if (wanted && wanted.source.fingerprint !== info.fingerprint) {
			const answer = await this.#questions.ask({
				kind: 'relink',
				what: 'reel',
				expected: wanted.source,
				found: info,
				fits: fits(wanted.source, info),
			});
			if (answer === 'link') return this.#attach(wanted, source, reference);
		} else if (wanted ?? twin) {
			const reel = wanted ?? (twin as Reel);
			return this.#attach(reel, source, { ...reel.source, ...extra });
		}
		const reel = newReel(crypto.randomUUID(), reference, numberingOf(info));
		this.#project.run({ type: 'add-reel', reel });
		this.#set(reel.id, source);
		return { reel, fresh: true };
	}

	#attach(reel: Reel, source: OpenSource, reference: SourceRef): { readonly reel: Reel; readonly fresh: boolean } {
		if (JSON.stringify(reel.source) !== JSON.stringify(reference)) {
			this.#project.run({ type: 'relink', reel: reel.id, source: reference });
		}
		this.#project.run({ type: 'activate-reel', reel: reel.id });
		this.#set(reel.id, source);
		return { reel: reelById(this.#project.project, reel.id) ?? reel, fresh: false };
	}

	#set(reel: string, source: OpenSource): void {
		const old = this.#open.get(reel);
		this.#open.set(reel, source);
		if (old) void this.#notices.guard(() => this.#engine.close(old.id));
	}
}

/** True where another file can stand in for the one the project knows: shots and marks then still mean something. */
function fits(expected: SourceRef, found: SourceInfo): boolean {
	return (
		expected.frames === found.frames.length &&
		expected.size.width === found.size.width &&
		expected.size.height === found.size.height
	);
}
