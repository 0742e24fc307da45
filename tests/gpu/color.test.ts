/** Color conversion: shader and twin agree for every layout, and untouched pictures come back as they were. */

import { describe, expect, it } from 'vitest';
import type { Compute } from '../../src/contracts/compute.ts';
import { frameBytes } from '../../src/core/color.ts';
import type { ChromaLayout, ColorTags, PixelFormat } from '../../src/core/color.ts';
import { planesToRgb } from '../../src/gpu/color/planes-to-rgb.ts';
import { rgbToPlanes } from '../../src/gpu/color/rgb-to-planes.ts';
import { makeCpu, maxDifference, noise, withErrorScope } from './kit.ts';

const SIZE = { width: 21, height: 15 };
const TAGS: ColorTags = {
	primaries: 'bt709',
	transfer: 'bt709',
	matrix: 'bt709',
	range: 'limited',
	chromaLocation: 'left',
};
const LAYOUTS: ChromaLayout[] = ['420', '422', '444', '411', '410', '440', 'rgb', 'gray'];

function format(chroma: ChromaLayout, depth: number, alpha = false): PixelFormat {
	return { chroma, depth, sample: depth === 8 ? 'u8' : depth === 32 ? 'f32' : 'u16', alpha };
}

/** A random packed frame; the odd size puts planes at offsets that are no multiple of 4. */
function frame(f: PixelFormat, seed: number): ArrayBuffer {
	const each = f.sample === 'u8' ? 1 : f.sample === 'u16' ? 2 : 4;
	const count = frameBytes(f, SIZE) / each;
	if (f.sample === 'f32') return noise(count, seed, -0.1, 1.5).buffer;
	const codes = noise(count, seed, 0, 2 ** f.depth).map(Math.floor);
	return (f.sample === 'u8' ? Uint8Array.from(codes) : Uint16Array.from(codes)).buffer as ArrayBuffer;
}

function codes(buffer: ArrayBuffer, f: PixelFormat): Uint8Array | Uint16Array | Float32Array {
	const bytes = buffer.slice(0, frameBytes(f, SIZE));
	return f.sample === 'u8'
		? new Uint8Array(bytes)
		: f.sample === 'u16'
			? new Uint16Array(bytes)
			: new Float32Array(bytes);
}

async function roundTrip(
	compute: Compute,
	data: ArrayBuffer,
	f: PixelFormat,
	tags: ColorTags,
): Promise<{ rgb: Float32Array; back: Uint8Array | Uint16Array | Float32Array }> {
	const params = { format: f, size: SIZE, tags };
	const planes = compute.upload(data);
	const rgb = planesToRgb(compute, planes, params);
	const packed = rgbToPlanes(compute, rgb, params, { seed: 3 });
	const result = {
		rgb: new Float32Array(await compute.readback(rgb)),
		back: codes(await compute.readback(packed), f),
	};
	[planes, rgb, packed].forEach((block) => block.release());
	return result;
}

describe('planes to R′G′B′ and back', () => {
	const cases: [PixelFormat, ColorTags][] = [];
	for (const chroma of LAYOUTS) {
		for (const depth of [8, 10, 12, 16]) cases.push([format(chroma, depth), TAGS]);
	}
	cases.push([format('rgb', 32), { ...TAGS, range: 'full' }], [format('gray', 32), TAGS]);
	cases.push([format('444', 10, true), TAGS], [format('rgb', 8, true), { ...TAGS, range: 'full' }]);
	for (const matrix of ['rgb', 'fcc', 'smpte170m', 'smpte240m', 'bt2020nc', 'ycgco', 'unknown'] as const) {
		cases.push([format('444', 10), { ...TAGS, matrix, range: 'full' }]);
	}
	for (const chromaLocation of ['center', 'topleft', 'unspecified'] as const) {
		cases.push([format('420', 10), { ...TAGS, chromaLocation }]);
	}
	for (const [f, tags] of cases) {
		const name = `${f.chroma}${f.alpha ? 'a' : ''} ${f.depth} bit, ${tags.matrix} ${tags.range} ${tags.chromaLocation}`;
		it(name, () =>
			withErrorScope(async (compute) => {
				const data = frame(f, 7);
				const shader = await roundTrip(compute, data, f, tags);
				const twin = await roundTrip(makeCpu(), data, f, tags);
				expect(maxDifference(shader.rgb, twin.rgb)).toBeLessThan(1e-5);
				const source = codes(data, f);
				const colors = f.alpha ? source.length - SIZE.width * SIZE.height : source.length;
				const tolerance = f.sample === 'f32' ? 1e-5 : 0;
				for (const { back } of [shader, twin]) {
					expect(maxDifference(back.subarray(0, colors), source.subarray(0, colors))).toBeLessThanOrEqual(tolerance);
				}
				if (f.alpha) expect(shader.back[colors]).toBe(2 ** f.depth - 1);
			}),
		);
	}

	it('quantizes foreign values alike on both backends', () =>
		withErrorScope(async (compute) => {
			for (const f of [format('420', 8), format('422', 10), format('411', 8), format('444', 12)]) {
				const params = { format: f, size: SIZE, tags: { ...TAGS, chromaLocation: 'topleft' as const } };
				const values = noise(SIZE.width * SIZE.height * 3, 11, -0.1, 1.1);
				const out: (Uint8Array | Uint16Array | Float32Array)[] = [];
				for (const backend of [compute, makeCpu()]) {
					const picture = backend.uploadPicture(values, SIZE.width, SIZE.height, 3);
					const packed = rgbToPlanes(backend, picture, params, { seed: 9 });
					out.push(codes(await backend.readback(packed), f));
					picture.release();
					packed.release();
				}
				const [shader, twin] = out as [Uint8Array, Uint8Array];
				expect(maxDifference(shader, twin)).toBeLessThanOrEqual(1);
				expect(shader.filter((v, i) => v !== twin[i]).length).toBeLessThan(3);
			}
		}));
});
