/** `deblur` with its feed-forward net on the wasm backend: what copies, scanners and codecs did. Prints figures of the stage's README. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { stage } from '../../src/stages/deblur/stage.ts';
import { accessOf, clip, defaultsOf, drop, envOf, frameOf, openBench, original, psnr, render } from './stages-kit.ts';

const bench = await openBench();
const { compute, models, env } = bench;
const auto = defaultsOf(stage);
type Values = Parameters<typeof stage.touches>[1];

const size = { width: 192, height: 160 };
const CROP = `crop=${size.width}:${size.height}`;

afterAll(() => bench.close());

/** What a frame looks like after the stage, told one cause. */
async function sharpened(picture: Picture, values: Partial<Values>): Promise<Picture> {
	const all: Values = { ...auto, ...values };
	const artifact = await stage.analyze!(accessOf([picture]), all, env);
	const { picture: result } = await render(stage, env, [frameOf(picture)], original(0), all, { artifact });
	return result;
}

describe('deblur after the camera', () => {
	for (const [cause, filter, least] of [
		['digitization', `scale=96:80:flags=bicubic,scale=192:160:flags=bicubic`, 0.2],
		['duplication', `gblur=sigma=0.9`, 0.2],
	] as const) {
		it(`takes ${cause} back`, async (ctx) => {
			const path = 'photos/eval/kodak08.png';
			const [sharp] = await clip(ctx, compute, path, [0, 1], CROP, size);
			const [soft] = await clip(ctx, compute, path, [0, 1], `${CROP},format=gbrp,${filter}`, size);
			const [given, named] = [await sharpened(soft!, { cause, severity: 0.6 }), await sharpened(soft!, { cause })];
			const [before, ...after] = [soft!, given, named].map((p) => psnr(p, sharp!, 4)) as [number, number, number];
			console.log(
				`deblur ${cause}, kodak08: input ${before.toFixed(2)} dB, severity .6, auto ${after.map((v) => `${v > before ? '+' : ''}${(v - before).toFixed(2)}`).join(', ')} dB`,
			);
			expect(Math.min(...after)).toBeGreaterThan(before + least);
			[sharp!, soft!, given, named].forEach((p) => p.release());
		});
	}

	it('leaves flat areas flat beside an edge', async () => {
		const { width, height } = { width: 96, height: 64 };
		const ramp = (x: number): number => 0.25 + 0.5 / (1 + Math.exp(-(x - 47.5) * 1.2));
		const data = Float32Array.from({ length: 3 * width * height }, (_, i) => ramp(i % width));
		const soft = compute.uploadPicture(data, width, height, 3);
		for (const cause of ['storage', 'duplication', 'digitization', 'compression'] as const) {
			const done = await sharpened(soft, { cause, severity: 0.6 });
			let ringing = 0;
			cpuFloats(done).forEach((v, i) => {
				// To the very rim: the edge is repeated beyond it.
				if (Math.abs((i % width) - 47.5) > 12) ringing = Math.max(ringing, Math.abs(v - data[i]!));
			});
			console.log(`deblur ${cause}: ringing 12 px off an edge ${(ringing * 255).toFixed(2)} codes`);
			expect(ringing * 255, cause).toBeLessThan(2);
			done.release();
		}
		soft.release();
	});

	it('ends when it is aborted', async () => {
		const control = new AbortController();
		const picture = compute.uploadPicture(new Float32Array(3 * 32 * 32), 32, 32, 3);
		const values = { ...auto, cause: 'storage' } as const;
		const artifact = await stage.analyze!(accessOf([picture]), values, env);
		control.abort();
		const aborted = render(stage, envOf(compute, models, control.signal), [frameOf(picture)], original(0), values, {
			artifact,
		});
		await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
		picture.release();
	});

	it('changes a real, compressed film by little more than its blocks', async (ctx) => {
		const [film] = await clip(ctx, compute, 'film/street-1900s.mp4', [30, 1], 'crop=256:192:200:160', {
			width: 256,
			height: 192,
		});
		const done = await render(
			stage,
			env,
			[frameOf(film!)],
			original(0),
			{ ...auto, cause: 'compression' },
			{ artifact: { blur: { cause: 'sharp' }, film: { compression: -1 } } },
		);
		const likeness = psnr(done.picture, film!);
		console.log(`deblur compression, street-1900s: ${likeness.toFixed(2)} dB from the input`);
		expect(likeness).toBeGreaterThan(26);
		expect(likeness).toBeLessThan(60);
		drop(done);
		film!.release();
	});
});
