/** Long work and its progress: what runs, how far it is, how long it will take, and how to stop it. */

import type { Progress } from '../contracts/frames.ts';
import type { ExportProgress } from '../contracts/workers.ts';
import { throwIfAborted } from '../core/errors.ts';

/** What a job does. */
export type JobKind = 'probe' | 'shots' | 'plan' | 'render' | 'export' | 'fetch' | 'review';

/** A running job. */
export interface Job {
	readonly id: number;
	readonly kind: JobKind;
	readonly label: string;
	readonly phase: string;
	readonly done: number;
	/** 0 while it is not known. */
	readonly total: number;
	readonly framesPerSecond: number | null;
	readonly remainingSeconds: number | null;
	readonly canceling: boolean;
}

/** Running jobs. */
export class Jobs {
	#list = $state.raw<readonly Job[]>([]);
	#controllers: { readonly id: number; readonly kind: JobKind; readonly controller: AbortController }[] = [];
	#next = 1;

	get list(): readonly Job[] {
		return this.#list;
	}

	/** The job shown in the status bar: an export or a render before anything else. */
	get main(): Job | undefined {
		const order: readonly JobKind[] = ['export', 'review', 'render', 'probe', 'fetch', 'plan', 'shots'];
		return [...this.#list].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))[0];
	}

	running(kind: JobKind): boolean {
		return this.#list.some((job) => job.kind === kind);
	}

	cancel(id: number): void {
		this.#update(id, { canceling: true });
		this.#controllers.find((c) => c.id === id)?.controller.abort();
	}

	/** Cancels all jobs of a kind. */
	cancelAll(kind: JobKind): void {
		for (const { id } of this.#controllers.filter((c) => c.kind === kind)) this.cancel(id);
	}

	/**
	 * Runs work as a job. The result counts only if the job was not canceled meanwhile; the job leaves the list whatever
	 * happens. Throws what the work throws. With
	 * `quietMs`, a job that is done sooner is never shown.
	 */
	async run<T>(
		kind: JobKind,
		label: string,
		work: (report: (progress: Progress | ExportProgress) => void, signal: AbortSignal) => Promise<T>,
		quietMs = 0,
	): Promise<T> {
		const id = this.#next++;
		const controller = new AbortController();
		this.#controllers.push({ id, kind, controller });
		const fresh = { phase: '', done: 0, total: 0, framesPerSecond: null, remainingSeconds: null, canceling: false };
		const appear = (): void => {
			this.#list = [...this.#list, { id, kind, label, ...fresh }];
		};
		const timer = quietMs > 0 ? setTimeout(appear, quietMs) : undefined;
		if (quietMs === 0) appear();
		const started = performance.now();
		try {
			const result = await work((p) => this.#update(id, progressOf(p, started)), controller.signal);
			throwIfAborted(controller.signal);
			return result;
		} finally {
			clearTimeout(timer);
			this.#controllers = this.#controllers.filter((c) => c.id !== id);
			this.#list = this.#list.filter((job) => job.id !== id);
		}
	}

	#update(id: number, change: Partial<Job>): void {
		this.#list = this.#list.map((job) => (job.id === id ? { ...job, ...change } : job));
	}
}

/** Progress with a remaining time: the worker's own, else by proportion after the first second. */
function progressOf(progress: Progress | ExportProgress, started: number): Partial<Job> {
	const { phase, done, total } = progress;
	if ('remainingSeconds' in progress) {
		return {
			phase,
			done,
			total,
			framesPerSecond: progress.framesPerSecond,
			remainingSeconds: progress.remainingSeconds,
		};
	}
	const elapsed = (performance.now() - started) / 1000;
	const remainingSeconds = elapsed > 1 && done > 0 && total > done ? (elapsed / done) * (total - done) : null;
	return { phase, done, total, remainingSeconds };
}
