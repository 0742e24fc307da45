/** The last plans with their source readers: scrubbing asks for the same plan again and again. */

import type { PlanRequest } from '../contracts/workers.ts';
import type { Plan } from './plan-types.ts';
import { type Engine, openReader, planKey, planRequest, type RunOptions } from './session.ts';
import type { SourceReader } from './source-reader.ts';

/** A plan with a reader of its source. Borrowed: the cache closes the reader. */
export interface PlannedSource {
	readonly plan: Plan;
	readonly reader: SourceReader;
}

/** Plans kept: the recipe being edited and the one before it. */
const KEPT = 2;

/** See the file's comment. */
export class PlanCache {
	readonly #engine: Engine;
	readonly #plans = new Map<string, PlannedSource>();

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	/** The plan of a request, made at first use. */
	async get(request: PlanRequest, options: RunOptions): Promise<PlannedSource> {
		const key = planKey(this.#engine, request);
		const known = this.#plans.get(key);
		if (known) {
			this.#plans.delete(key);
			this.#plans.set(key, known);
			return known;
		}
		const { plan } = await planRequest(this.#engine, request, options);
		const made: PlannedSource = { plan, reader: await openReader(this.#engine, request) };
		const raced = this.#plans.get(key);
		if (raced) return raced;
		this.#plans.set(key, made);
		for (const [old, { reader }] of this.#plans) {
			if (this.#plans.size <= KEPT) break;
			this.#plans.delete(old);
			// A reader that is closed under a running render opens its stream again: slower, not wrong.
			void reader.close();
		}
		return made;
	}

	/** Closes all readers. */
	async close(): Promise<void> {
		const plans = [...this.#plans.values()];
		this.#plans.clear();
		for (const { reader } of plans) await reader.close();
	}
}
