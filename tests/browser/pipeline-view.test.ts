/** Previews: what is drawn, and which call gives way. */

import { expect, it } from 'vitest';
import type { ViewState } from '../../src/contracts/workers.ts';
import { entry, NEVER, openClip, planOf, recipe, withEngine } from './pipeline-helpers.ts';

function stateOf(frame: number, rest: Partial<ViewState> = {}): ViewState {
	const canvas = { width: 64, height: 48 };
	return {
		frame,
		mode: 'result',
		wipe: 0.5,
		zoom: 'fit',
		center: { x: 0.5, y: 0.5 },
		view: 'result',
		canvas,
		...rest,
	};
}

function canvasOf(): { element: HTMLCanvasElement; offscreen: OffscreenCanvas } {
	const element = document.createElement('canvas');
	element.width = 64;
	element.height = 48;
	document.body.append(element);
	return { element, offscreen: element.transferControlToOffscreen() };
}

/** Brightest sample of what the canvas shows. */
async function brightest(element: HTMLCanvasElement): Promise<number> {
	await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
	const bitmap = await createImageBitmap(element);
	const copy = new OffscreenCanvas(bitmap.width, bitmap.height);
	const context = copy.getContext('2d')!;
	context.drawImage(bitmap, 0, 0);
	return Math.max(...context.getImageData(0, 0, copy.width, copy.height).data.filter((_, i) => i % 4 !== 3));
}

it('draws source, result and wipe, and says what it drew', async () => {
	await withEngine(async (engine) => {
		const source = await openClip(engine, 'p-444-8.mkv');
		const request = planOf(source, recipe(entry('identity')));
		await expect(engine.view(request, stateOf(0), NEVER)).rejects.toMatchObject({ code: 'usage' });
		const { element, offscreen } = canvasOf();
		await engine.attachCanvas(offscreen);
		for (const mode of ['source', 'result', 'wipe'] as const) {
			const drawn = await engine.view(request, stateOf(3, { mode }), NEVER);
			expect(drawn).toMatchObject({ frame: 3, sourceFrame: 3, origin: 'original', rendered: true });
			expect(drawn.size).toEqual({ width: 64, height: 48 });
		}
		expect(await brightest(element)).toBeGreaterThan(150);
		element.remove();
	});
});

it('a newer view supersedes one that still runs', async () => {
	await withEngine(async (engine) => {
		const source = await openClip(engine, 'p-444-8.mkv');
		const request = planOf(source, recipe(entry('identity')));
		const { element, offscreen } = canvasOf();
		await engine.attachCanvas(offscreen);
		const views = await Promise.all([1, 9, 2].map((frame) => engine.view(request, stateOf(frame), NEVER)));
		expect(views.map((v) => v.frame)).toEqual([1, 9, 2]);
		expect(views[2]?.rendered).toBe(true);
		expect(views[0]?.rendered).toBe(false);
		element.remove();
	});
});
