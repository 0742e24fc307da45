/**
 * A worker that blocks its own thread cannot time itself out. It says on a port what a run may take, and the owner ends the
 * worker when that passes without the run's end.
 */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';

/** A run began, with what it may take at most; or null: it ended. */
export type WatchMessage = { readonly what: string; readonly allowanceMs: number } | null;

/** The worker's side. */
export function reportRuns(
	port: MessagePort,
): (watch: { readonly what: string; readonly deadline: number } | undefined) => void {
	return (watch) => {
		// Clocks of two threads differ: what crosses is a span.
		const message: WatchMessage = watch
			? { what: watch.what, allowanceMs: Math.max(0, watch.deadline - performance.now()) }
			: null;
		port.postMessage(message);
	};
}

/** The owner's side: `onOverdue` is told once when a run is past its allowance. Returns a function that stops watching. */
export function watchRuns(port: MessagePort, onOverdue: (error: EmulsionError) => void): () => void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	port.onmessage = ({ data }: MessageEvent<WatchMessage>) => {
		clearTimeout(timer);
		if (!data) return;
		timer = setTimeout(() => {
			const seconds = Math.round(data.allowanceMs / 1000);
			onOverdue(new EmulsionError('timeout', phrase('overdue', { what: data.what, seconds }), { retryable: true }));
		}, data.allowanceMs);
	};
	return () => {
		clearTimeout(timer);
		port.close();
	};
}
