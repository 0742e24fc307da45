/** What crosses the thread with every preview: a name, not the film's index; a new worker is told again. */

import { afterEach, expect, it } from 'vitest';
import type { ViewState } from '../../src/contracts/workers.ts';
import { entry, NEVER, openClip, planOf, quiet, recipe, withEngine } from './pipeline-helpers.ts';

const FRAMES = 28_800;
const state: ViewState = {
	frame: 3,
	mode: 'result',
	wipe: 0.5,
	zoom: 'fit',
	center: { x: 0.5, y: 0.5 },
	view: 'result',
	canvas: { width: 64, height: 48 },
};

const post = Worker.prototype.postMessage;
afterEach(() => {
	Worker.prototype.postMessage = post;
});

/** Records the size as JSON of every message to a worker, by the method it calls. */
function listen(): { readonly method: string; readonly characters: number }[] {
	const seen: { method: string; characters: number }[] = [];
	Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<Worker['postMessage']>) {
		const [message] = args as [{ path?: string[] }];
		if (Array.isArray(message.path)) {
			seen.push({ method: message.path.join('.'), characters: JSON.stringify(message).length });
		}
		post.apply(this, args);
	} as Worker['postMessage'];
	return seen;
}

it('a preview of a long film is a short message; the film is told once a worker', async () => {
	await withEngine(async (engine) => {
		const opened = await openClip(engine, 'p-444-8.mkv');
		// A long scan's index and names, over a short film: only what is asked for is read.
		const { frames } = opened.info;
		const long = {
			...opened.info,
			names: Array.from({ length: FRAMES }, (_, i) => `reel/frame_${String(i).padStart(8, '0')}.dpx`),
			profile: 'x'.repeat(100_000),
		};
		const request = planOf({ id: opened.id, info: long }, recipe(entry('identity')));
		expect(request.info.frames).toBe(frames);
		const canvas = document.createElement('canvas');
		const seen = listen();
		await engine.attachCanvas(canvas.transferControlToOffscreen());
		await engine.plan(request, quiet, NEVER);
		for (const frame of [1, 2, 3]) await engine.view(request, { ...state, frame }, NEVER);
		const first = await engine.still({ ...request }, 3, 'result', NEVER);
		await engine.render(request, { start: 0, end: 2 }, quiet, NEVER);
		const sizes = (method: string): number[] =>
			seen.filter((message) => message.method === method).map((message) => message.characters);
		expect(sizes('know')).toHaveLength(1);
		expect(sizes('know')[0]).toBeGreaterThan(800_000);
		expect(sizes('remember')).toHaveLength(1);
		for (const method of ['plan', 'view', 'still', 'render']) {
			expect(Math.max(...sizes(method)), method).toBeLessThan(2000);
		}

		// The worker that knew it is gone: callers notice nothing.
		engine.crash('restore');
		await new Promise((resolve) => setTimeout(resolve));
		seen.length = 0;
		const again = await engine.still(request, 3, 'result', NEVER);
		expect(sizes('know')).toHaveLength(1);
		expect(sizes('remember')).toHaveLength(1);
		expect(again.rgb).toEqual(first.rgb);

		// A closed source is forgotten.
		await engine.close(opened.id);
		await expect.poll(() => sizes('forget').length).toBe(1);
	});
});
