/** The viewer: both drawers put the same pixels on the canvas. */

import { describe, expect, it } from 'vitest';
import type { Compute, Picture } from '../../src/contracts/compute.ts';
import { storedIndex, upright } from '../../src/core/rotation.ts';
import type { ViewColor, ViewLayout, ViewPictures } from '../../src/gpu/viewer/view.ts';
import { createViewer } from '../../src/gpu/viewer/viewer.ts';
import { makeCpu, maxDifference, noise, withErrorScope } from './kit.ts';

const CANVAS = { width: 60, height: 44 };
const LAYOUT: ViewLayout = { mode: 'result', wipe: 0.5, zoom: 'fit', center: { x: 0.5, y: 0.5 }, canvas: CANVAS };
const COLOR: ViewColor = { transfer: 'bt709', pixelAspect: 1 };
const SOURCE = noise(20 * 16 * 3, 1, -0.1, 1.1);
const RESULT = noise(40 * 32 * 3, 2, -0.1, 1.1);
const KINDS = noise(40 * 32, 3, 0, 3).map(Math.floor);

async function pixels(canvas: OffscreenCanvas): Promise<Uint8ClampedArray> {
	const bitmap = await createImageBitmap(await canvas.convertToBlob());
	const flat = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
	flat.drawImage(bitmap, 0, 0);
	return flat.getImageData(0, 0, bitmap.width, bitmap.height).data;
}

async function drawn(compute: Compute, layout: ViewLayout, color: ViewColor, tint = false): Promise<Uint8ClampedArray> {
	const canvas = new OffscreenCanvas(1, 1);
	const viewer = createViewer(compute, canvas);
	const pictures: ViewPictures & { source: Picture; result: Picture } = {
		source: compute.uploadPicture(SOURCE, 20, 16, 3),
		result: compute.uploadPicture(RESULT, 40, 32, 3),
		...(tint ? { provenance: compute.uploadPicture(KINDS, 40, 32, 1) } : {}),
	};
	await viewer.draw(pictures, layout, color);
	const result = await pixels(canvas);
	viewer.destroy();
	Object.values(pictures).forEach((p: Picture) => p.release());
	return result;
}

const at = (data: Uint8ClampedArray, x: number, y: number): number[] => [
	...data.subarray((y * CANVAS.width + x) * 4, (y * CANVAS.width + x) * 4 + 3),
];
const code = (v: number): number => Math.round(Math.min(1, Math.max(0, v)) * 255);

describe('the viewer', () => {
	const cases: [string, Partial<ViewLayout>, Partial<ViewColor>, boolean][] = [
		['result, fit', {}, {}, false],
		['source, fit', { mode: 'source' }, {}, false],
		['wipe, panned at 2.5×', { mode: 'wipe', wipe: 0.4, zoom: 2.5, center: { x: 0.2, y: 0.7 } }, {}, false],
		['filtered at 0.4×', { zoom: 0.4 }, {}, false],
		['provenance over the result', { zoom: 1 }, {}, true],
		['wide pixels', {}, { pixelAspect: 2 }, false],
		['turned by 90°', { mode: 'wipe', zoom: 1.5 }, { rotation: 90 }, true],
		['turned by 180°', { mode: 'wipe' }, { rotation: 180 }, false],
		['turned by 270°, wide pixels', { zoom: 0.7 }, { rotation: 270, pixelAspect: 1.5 }, true],
		['PQ', {}, { transfer: 'pq' }, false],
		['log', {}, { transfer: 'log' }, false],
	];
	for (const [name, layout, color, tint] of cases) {
		it(`${name}: GPU and CPU agree`, () =>
			withErrorScope(async (compute) => {
				const view = [{ ...LAYOUT, ...layout }, { ...COLOR, ...color }, tint] as const;
				const gpu = await drawn(compute, ...view);
				const cpu = await drawn(makeCpu(), ...view);
				expect(maxDifference(gpu, cpu)).toBeLessThanOrEqual(1);
			}));
	}

	it('shows the picture’s own pixels at 1:1, and the surround beside them', () =>
		withErrorScope(async (compute) => {
			const data = await drawn(compute, { ...LAYOUT, zoom: 1 }, COLOR);
			// 40×32 in 60×44: ten columns and six rows of surround.
			expect(at(data, 0, 0)).toEqual([28, 28, 28]);
			for (const [x, y] of [
				[0, 0],
				[39, 31],
				[17, 5],
			] as const) {
				const expected = [0, 1, 2].map((c) => code(RESULT[(c * 32 + y) * 40 + x] as number));
				expect(maxDifference(at(data, x + 10, y + 6), expected)).toBeLessThanOrEqual(1);
			}
		}));

	it.each([90, 180, 270] as const)('turns the picture by %i° clockwise', (rotation) =>
		withErrorScope(async (compute) => {
			const data = await drawn(compute, { ...LAYOUT, zoom: 1 }, { ...COLOR, rotation });
			const stored = { width: 40, height: 32 };
			const { width, height } = upright(stored, rotation);
			const index = storedIndex(stored, rotation);
			for (const [x, y] of [
				[0, 0],
				[width - 1, 0],
				[width - 1, height - 1],
				[7, 19],
			] as const) {
				const expected = [0, 1, 2].map((c) => code(RESULT[c * 40 * 32 + index(x, y)] as number));
				const [left, top] = [(CANVAS.width - width) / 2, (CANVAS.height - height) / 2];
				expect(maxDifference(at(data, x + left, y + top), expected)).toBeLessThanOrEqual(1);
			}
		}),
	);
});
