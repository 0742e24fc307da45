import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { dataFile } from '../../../tests/helpers/data.ts';
import { noiseDifference, type Rgb } from './match.ts';
import { pairNoise, shotNoise } from './shot.ts';
import { CpuCompute } from '../../gpu/cpu-compute.ts';

/** Deterministic standard normal values (xorshift and Box–Muller). */
function normals(seed: number): () => number {
	let state = seed >>> 0 || 1;
	const uniform = (): number => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return ((state >>> 0) + 0.5) / 4294967296;
	};
	return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

function noisy(frame: Rgb, sigma: number, seed: number): Rgb {
	const next = normals(seed);
	return { ...frame, data: frame.data.map((v) => v + (sigma / 255) * next()) };
}

/** Frames as R′G′B′ planes. */
function frames(path: string, start: number, filter: string, width: number, height: number): [Rgb, Rgb] {
	const select = `select=gte(n\\,${start}),${filter}`;
	const output = ['-frames:v', '2', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gbrp', '-'];
	const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-vf', select, ...output], { maxBuffer: 1e9 });
	const size = 3 * width * height;
	expect(raw.length).toBe(2 * size);
	const at = (i: number): Rgb => ({
		data: Float32Array.from(raw.subarray(i * size, (i + 1) * size), (v) => v / 255),
		width,
		height,
	});
	return [at(0), at(1)];
}

describe('noise of a shot', () => {
	it.for([
		['video/bikes.mp4', 60, 'crop=384:256'],
		['video/gestures/walk.mkv', 30, 'crop=384:256'],
		['video/bigbuckbunny.mp4', 40, 'crop=384:256'],
		['video/vtest.avi', 50, 'crop=384:256:300:200'],
		// One photograph full of texture, panned by whole and by broken pixels.
		['photos/eval/kodak08.png', 0, 'loop=3:1,crop=384:256:100+n*3:100+n*2'],
		['photos/eval/kodak08.png', 0, 'loop=3:1,scale=576:384,crop=384:256:30+n:30'],
	] as const)('added to %s is found within 15 %%', ([path, start, filter], ctx) => {
		const [a, b] = frames(dataFile(ctx, path), start, filter, 384, 256);
		for (const sigma of [5, 15, 50]) {
			const found = pairNoise(noisy(a, sigma, 3 * sigma), noisy(b, sigma, 3 * sigma + 1));
			for (const channel of found) {
				expect(channel * 255, `σ ${sigma}`).toBeGreaterThan(sigma * 0.85);
				expect(channel * 255, `σ ${sigma}`).toBeLessThan(sigma * 1.15);
			}
		}
	});

	it('tells channels apart and is not misled by a repeated frame', async () => {
		const [width, height] = [128, 96];
		const next = normals(7);
		const area = width * height;
		const strength = [4, 8, 16];
		const data = Float32Array.from({ length: 3 * area }, (_, i) => {
			const x = i % width;
			return 0.5 + 0.2 * Math.sin(x / 9) + (strength[Math.floor(i / area)]! / 255) * next();
		});
		const compute = new CpuCompute({ memoryBudget: 2 ** 26, threads: 1, reason: 'test' });
		const picture = () => Promise.resolve(compute.uploadPicture(data, width, height, 3));
		const breathe = () => Promise.resolve();
		const found = await shotNoise({ compute, range: { start: 0, end: 3 }, picture, breathe });
		found.channels.forEach((s, c) => expect((s * 255) / strength[c]!).toBeCloseTo(1, 1));
		expect(found.sigma * 255).toBeCloseTo(Math.sqrt((16 + 64 + 256) / 3), 0);
		expect(compute.live).toBe(0);
	});
});

describe('pairs of a shot', () => {
	/** Noise of several frames, and how many were looked at. */
	async function measure(all: readonly Rgb[]): Promise<{ codes: number; looked: number }> {
		const compute = new CpuCompute({ memoryBudget: 2 ** 28, threads: 1, reason: 'test' });
		let looked = 0;
		const picture = (index: number) => {
			looked++;
			const { data, width, height } = all[index]!;
			return Promise.resolve(compute.uploadPicture(new Float32Array(data), width, height, 3));
		};
		const breathe = () => Promise.resolve();
		const { sigma } = await shotNoise({ compute, range: { start: 0, end: all.length }, picture, breathe });
		expect(compute.live).toBe(0);
		return { codes: sigma * 255, looked };
	}

	it('are as many as it takes until two agree: two on film of one grain, from σ 5 to 50', async (ctx) => {
		const path = dataFile(ctx, 'video/gestures/walk.mkv');
		const clean = [30, 34, 38, 42, 46].flatMap((start) => frames(path, start, 'crop=192:160', 192, 160));
		for (const sigma of [5, 15, 50]) {
			const { codes, looked } = await measure(clean.map((frame, i) => noisy(frame, sigma, 100 * sigma + i)));
			expect(codes, `σ ${sigma}`).toBeGreaterThan(sigma * 0.85);
			expect(codes, `σ ${sigma}`).toBeLessThan(sigma * 1.15);
			expect(looked).toBe(4);
		}
	});

	it('that say otherwise are outvoted', async (ctx) => {
		const path = dataFile(ctx, 'video/gestures/walk.mkv');
		const clean = [30, 34, 38, 42, 46].flatMap((start) => frames(path, start, 'crop=192:160', 192, 160));
		// The first pair that is looked at is much noisier than the rest of the shot.
		const first = [2, 3];
		const mixed = clean.map((frame, i) => noisy(frame, first.includes(i) ? 40 : 10, 700 + i));
		const { codes, looked } = await measure(mixed);
		expect(codes).toBeGreaterThan(8.5);
		expect(codes).toBeLessThan(11.5);
		expect(looked).toBe(6);
	});
});

describe('grain coarser than a pixel', () => {
	/** A frame with grain of 2×2 pixels, σ 8 times what `strength` says of a code value. */
	const grainy = (frame: Rgb, seed: number, strength: (code: number) => number): Rgb => {
		const { width, height } = frame;
		const next = normals(seed);
		const fine = Float32Array.from({ length: width * height }, next);
		// Averages of 2×2 have half the deviation: σ = 8 after doubling.
		const coarse = fine.map((v, i) => {
			const [right, below] = [i + 1, i + width].map((k) => k % fine.length);
			return v + fine[right!]! + fine[below!]! + fine[(below! + 1) % fine.length]!;
		});
		return { ...frame, data: frame.data.map((v, i) => v + (4 / 255) * strength(v) * coarse[i % coarse.length]!) };
	};

	it('is measured whole', (ctx) => {
		const [a, b] = frames(dataFile(ctx, 'video/gestures/walk.mkv'), 30, 'crop=384:256', 384, 256);
		for (const channel of pairNoise(
			grainy(a, 3, () => 1),
			grainy(b, 4, () => 1),
		)) {
			expect(channel * 255).toBeGreaterThan(8 * 0.85);
			expect(channel * 255).toBeLessThan(8 * 1.15);
		}
	});

	it('is measured as its root mean square where it follows the picture’s brightness', (ctx) => {
		const [a, b] = frames(dataFile(ctx, 'video/gestures/walk.mkv'), 30, 'crop=384:256', 384, 256);
		const strength = (code: number): number => 0.3 + 2.2 * code;
		const found = pairNoise(grainy(a, 5, strength), grainy(b, 6, strength));
		found.forEach((channel, c) => {
			const area = a.width * a.height;
			const squares = a.data.subarray(c * area, (c + 1) * area).reduce((sum, v) => sum + (8 * strength(v)) ** 2, 0);
			const truth = Math.sqrt(squares / area);
			expect(channel * 255).toBeGreaterThan(truth * 0.85);
			expect(channel * 255).toBeLessThan(truth * 1.15);
		});
	});
});

describe('matched difference', () => {
	it('cancels a picture that moves by whole pixels', () => {
		const [width, height] = [96, 64];
		const texture = (x: number, y: number): number => 0.5 + 0.2 * Math.sin(x * 0.31 + y * 0.07) * Math.cos(y * 0.23);
		const at = (dx: number, dy: number): Rgb => ({
			width,
			height,
			data: Float32Array.from({ length: 3 * width * height }, (_, i) => {
				const p = i % (width * height);
				return texture((p % width) + dx, Math.floor(p / width) + dy);
			}),
		});
		const difference = noiseDifference(at(0, 0), at(5, -2));
		expect(difference?.mean).toBeLessThan(0.005);
		expect(noiseDifference(at(0, 0), at(20, -8))?.mean).toBeLessThan(1e-6);
		expect(noiseDifference({ ...at(0, 0), width: 8, height: 8 }, { ...at(0, 0), width: 8, height: 8 })).toBeUndefined();
	});
});
