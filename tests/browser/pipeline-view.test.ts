/** Previews: what is drawn, and which call gives way. */

import { expect, it } from 'vitest';
import type { ViewState } from '../../src/contracts/workers.ts';
import { entry, exportFile, exportOf, NEVER, openClip, planOf, recipe, withEngine } from './pipeline-helpers.ts';

const DEGRAIN = { sigma: 20, luma: 1, chroma: 1, temporal: 0 };

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

it('says of a frame what an export says of the film: by pixels, whatever its place in time', async () => {
	await withEngine(async (engine) => {
		const source = await openClip(engine, 'p-444-8.mkv');
		const { element, offscreen } = canvasOf();
		await engine.attachCanvas(offscreen);
		for (const [made, shares] of [
			[recipe(), { original: 1, repaired: 0, generated: 0 }],
			[recipe(entry('identity')), { original: 1, repaired: 0, generated: 0 }],
			[recipe(entry('degrain', { params: DEGRAIN })), { original: 0, repaired: 1, generated: 0 }],
		] as const) {
			const request = planOf(source, made);
			const drawn = await engine.view(request, stateOf(3), NEVER);
			expect(drawn).toMatchObject({ origin: 'original', provenance: shares });
			// The source alone has no result to speak of.
			expect((await engine.view(request, stateOf(3, { mode: 'source' }), NEVER)).provenance).toBeUndefined();
			const range = { start: 3, end: 4 };
			const { report } = await exportFile(engine, exportOf({ ...request, range }, `shares-${made.stages.length}.mkv`));
			expect(report.provenance).toMatchObject(shares);
		}
		// What a stage removed is no result either.
		const request = planOf(source, recipe(entry('degrain', { params: DEGRAIN })));
		const view = 'degrain-0/residual';
		expect((await engine.view(request, stateOf(3, { view }), NEVER)).provenance).toBeUndefined();
		element.remove();
	});
});

it('says what auto stands for in the shot, once it was measured and where the stage acts', async () => {
	await withEngine(async (engine) => {
		const source = await openClip(engine, 'p-444-8.mkv');
		const { element, offscreen } = canvasOf();
		await engine.attachCanvas(offscreen);
		const scope = { range: { start: 0, end: 4 } };
		const request = planOf(source, recipe(entry('degrain', { params: { ...DEGRAIN, sigma: 'auto' }, scope })));
		const at = async (frame: number, mode: ViewState['mode'] = 'result') =>
			(await engine.view(request, stateOf(frame, { mode }), NEVER)).resolved;
		// Looking at the source measures nothing.
		expect(await at(1, 'source')).toEqual({});
		const measured = await at(1);
		expect(measured).toEqual({ 'degrain-0': { sigma: expect.any(Number) as number } });
		expect(measured?.['degrain-0']?.['sigma']).toBeLessThanOrEqual(75);
		expect(await at(2, 'source')).toEqual(measured);
		expect(await at(5)).toEqual({});
		const byHand = planOf(source, recipe(entry('degrain', { params: DEGRAIN })));
		const { resolved } = await engine.view(byHand, stateOf(1), NEVER);
		expect(resolved).toEqual({ 'degrain-0': {} });
		element.remove();
	});
});
