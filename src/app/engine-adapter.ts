/** The engine (`src/services/engine.ts`) as the editor's state wants it. The engine is made when the editor asks for it. */

import { createEngine, type Engine } from '../services/engine.ts';
import type { EnginePort } from '../state/engine-port.ts';
import type { BackendWish } from '../contracts/workers.ts';

/**
 * An engine port over the four workers, on the backend that {@link EnginePort.start} will be asked for: a film may be dropped
 * before that.
 */
export function connectEngine(first: BackendWish): EnginePort {
	const listeners = new Set<(worker: string) => void>();
	let wish = first;
	let made: Engine | undefined;
	const engine = (): Engine =>
		(made ??= createEngine({ backend: wish, onRestart: (worker) => listeners.forEach((tell) => tell(worker)) }));
	return {
		start(backend) {
			if (backend !== wish) made?.dispose();
			if (backend !== wish) made = undefined;
			wish = backend;
			return engine().backend();
		},
		open: (input, onProgress, signal) => engine().open(input, onProgress, signal),
		close: (id) => engine().close(id),
		sound: (id, request, signal) => engine().sound(id, request, signal),
		shots: (id, info, onProgress, signal) => engine().shots({ id, info }, onProgress, signal),
		attachCanvas: (canvas) => engine().attachCanvas(canvas),
		plan: (request, onProgress, signal) => engine().plan(request, onProgress, signal),
		view: (request, state, signal) => engine().view(request, state, signal),
		render: (request, range, onProgress, signal) => engine().render(request, range, onProgress, signal),
		export: (request, onProgress, signal) => engine().export(request, onProgress, signal),
		measure: (request, onProgress, signal) => engine().measure(request, onProgress, signal),
		codecLoss: (request, onProgress, signal) => engine().codecLoss(request, onProgress, signal),
		cropPlace: (versions, signal) => engine().cropPlace(versions, signal),
		interrupted: () => engine().interrupted(),
		discard: (job) => engine().discard(job),
		still: (request, frame, view, signal) => engine().still(request, frame, view, signal),
		onRestart(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
