/**
 * Names for plan requests that the restore worker has been told: calls carry the name, so that a preview of a long film does
 * not clone its packet index, its file names and its shots again. One instance serves one life of the worker.
 */

import type { SourceInfo } from '../contracts/media.ts';
import type { MatteInput, PlanId, PlanRequest, RestoreWorkerApi, SourceId } from '../contracts/workers.ts';

/** Requests a worker remembers at a time: those being edited, played, drawn small and exported. */
const REMEMBERED = 16;

/** What of the worker is told requests. */
export type PlanListener = {
	[K in 'know' | 'remember' | 'forget']: (...args: Parameters<RestoreWorkerApi[K]>) => Promise<void>;
};

interface Told {
	readonly id: PlanId;
	readonly request: PlanRequest;
}

/** An open matte is its source; all else of it follows. */
function sameMattes(a: readonly MatteInput[] = [], b: readonly MatteInput[] = []): boolean {
	return a.length === b.length && a.every(({ id, source }, i) => id === b[i]?.id && source === b[i]?.source);
}

/** Equal parts make equal requests; each part is told apart by identity, as all of them are immutable. */
function same(a: PlanRequest, b: PlanRequest): boolean {
	return (
		a.source === b.source &&
		a.info === b.info &&
		a.shots === b.shots &&
		a.recipe === b.recipe &&
		a.range?.start === b.range?.start &&
		a.range?.end === b.range?.end &&
		sameMattes(a.mattes, b.mattes)
	);
}

/** See the file's comment. */
export class PlanHandles {
	readonly #worker: PlanListener;
	readonly #sources = new Map<SourceId, SourceInfo>();
	/** Newest last. */
	#told: Told[] = [];
	#next = 1;

	constructor(worker: PlanListener) {
		this.#worker = worker;
	}

	/**
	 * The name of a request. What the worker does not know yet is on its way to it before the name is returned, and messages
	 * keep their order; a worker that ended meanwhile rejects the call that follows.
	 */
	of(request: PlanRequest): PlanId {
		const known = this.#told.find((told) => same(told.request, request));
		if (known) {
			this.#told = [...this.#told.filter((told) => told !== known), known];
			return known.id;
		}
		const { source, info, shots, recipe, range, mattes } = request;
		if (this.#sources.get(source) !== info) {
			this.#sources.set(source, info);
			this.#send(this.#worker.know(source, info));
		}
		const id: PlanId = `plan-${this.#next++}`;
		const parts = { source, shots, recipe, ...(range ? { range } : {}), ...(mattes ? { mattes } : {}) };
		this.#send(this.#worker.remember(id, parts));
		this.#told.push({ id, request });
		if (this.#told.length > REMEMBERED) {
			const oldest = this.#told.shift();
			if (oldest) this.#send(this.#worker.forget(oldest.id));
		}
		return id;
	}

	/** A closed source: its requests, and those whose matte it was, are of no more use. */
	drop(source: SourceId): void {
		const useless = this.#told.filter(
			({ request }) => request.source === source || request.mattes?.some((matte) => matte.source === source),
		);
		for (const { id } of useless) this.#send(this.#worker.forget(id));
		this.#told = this.#told.filter((told) => !useless.includes(told));
		if (this.#sources.delete(source)) this.#send(this.#worker.know(source, undefined));
	}

	/** Failures mean that the worker has ended, which its owner reports. */
	#send(sending: Promise<void>): void {
		sending.catch(() => undefined);
	}
}
