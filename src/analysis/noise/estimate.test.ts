import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { dataFile } from '../../../tests/helpers/data.ts';
import { symmetricEigenvalues } from './eigen.ts';
import { estimateNoise } from './estimate.ts';

/** Deterministic standard normal values (xorshift and Box–Muller). */
function normals(count: number, seed: number): Float32Array {
	let state = seed >>> 0 || 1;
	const uniform = (): number => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return ((state >>> 0) + 0.5) / 4294967296;
	};
	return Float32Array.from(
		{ length: count },
		() => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
	);
}

function gray(path: string, at: number, width: number, height: number): Float32Array {
	const raw = execFileSync(
		'ffmpeg',
		[
			'-v',
			'error',
			'-ss',
			String(at),
			'-i',
			path,
			'-frames:v',
			'1',
			'-vf',
			`scale=${width}:${height}`,
			'-f',
			'rawvideo',
			'-pix_fmt',
			'gray',
			'-',
		],
		{ maxBuffer: 1e9 },
	);
	return Float32Array.from(raw, (v) => v / 255);
}

describe('eigenvalues', () => {
	it('are those of a known matrix', () => {
		const values = symmetricEigenvalues(Float64Array.of(2, 1, 0, 1, 2, 1, 0, 1, 2), 3);
		expect([...values]).toEqual([2 - Math.SQRT2, 2, 2 + Math.SQRT2].map((v) => expect.closeTo(v, 10) as number));
	});
});

describe('noise level', () => {
	it.for([
		['photos/eval/kodak03.png', 0],
		['photos/eval/kodak08.png', 0],
		['video/bigbuckbunny.mp4', 2],
		['video/gestures/walk.mkv', 1],
	] as const)('of noise added to %s is found within 15 %%', ([name, at], ctx) => {
		const clean = gray(dataFile(ctx, name), at, 384, 256);
		// Alone, a picture that is all texture hides weak noise: the shot's estimate (shot.ts) also looks at its neighbor.
		for (const sigma of name.includes('kodak08') ? [20, 50] : [5, 10, 25, 50]) {
			const noise = normals(clean.length, sigma * 77 + at + 1);
			const noisy = clean.map((v, i) => v + (sigma / 255) * noise[i]!);
			const found = estimateNoise(noisy, 384, 256) * 255;
			expect(found, `σ ${sigma}`).toBeGreaterThan(sigma * 0.85);
			expect(found, `σ ${sigma}`).toBeLessThan(sigma * 1.15);
		}
	});

	it('is exact on noise alone and zero on nothing', () => {
		expect(estimateNoise(normals(256 * 256, 5), 256, 256)).toBeCloseTo(1, 1);
		expect(estimateNoise(new Float32Array(64 * 64), 64, 64)).toBe(0);
		expect(estimateNoise(new Float32Array(9), 3, 3)).toBe(0);
	});
});
