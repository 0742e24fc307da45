import { describe, expect, it } from 'vitest';
import { blockiness } from './blockiness.ts';
import { FlickerMeter } from './flicker.ts';
import { instability, reducedForMatching } from './instability.ts';
import { type Plane, reduceBy, separable } from './planes.ts';
import { psnr, ssim } from './reference.ts';
import { blurred, noisePlane, normals, planeOf, plus } from './scenes.testkit.ts';
import { sharpness } from './sharpness.ts';

const flat = (value: number, width = 192, height = 128): Plane => planeOf(width, height, () => value);

/** Φ, the integral of the normal distribution, at steps of 1/1000 from −8 to 8. */
const PHI = new Float64Array(16_001);
for (let i = 1; i < PHI.length; i++) {
	const t = (i - 0.5) / 1000 - 8;
	PHI[i] = PHI[i - 1]! + Math.exp((-t * t) / 2) / 1000 / Math.sqrt(2 * Math.PI);
}

/** A disc whose rim is a Gaussian blur of an ideal edge: edges in every direction. */
function disc(sigma: number, contrast = 0.5, width = 256, height = 256): Plane {
	const rim = (distance: number): number => PHI[Math.round(1000 * (Math.min(8, Math.max(-8, distance / sigma)) + 8))]!;
	return planeOf(width, height, (x, y) => 0.25 + contrast * rim(80 - Math.hypot(x - 128.3, y - 127.6)));
}

describe('sharpness', () => {
	it('of an edge of known blur is what the formula says', () => {
		for (const sigma of [0.7, 1, 1.5, 2, 3]) {
			const said = 10 * Math.log10((sigma ** 2 + 4 + 1 / 3) / (sigma ** 2 + 1 + 1 / 3));
			expect(Math.abs(sharpness(disc(sigma))! - said), `σ ${sigma}`).toBeLessThan(0.12);
		}
	});

	it('does not depend on contrast', () => {
		expect(sharpness(disc(1.2, 0.2))).toBeCloseTo(sharpness(disc(1.2, 0.6))!, 2);
	});

	it('is not raised by grain by as much as blur lowers it', () => {
		const clean = sharpness(disc(1))!;
		for (const size of [0, 0.8, 1.5]) {
			const grainy = sharpness(plus(disc(1), noisePlane(256, 256, 5, size), 6))!;
			expect(Math.abs(grainy - clean), `grain ${size}`).toBeLessThan(0.4);
		}
		expect(clean - sharpness(disc(1.5))!).toBeGreaterThan(0.6);
	});

	it('is nothing where there are no edges', () => {
		expect(sharpness(flat(0.5))).toBeNull();
		expect(sharpness(plus(flat(0.5), noisePlane(192, 128, 1), 5))).toBeNull();
		expect(sharpness(planeOf(8, 8, (x) => x / 8))).toBeNull();
	});
});

describe('blockiness', () => {
	/** Each block of 8×8 lifted by its own amount, the grid moved by (dx, dy). */
	const blocks = (codes: number, dx = 0, dy = 0): Plane => {
		const lift = noisePlane(64, 64, 3).data;
		return planeOf(
			256,
			192,
			(x, y) => 0.5 + (codes / 255) * lift[64 * Math.floor((y + dy) / 8) + Math.floor((x + dx) / 8)]!,
		);
	};
	const noise = noisePlane(256, 192, 8);

	it('rises with the height of the blocks', () => {
		const found = [0, 1, 2, 4, 8].map((codes) => blockiness(plus(blocks(codes), noise, 2))!);
		expect(found[0]).toBeLessThan(3);
		for (let i = 1; i < found.length; i++) expect(found[i]).toBeGreaterThan(found[i - 1]! + 3);
	});

	it('is found wherever the grid lies, and sideways as upright', () => {
		const straight = blockiness(plus(blocks(4), noise, 2))!;
		expect(blockiness(plus(blocks(4, 3, 5), noise, 2))! / straight).toBeCloseTo(1, 0);
		const plane = plus(blocks(4), noise, 2);
		const turned = planeOf(192, 256, (x, y) => plane.data[x * 256 + y]!);
		expect(blockiness(turned)).toBeCloseTo(straight, 5);
	});

	it('does not depend on contrast or brightness', () => {
		const plane = plus(blocks(4), noise, 2);
		const other = { ...plane, data: plane.data.map((v) => 0.1 + v / 2) };
		expect(blockiness(other)! / blockiness(plane)!).toBeCloseTo(1, 2);
	});

	it('is 0 for a blank picture and nothing for a tiny one', () => {
		expect(blockiness(flat(0.5))).toBe(0);
		expect(blockiness(flat(0.5, 31, 31))).toBeNull();
	});
});

describe('flicker', () => {
	const scene = (x: number, y: number): number => 0.45 + 0.2 * Math.sin(x * 0.11 + y * 0.05) * Math.cos(y * 0.13);
	const measure = (frames: readonly Plane[]): (number | null)[] => {
		const meter = new FlickerMeter();
		for (const frame of frames) meter.add(frame);
		return meter.series();
	};
	const rms = (values: readonly (number | null)[]): number =>
		Math.sqrt(values.reduce((sum: number, v) => sum + v! ** 2, 0) / values.length);
	const clip = (count: number, at: (t: number) => (x: number, y: number) => number): Plane[] =>
		Array.from({ length: count }, (_, t) => planeOf(96, 72, at(t)));

	it('of independent brightness is its standard deviation', () => {
		const next = normals(11);
		const gains = Array.from({ length: 400 }, () => (3 / 255) * next());
		const found = rms(measure(clip(400, (t) => (x, y) => scene(x, y) + gains[t]!)));
		const truth = 255 * Math.sqrt(gains.reduce((sum, g) => sum + g * g, 0) / gains.length);
		expect(found / truth).toBeGreaterThan(0.9);
		expect(found / truth).toBeLessThan(1.1);
	});

	it('of a fade is 0, and of a still', () => {
		expect(rms(measure(clip(12, (t) => (x, y) => scene(x, y) * (1 - t / 24))))).toBeLessThan(1e-3);
		expect(rms(measure(clip(6, () => scene)))).toBeLessThan(1e-9);
	});

	it('is little where things move', () => {
		// Something bright crosses a quarter of the picture in twelve frames, over a ground that stays.
		const moving = clip(
			12,
			(t) => (x, y) => (Math.abs(x - 20 - 2 * t) < 5 && Math.abs(y - 36) < 6 ? 0.95 : scene(x, y)),
		);
		expect(rms(measure(moving))).toBeLessThan(0.2);
	});

	it('of a corner is seen, less than of the whole', () => {
		const blink = (codes: number, part: (x: number, y: number) => boolean) =>
			rms(measure(clip(20, (t) => (x, y) => scene(x, y) + (part(x, y) && t % 2 === 0 ? codes / 255 : 0))));
		const [corner, whole] = [blink(6, (x, y) => x < 32 && y < 24), blink(6, () => true)];
		expect(corner).toBeGreaterThan(0.5);
		// One of nine regions: a third, as root mean square.
		expect(corner / whole).toBeCloseTo(1 / 3, 1);
	});

	it('cannot be told from three frames', () => {
		expect(measure(clip(3, () => scene))).toEqual([null, null, null]);
		expect(measure(clip(4, () => scene)).every((v) => v! < 1e-9)).toBe(true);
	});
});

describe('instability', () => {
	const scene = (x: number, y: number): number =>
		0.5 + 0.15 * Math.sin(x * 0.21 + y * 0.07) * Math.cos(y * 0.17) + 0.1 * Math.sin(x * 0.05) * Math.sin(y * 0.31);
	const at = (dx: number, dy: number): Plane => planeOf(240, 160, (x, y) => scene(x + dx, y + dy));

	it('is 0 for a still and for what moves by whole pixels', () => {
		expect(instability(at(0, 0), at(0, 0))).toBe(0);
		expect(instability(at(0, 0), at(5, -3))!).toBeLessThan(0.7);
	});

	it('does not count flicker, and counts grain that is the same everywhere by little', () => {
		const brighter = { ...at(0, 0), data: at(0, 0).data.map((v) => v + 5 / 255) };
		expect(instability(brighter, at(0, 0))!).toBeLessThan(1e-3);
		const [a, b] = [1, 2].map((seed) => plus(at(0, 0), noisePlane(240, 160, seed), 4));
		expect(instability(a!, b!)!).toBeLessThan(2);
	});

	it('rises with what boils in a part of the picture', () => {
		const found = [0, 4, 8, 16].map((codes) => {
			const boil = noisePlane(240, 160, 9, 2);
			const part = { ...boil, data: boil.data.map((v, i) => (i % 240 < 96 ? v : 0)) };
			return instability(plus(at(0, 0), part, codes), at(0, 0))!;
		});
		for (let i = 1; i < found.length; i++) expect(found[i]).toBeGreaterThan(1.5 * found[i - 1]! + 0.3);
		// Two fifths of the blocks at 16 codes less each one's mean, shared by both frames.
		expect(found[3]).toBeGreaterThan(0.7 * 16 * Math.sqrt(0.4 / 2));
		expect(found[3]).toBeLessThan(1.1 * 16 * Math.sqrt(0.4 / 2));
	});

	it('is nothing where nothing can be compared, and is measured on at most 480 pixels', () => {
		expect(instability(flat(0.5, 8, 8), flat(0.5, 8, 8))).toBeNull();
		expect(reducedForMatching(flat(0.5, 1920, 1080))).toMatchObject({ width: 480, height: 270 });
		expect(reducedForMatching(flat(0.5, 480, 20))).toMatchObject({ width: 480, height: 20 });
	});
});

describe('full-reference figures', () => {
	const picture = planeOf(96, 64, (x, y) => 0.5 + 0.3 * Math.sin(x / 5) * Math.cos(y / 7));

	it('of a copy are as good as can be', () => {
		expect(psnr(picture, picture)).toBe(100);
		expect(ssim(picture, picture)).toBeCloseTo(1, 9);
	});

	it('PSNR is what an even error makes it', () => {
		const off = { ...picture, data: picture.data.map((v) => v + 0.01) };
		expect(psnr(picture, off)).toBeCloseTo(40, 2);
	});

	it('SSIM of flat planes is their likeness of brightness', () => {
		const [a, b] = [0.4, 0.6];
		expect(ssim(flat(a, 32, 32), flat(b, 32, 32))).toBeCloseTo((2 * a * b + 1e-4) / (a * a + b * b + 1e-4), 4);
	});

	it('both fall with noise, and SSIM is symmetric', () => {
		const noisy = [2, 5, 10].map((codes) => plus(picture, noisePlane(96, 64, 4), codes));
		for (let i = 1; i < noisy.length; i++) {
			expect(psnr(picture, noisy[i]!)).toBeLessThan(psnr(picture, noisy[i - 1]!));
			expect(ssim(picture, noisy[i]!)!).toBeLessThan(ssim(picture, noisy[i - 1]!)!);
		}
		expect(ssim(picture, noisy[1]!)).toBeCloseTo(ssim(noisy[1]!, picture)!, 12);
		expect(ssim(flat(0.5, 8, 8), flat(0.5, 8, 8))).toBeNull();
	});
});

describe('filters', () => {
	it('keep constants, borders included, and reduce by means', () => {
		const out = separable(flat(0.3, 12, 9), [0.25, 0.5, 0.25]);
		for (const v of out.data) expect(v).toBeCloseTo(0.3, 6);
		const half = reduceBy(
			planeOf(5, 4, (x, y) => x + 10 * y),
			2,
		);
		expect([...half.data]).toEqual([5.5, 7.5, 25.5, 27.5]);
		const spread = blurred(
			planeOf(41, 41, (x, y) => (x === 20 && y === 20 ? 1 : 0)),
			2,
		);
		const variance = spread.data.reduce((sum, v, i) => sum + v * ((i % 41) - 20) ** 2, 0);
		expect(variance).toBeCloseTo(4, 1);
	});
});
