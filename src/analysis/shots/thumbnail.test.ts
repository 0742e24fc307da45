import { describe, expect, it } from 'vitest';
import { makeThumbnail, resizeThumbnail, type SourcePlane, thumbnailSize } from './thumbnail.ts';

/** A plane whose code at (x, y) is `code(x, y)`, with `pad` foreign samples at each row's end. */
function plane(
	width: number,
	height: number,
	depth: number,
	code: (x: number, y: number) => number,
	pad = 0,
): SourcePlane {
	const stride = width + pad;
	const data = depth > 8 ? new Uint16Array(stride * height) : new Uint8Array(stride * height);
	data.fill(2 ** depth - 1);
	for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * stride + x] = code(x, y);
	return { data, stride, width, height };
}

describe('makeThumbnail', () => {
	it('averages boxes by hand: 16×8 to 8×8 of pairs', () => {
		const luma = plane(16, 8, 8, (x) => x * 10);
		const thumb = makeThumbnail({ width: 16, height: 8, depth: 8, planes: [luma], isRgb: false }, 8);
		expect([thumb.width, thumb.height]).toEqual([8, 8]);
		const expected = [5, 25, 45, 65, 85, 105, 125, 145].map((v) => v / 255);
		expected.forEach((v, x) => {
			expect(thumb.luma[x]).toBeCloseTo(v, 6);
		});
		expect(thumb.cb.every((v) => v === 0) && thumb.cr.every((v) => v === 0)).toBe(true);
	});

	it.each([8, 10, 12, 16])('gives the same for %i bit, any chroma sampling and any stride', (depth) => {
		const scale = 2 ** (depth - 8);
		for (const [cw, ch] of [
			[96, 54],
			[48, 54],
			[48, 27],
		] as const) {
			const planes = [
				plane(96, 54, depth, () => 100 * scale, 7),
				plane(cw, ch, depth, () => 90 * scale, 3),
				plane(cw, ch, depth, () => 160 * scale),
			];
			const thumb = makeThumbnail({ width: 96, height: 54, depth, planes, isRgb: false });
			expect(thumb.luma[777]).toBeCloseTo(100 / 255, 2);
			expect(thumb.cb[777]).toBeCloseTo(-38 / 255, 2);
			expect(thumb.cr[777]).toBeCloseTo(32 / 255, 2);
		}
	});

	it('turns RGB into luma and color differences', () => {
		const rgb = [255, 0, 0].map((v) => plane(20, 10, 8, () => v));
		const thumb = makeThumbnail({ width: 20, height: 10, depth: 8, planes: rgb, isRgb: true }, 16);
		expect(thumb.luma[0]).toBeCloseTo(0.2126, 5);
		expect(thumb.cb[0]).toBeCloseTo(-0.2126 / 1.8556, 5);
		expect(thumb.cr[0]).toBeCloseTo(0.5, 5);
	});

	it('enlarges a 1×1 frame and keeps proportions', () => {
		const thumb = makeThumbnail({ width: 1, height: 1, depth: 8, planes: [plane(1, 1, 8, () => 51)], isRgb: false });
		expect(thumb.luma.every((v) => Math.abs(v - 0.2) < 1e-6)).toBe(true);
		expect(thumbnailSize(1920, 1080)).toEqual({ width: 96, height: 54 });
		expect(thumbnailSize(10, 4000)).toEqual({ width: 8, height: 96 });
	});

	it('names what cannot be used', () => {
		const good = plane(16, 16, 8, () => 0);
		const frame = { width: 16, height: 16, depth: 8, planes: [good], isRgb: false };
		expect(() => makeThumbnail({ ...frame, depth: 32 })).toThrow(/depth must be 8 to 16, got 32/);
		expect(() => makeThumbnail({ ...frame, isRgb: true })).toThrow(/at least 3, got 1/);
		expect(() => makeThumbnail({ ...frame, planes: [{ ...good, stride: 99 }] })).toThrow(/planes\[0\]/);
		expect(() => makeThumbnail({ ...frame, planes: [{ ...good, width: 0 }] })).toThrow(/planes\[0\]/);
		expect(() => makeThumbnail(frame, 4)).toThrow(/side must be/);
	});
});

describe('resizeThumbnail', () => {
	it('averages, and leaves the right size alone', () => {
		const thumb = makeThumbnail(
			{ width: 16, height: 16, depth: 8, planes: [plane(16, 16, 8, (x) => x)], isRgb: false },
			16,
		);
		expect(resizeThumbnail(thumb, 16, 16)).toBe(thumb);
		expect(resizeThumbnail(thumb, 8, 8).luma[3]).toBeCloseTo(6.5 / 255, 6);
	});
});
