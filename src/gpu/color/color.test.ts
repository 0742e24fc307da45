/** Color conversion on the CPU backend: exact codes back, sited right, matrices as published. */

import { describe, expect, it } from 'vitest';
import { frameBytes } from '../../core/color.ts';
import type { ColorTags, PixelFormat, Transfer } from '../../core/color.ts';
import { say } from '../../core/phrases.ts';
import { CpuCompute } from '../cpu-compute.ts';
import { chromaStatement, measureChromaError } from './chroma-error.ts';
import { DITHER_AMPLITUDE, ditherNoise } from './dither.ts';
import { codeMap } from './matrix.ts';
import { planesToRgb } from './planes-to-rgb.ts';
import { rgbToPlanes } from './rgb-to-planes.ts';
import { fromLinear, toLinear, TRANSFER_IDS } from './transfer.ts';

const TAGS: ColorTags = {
	primaries: 'bt709',
	transfer: 'bt709',
	matrix: 'bt709',
	range: 'limited',
	chromaLocation: 'left',
};
const compute = new CpuCompute({ memoryBudget: 2 ** 28, threads: 1, reason: 'test' });

function format(chroma: PixelFormat['chroma'], depth: number): PixelFormat {
	return { chroma, depth, sample: depth === 8 ? 'u8' : 'u16', alpha: false };
}

function pack(f: PixelFormat, codes: readonly number[]): ArrayBuffer {
	return (f.sample === 'u8' ? Uint8Array.from(codes) : Uint16Array.from(codes)).buffer as ArrayBuffer;
}

async function toRgb(f: PixelFormat, width: number, height: number, codes: readonly number[], tags = TAGS) {
	const planes = compute.upload(pack(f, codes));
	const rgb = planesToRgb(compute, planes, { format: f, size: { width, height }, tags });
	const values = new Float32Array(await compute.readback(rgb));
	planes.release();
	rgb.release();
	return values;
}

describe('planesToRgb', () => {
	it('gives the published corners of limited BT.709', async () => {
		const f = format('444', 8);
		expect([...(await toRgb(f, 1, 1, [16, 128, 128]))].map(Math.abs)).toEqual([0, 0, 0]);
		for (const v of await toRgb(f, 1, 1, [235, 128, 128])) expect(v).toBeCloseTo(1, 6);
		// 100 % red: Y 63, Cb 102, Cr 240 (BT.709, rounded codes).
		const [r, g, b] = await toRgb(f, 1, 1, [63, 102, 240]);
		expect(r).toBeCloseTo(1, 2);
		expect(g).toBeCloseTo(0, 2);
		expect(b).toBeCloseTo(0, 2);
	});

	it('keeps values outside 0…1', async () => {
		expect((await toRgb(format('gray', 8), 2, 1, [0, 255]))[0]).toBeCloseTo(-16 / 219, 6);
	});

	it('puts left-sited chroma on even pixels and centered chroma between', async () => {
		const f = format('422', 8);
		// One row, luma flat, Cr steps from 128 to 228 at the second chroma sample.
		const codes = [128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 228, 228];
		const tags = { ...TAGS, range: 'full' as const };
		const left = await toRgb(f, 8, 1, codes, tags);
		const center = await toRgb(f, 8, 1, codes, { ...tags, chromaLocation: 'center' });
		const red = (values: Float32Array) =>
			Array.from(values.subarray(0, 8), (v) => (v - 128 / 255) / 1.5748 / (100 / 255));
		// The sample itself, then half-way by Catmull-Rom: (−0 + 9·0 + 9·1 − 1)/16.
		expect(red(left)[4]).toBeCloseTo(1, 5);
		expect(red(left)[3]).toBeCloseTo(0.5, 5);
		// Each pair's mean is its sample.
		const c = red(center) as [number, number, number, number, number, number, number, number];
		expect((c[4] + c[5]) / 2).toBeCloseTo(1, 5);
		expect((c[2] + c[3]) / 2).toBeCloseTo(0, 5);
		expect(c[5]).toBeGreaterThan(c[4]);
	});

	it('takes Cineon codes as code ÷ 1023', async () => {
		const tags = { ...TAGS, transfer: 'log', matrix: 'rgb', range: 'full' } as const;
		const [r, g, b] = await toRgb(format('rgb', 10), 1, 1, [95, 685, 1023], tags);
		expect(r).toBeCloseTo(95 / 1023, 6);
		expect(g).toBeCloseTo(685 / 1023, 6);
		expect(b).toBe(1);
	});
});

describe('an identity stage through the working format', () => {
	for (const chroma of ['rgb', '444', '422', '420', '411', '410'] as const) {
		for (const depth of [8, 10, 12, 16]) {
			it(`gives every code of ${chroma} at ${depth} bit back`, async () => {
				const f = format(chroma, depth);
				const size = { width: 67, height: 45 };
				const count = frameBytes(f, size) / (depth === 8 ? 1 : 2);
				const codes = Array.from({ length: count }, (_, i) => (Math.imul(i, 2654435761) >>> 7) % 2 ** depth);
				const tags = { ...TAGS, range: chroma === 'rgb' ? ('full' as const) : TAGS.range };
				const params = { format: f, size, tags };
				const planes = compute.upload(pack(f, codes));
				const rgb = planesToRgb(compute, planes, params);
				const back = rgbToPlanes(compute, rgb, params, { seed: 5 });
				const bytes = (await compute.readback(back)).slice(0, frameBytes(f, size));
				expect(Array.from(depth === 8 ? new Uint8Array(bytes) : new Uint16Array(bytes))).toEqual(codes);
				[planes, rgb, back].forEach((block) => block.release());
			});
		}
	}
});

describe('the chroma error', () => {
	it('is none at 4:4:4 and is stated at 4:2:0', async () => {
		const size = { width: 64, height: 48 };
		const data = Float32Array.from({ length: 64 * 48 * 3 }, (_, i) => {
			const [x, y, c] = [i % 64, Math.floor(i / 64) % 48, Math.floor(i / (64 * 48))];
			return 0.5 + 0.3 * Math.sin(x / 3 + c) * Math.cos(y / 4 - c);
		});
		const picture = compute.uploadPicture(data, 64, 48, 3);
		const full = await measureChromaError(compute, picture, { format: format('444', 16), size, tags: TAGS });
		const sub = await measureChromaError(compute, picture, { format: format('420', 16), size, tags: TAGS });
		picture.release();
		expect(full.psnr).toBeGreaterThan(85);
		expect(sub.psnr).toBeGreaterThan(30);
		expect(sub.psnr).toBeLessThan(70);
		expect(say(chromaStatement(format('420', 16), sub))).toContain('4:2:0');
	});
});

describe('dither', () => {
	it('stays below half a code and keeps the mean', () => {
		const values = Array.from({ length: 100 * 100 }, (_, i) => ditherNoise(i % 100, Math.floor(i / 100), 0, 4));
		expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(DITHER_AMPLITUDE);
		const mean = values.reduce((sum, v) => sum + Math.round(100.3 + v), 0) / values.length;
		expect(mean).toBeCloseTo(100.3, 1);
	});

	it('differs from frame to frame', () => {
		expect(ditherNoise(3, 4, 0, 1)).not.toBe(ditherNoise(3, 4, 0, 2));
	});
});

describe('transfer functions', () => {
	for (const transfer of Object.keys(TRANSFER_IDS) as Transfer[]) {
		it(`${transfer} goes there and back`, () => {
			for (const v of [-0.2, 0, 0.01, 0.05, 0.1, 0.5, 0.9, 1, 1.1]) {
				if (transfer === 'log' && v < 95 / 1023) continue;
				expect(fromLinear(transfer, toLinear(transfer, v))).toBeCloseTo(v, 5);
			}
		});
	}

	it('has the published points', () => {
		expect(toLinear('srgb', 0.5)).toBeCloseTo(0.21404, 4);
		expect(toLinear('log', 685 / 1023)).toBeCloseTo(1, 6);
		expect(toLinear('log', 95 / 1023)).toBeCloseTo(0, 6);
		expect(toLinear('pq', 0.58069)).toBeCloseTo(203 / 10000, 4);
		expect(toLinear('hlg', 0.5)).toBeCloseTo(1 / 12, 6);
	});
});

describe('codeMap', () => {
	it('inverts itself for every matrix', () => {
		const tags = { ...TAGS };
		for (const matrix of ['bt709', 'fcc', 'bt470bg', 'smpte240m', 'ycgco', 'bt2020nc', 'rgb', 'unknown'] as const) {
			const map = codeMap(format('444', 8), { ...tags, matrix }, { width: 720, height: 576 });
			for (let row = 0; row < 3; row++) {
				for (let column = 0; column < 3; column++) {
					let sum = 0;
					for (let k = 0; k < 3; k++) sum += (map.toRgb[row * 3 + k] ?? 0) * (map.fromRgb[k * 3 + column] ?? 0);
					expect(sum).toBeCloseTo(row === column ? 1 : 0, 10);
				}
			}
		}
	});
});
