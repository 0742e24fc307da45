import { describe, expect, it } from 'vitest';
import type { PlanarFrame } from '../../contracts/frames.ts';
import { type ColorTags, frameBytes, type PixelFormat } from '../../core/color.ts';
import { rational } from '../../core/rational.ts';
import { CpuCompute, cpuFloats } from '../../gpu/cpu-compute.ts';
import { planesToRgb } from '../../gpu/color/planes-to-rgb.ts';
import { reduceFrame } from './reduce.ts';

const tags = (rest: Partial<ColorTags>): ColorTags => ({
	primaries: 'bt709',
	transfer: 'bt709',
	matrix: 'bt709',
	range: 'limited',
	chromaLocation: 'unspecified',
	...rest,
});

function frameOf(format: PixelFormat, size: { width: number; height: number }, color: ColorTags): PlanarFrame {
	const bytes = frameBytes(format, size);
	const data = new ArrayBuffer(Math.ceil(bytes / 4) * 4);
	if (format.sample === 'u8') new Uint8Array(data).forEach((_, i, all) => (all[i] = 40 + ((i * 7) % 150)));
	else if (format.sample === 'u16') {
		const top = 2 ** format.depth;
		new Uint16Array(data).forEach((_, i, all) => (all[i] = Math.floor(top * (0.2 + ((i * 7) % 150) / 300))));
	} else new Float32Array(data).forEach((_, i, all) => (all[i] = ((i * 7) % 150) / 150));
	const time = { pts: rational(0), duration: rational(1, 24) };
	return { format, size, color, fields: 'progressive', ...time, index: 0, data };
}

describe('a frame reduced from its planes', () => {
	it.each([
		['8-bit 4:2:0, limited', { chroma: '420', depth: 8, sample: 'u8', alpha: false }, {}],
		['10-bit 4:2:2, BT.601', { chroma: '422', depth: 10, sample: 'u16', alpha: false }, { matrix: 'smpte170m' }],
		['16-bit RGB, full', { chroma: 'rgb', depth: 16, sample: 'u16', alpha: true }, { matrix: 'rgb', range: 'full' }],
		['gray, full', { chroma: 'gray', depth: 8, sample: 'u8', alpha: false }, { range: 'full' }],
		['float RGB', { chroma: 'rgb', depth: 32, sample: 'f32', alpha: false }, { matrix: 'rgb', range: 'full' }],
	] as [string, PixelFormat, Partial<ColorTags>][])(
		'is the average of the working frame: %s',
		(_name, format, rest) => {
			const size = { width: 64, height: 32 };
			const frame = frameOf(format, size, tags(rest));
			const { width, height, rgb } = reduceFrame(frame, 8);
			expect([width, height]).toEqual([8, 4]);
			const compute = new CpuCompute({ memoryBudget: 2 ** 24, threads: 1, reason: 'test' });
			const planes = compute.upload(frame.data);
			const whole = planesToRgb(compute, planes, { format, size, tags: frame.color });
			const values = cpuFloats(whole);
			let worst = 0;
			for (let c = 0; c < 3; c++) {
				for (let y = 0; y < 4; y++) {
					// Away from the borders: chroma is sited between the pixels it is shared by.
					for (let x = 1; x < 7; x++) {
						let sum = 0;
						for (let j = 0; j < 8; j++) {
							for (let i = 0; i < 8; i++) sum += values[(c * 32 + y * 8 + j) * 64 + x * 8 + i]! / 64;
						}
						worst = Math.max(worst, Math.abs(sum - rgb[(c * 4 + y) * 8 + x]!));
					}
				}
			}
			// Subsampled chroma is interpolated in the working frame and averaged here.
			expect(worst).toBeLessThan(format.chroma === '420' || format.chroma === '422' ? 0.03 : 1e-5);
			planes.release();
			whole.release();
			expect(compute.live).toBe(0);
		},
	);

	it('keeps the size of what is small', () => {
		const format: PixelFormat = { chroma: '444', depth: 8, sample: 'u8', alpha: false };
		const { width, height } = reduceFrame(frameOf(format, { width: 5, height: 3 }, tags({})), 256);
		expect([width, height]).toEqual([5, 3]);
	});
});
