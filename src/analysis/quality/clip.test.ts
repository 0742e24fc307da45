import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { dataFile } from '../../../tests/helpers/data.ts';
import { type NativeFrame, readFrames, throughCodec } from '../../../tests/helpers/native-frames.ts';
import { EmulsionError } from '../../core/errors.ts';
import { compareBy, grainDistance, grainStrength, sameGrain, SAME_GRAIN } from '../../core/quality-compare.ts';
import { type ClipMetrics, MEASURED_IDS } from '../../core/quality.ts';
import { ClipMetricsSchema } from '../../share/judge/record.ts';
import { measureClip } from './clip.ts';
import { measureCodecLoss } from './codec-loss.ts';
import { ClipGrain } from './grain.ts';
import { chooseCrops } from './crops.ts';
import { qualityFrame } from './frame.ts';
import { blurred, grainyFrame, grayFrame, noisePlane, planeOf, plus } from './scenes.testkit.ts';

const x264 = (crf: number): string[] => [
	'-c:v',
	'libx264',
	'-preset',
	'veryfast',
	'-crf',
	String(crf),
	'-pix_fmt',
	'yuv420p',
];
const scene = planeOf(192, 144, (x, y) => 0.45 + 0.2 * Math.sin(x / 17) * Math.cos(y / 23) + (x > 96 ? 0.1 : 0));
const grainy = (sigma: number, size: number, seed: number) => grainyFrame(grayFrame(scene), sigma, size, seed);
const clip = (sigma: number, size: number, seed: number, count = 3) =>
	Array.from({ length: count }, (_, t) => grainy(sigma, size, seed + t));

describe('a clip', () => {
	it('is measured frame by frame, and as its record is kept', async () => {
		const metrics = await measureClip(clip(4, 0.8, 1, 6), { every: 3 });
		expect(metrics).toMatchObject({ frames: 6, size: { width: 192, height: 144 } });
		for (const id of MEASURED_IDS) expect(metrics.series[id]).toHaveLength(6);
		expect(v.parse(ClipMetricsSchema, JSON.parse(JSON.stringify(metrics)))).toEqual(metrics);
		const measured = metrics.series.noise.map((value) => value !== null);
		expect(measured).toEqual([false, true, false, false, true, false]);
		expect(metrics.series.niqe.map((value) => value !== null)).toEqual([true, false, false, true, false, false]);
		expect(metrics.values.psnr).toBeNull();
		expect(metrics.values.noise).toBeGreaterThan(3.3);
		expect(metrics.values.noise).toBeLessThan(4.7);
		expect(grainStrength(metrics.grain!) / 4).toBeGreaterThan(0.85);
		expect(grainStrength(metrics.grain!) / 4).toBeLessThan(1.15);
	});

	it('of known length has its noise measured in about six pairs', async () => {
		const small = (seed: number) =>
			grayFrame(
				plus(
					planeOf(48, 40, () => 0.5),
					noisePlane(48, 40, seed),
					2,
				),
			);
		const frames = Array.from({ length: 40 }, (_, t) => small(t));
		const { series } = await measureClip(frames, { every: 2, total: 40 });
		const at = series.noise.flatMap((value, t) => (value === null ? [] : [t]));
		expect(at).toEqual([1, 9, 17, 25, 33]);
		expect(series.sharpness).toHaveLength(40);
	});

	it('is compared with its truth', async () => {
		const truth = clip(0, 0.8, 1);
		const { values } = await measureClip(clip(4, 0.8, 1), { truth, every: 1 });
		expect(values.psnr).toBeCloseTo(20 * Math.log10(255 / 4), 0);
		expect(values.ssim).toBeLessThan(0.98);
		const same = await measureClip(truth, { truth, every: 1 });
		expect(same.values).toMatchObject({ psnr: 100 });
	});

	it('of one frame is measured as far as one frame goes', async () => {
		const { values, grain } = await measureClip([grainy(4, 0.8, 1)]);
		expect(values).toMatchObject({ flicker: null, instability: null, noise: null });
		expect(values.niqe).not.toBeNull();
		expect(grain).toBeNull();
	});

	it('without grain has none, and one that stands still cannot be asked', async () => {
		const still = grayFrame(scene);
		expect((await measureClip([still, still, still])).grain).toBeNull();
		const moved = { ...still, data: still.data.map((value, i) => value + (i % 192 < 4 ? 0.01 : 0)) };
		const { grain } = await measureClip([still, moved, still]);
		expect(grain && grainStrength(grain)).toBeLessThan(0.1);
	});

	it('refuses what cannot be measured, saying what to do', async () => {
		const frames = [1, 2, 3].map((seed) =>
			grayFrame(
				plus(
					planeOf(48, 40, () => 0.5),
					noisePlane(48, 40, seed),
					2,
				),
			),
		);
		const refused = async (run: Promise<unknown>): Promise<unknown> => {
			const error = await run.then(
				() => undefined,
				(thrown: unknown) => thrown,
			);
			expect(error).toBeInstanceOf(EmulsionError);
			return error;
		};
		expect(await refused(measureClip([]))).toMatchObject({ code: 'usage' });
		expect(await refused(measureClip(frames, { truth: frames.slice(1) }))).toMatchObject({ code: 'usage' });
		const small = [grayFrame(planeOf(64, 64, () => 0.5))];
		expect(await refused(measureClip(frames, { truth: small }))).toMatchObject({
			code: 'usage',
			message: expect.stringContaining('64×64') as string,
		});
		expect(await refused(measureClip([...frames, ...small]))).toMatchObject({ code: 'internal' });
		expect(await refused(measureClip(frames, { every: 0 }))).toMatchObject({ code: 'internal' });
		let ended = false;
		const truth = (function* () {
			try {
				yield frames[0]!;
				yield small[0]!;
			} finally {
				ended = true;
			}
		})();
		expect(await refused(measureClip(frames, { truth }))).toMatchObject({ code: 'usage' });
		// A decoder behind it would otherwise go on for ever.
		expect(ended).toBe(true);
		const controller = new AbortController();
		const pulled: number[] = [];
		const endless = (function* () {
			for (let t = 0; ; t++) {
				pulled.push(t);
				if (t === 3) controller.abort();
				yield frames[t % 3]!;
			}
		})();
		expect(await refused(measureClip(endless, { signal: controller.signal }))).toMatchObject({ code: 'aborted' });
		expect(pulled).toEqual([0, 1, 2, 3]);
	});

	it('is given as planes of any format', () => {
		const size = { width: 4, height: 2 };
		const data = Uint8Array.of(16, 126, 235, 235, 16, 126, 235, 235, 128, 128, 128, 128).buffer;
		const color = {
			primaries: 'bt709',
			transfer: 'bt709',
			matrix: 'bt709',
			range: 'limited',
			chromaLocation: 'left',
		} as const;
		const times = { pts: { num: 0, den: 1 }, duration: { num: 1, den: 24 }, index: 0, fields: 'progressive' } as const;
		const frame = qualityFrame({
			format: { chroma: '420', depth: 8, sample: 'u8', alpha: false },
			size,
			data,
			color,
			...times,
		});
		expect(frame.data).toHaveLength(24);
		[0, 110 / 219, 1, 1].forEach((value, i) => expect(frame.data[i]).toBeCloseTo(value, 5));
	});
});

describe('grain of two versions', () => {
	it('is one where only the seed differs, and another where it is weaker or coarser', () => {
		const size = { width: 192, height: 144 };
		const summary = (sigma: number, grain: number, seed: number) => {
			const meter = new ClipGrain();
			const [a, b, c] = clip(sigma, grain, seed);
			meter.add(a!, b!);
			meter.add(b!, c!);
			return meter.summary(size)!;
		};
		const source = summary(5, 0.8, 1);
		const other = (sigma: number, grain: number) => grainDistance(summary(sigma, grain, 50), source)!;
		const same = other(5, 0.8);
		expect(same.amplitude).toBeLessThan(SAME_GRAIN.amplitude);
		expect(same.spectrum).toBeLessThan(SAME_GRAIN.spectrum);
		const weaker = other(3.5, 0.8);
		expect(weaker.gain).toBeCloseTo(20 * Math.log10(3.75 / 5.25), 0);
		expect(weaker.amplitude).toBeGreaterThan(SAME_GRAIN.amplitude);
		const coarser = other(5, 1.2);
		expect(coarser.spectrum).toBeGreaterThan(SAME_GRAIN.spectrum);
		expect(other(5, 1.8).spectrum).toBeGreaterThan(coarser.spectrum);
		expect(grainDistance({ ...source, size: { width: 384, height: 288 } }, source)).toBeNull();
	});

	it('that differs keeps scores without a reference from ranking them', async () => {
		const [grainyClip, degrained, again] = await Promise.all(
			[clip(6, 0.8, 1), clip(1, 0.8, 1), clip(6, 0.8, 90)].map((frames) => measureClip(frames)),
		);
		const of = (metrics: ClipMetrics) => ({ metrics, source: grainyClip!.grain });
		for (const id of ['niqe', 'blockiness', 'sharpness'] as const) {
			const verdict = compareBy(id, of(grainyClip!), of(degrained!));
			expect(verdict).toMatchObject({ comparable: false });
		}
		expect(compareBy('niqe', of(grainyClip!), of(degrained!))).toEqual({ comparable: false, why: 'grain-differs' });
		expect(sameGrain(grainyClip!, again!)).toBe(true);
		expect(compareBy('niqe', of(grainyClip!), of(again!))).toMatchObject({ comparable: true });
		expect(compareBy('grainAmplitude', of(grainyClip!), of(degrained!))).toMatchObject({
			comparable: true,
			better: 'a',
		});
		expect(compareBy('noise', of(grainyClip!), of(degrained!))).toMatchObject({ comparable: true, better: 'none' });
	});

	it('that was not measured, or by other methods, or in other pixels, is not compared', async () => {
		const metrics = await measureClip(clip(4, 0.8, 1));
		const of = (changed: Partial<ClipMetrics>) => ({ metrics: { ...metrics, ...changed }, source: metrics.grain });
		expect(compareBy('niqe', of({}), of({ grain: null }))).toEqual({ comparable: false, why: 'grain-unknown' });
		expect(compareBy('flicker', of({}), of({ method: 0 }))).toEqual({ comparable: false, why: 'method-differs' });
		// An enlarged version: what is told in pixels says nothing, what is told of brightness does.
		const large = of({
			size: { width: 384, height: 288 },
			grain: { ...metrics.grain!, size: { width: 384, height: 288 } },
		});
		expect(compareBy('sharpness', of({}), large)).toEqual({ comparable: false, why: 'size-differs' });
		expect(compareBy('grainAmplitude', of({}), large)).toEqual({ comparable: false, why: 'size-differs' });
		expect(compareBy('grainAmplitude', large, large)).toEqual({ comparable: false, why: 'missing' });
		expect(compareBy('instability', of({}), large)).toMatchObject({ comparable: true, difference: 0 });
		expect(compareBy('ssim', of({}), of({}))).toEqual({ comparable: false, why: 'missing' });
		const psnr = (value: number) => of({ values: { ...metrics.values, psnr: value } });
		// A difference may be told; a verdict it is not.
		expect(compareBy('psnr', psnr(40), psnr(30))).toEqual({ comparable: true, difference: 10, better: 'none' });
	});
});

describe('real film', () => {
	it('keeps each metric to what it is about', async (ctx) => {
		const frames = readFrames(dataFile(ctx, 'film/street-1900s.mp4'), {
			start: 120,
			count: 9,
			crop: { width: 320, height: 240 },
		});
		const plain = await measureClip(frames, { every: 4 });
		const changed = async (change: (frame: NativeFrame, t: number) => NativeFrame) =>
			(await measureClip(frames.map(change), { every: 4 })).values;
		const overAll = (frame: NativeFrame, change: (value: number, i: number) => number): NativeFrame => ({
			...frame,
			data: frame.data.map(change),
		});

		const soft = await changed((frame) => {
			const channels = [0, 1, 2].map(
				(c) => blurred({ ...frame, data: frame.data.subarray(c * 76_800, (c + 1) * 76_800) }, 1.2).data,
			);
			return overAll(frame, (_, i) => channels[Math.floor(i / 76_800)]![i % 76_800]!);
		});
		expect(soft.sharpness).toBeLessThan(plain.values.sharpness! - 0.8);
		expect(soft.niqe).toBeGreaterThan(plain.values.niqe! + 0.5);

		const pumping = await changed((frame, t) => overAll(frame, (value) => value * (t % 2 ? 1.04 : 0.96)));
		expect(pumping.flicker).toBeGreaterThan(plain.values.flicker! + 1);
		expect(pumping.sharpness! / plain.values.sharpness!).toBeCloseTo(1, 1);

		const noisy = await changed((frame, t) => grainyFrame(frame, 6, 0.8, 40 + t));
		expect(noisy.noise).toBeGreaterThan(4.5);
		expect(noisy.noise).toBeGreaterThan(plain.values.noise! + 2);

		const coded = (
			await measureClip(throughCodec(frames, ['-c:v', 'mpeg2video', '-q:v', '25', '-pix_fmt', 'yuv420p']), { every: 4 })
		).values;
		expect(coded.blockiness).toBeGreaterThan(plain.values.blockiness! + 15);
	});

	it('loses its grain in a codec, the more the harder it is pressed', async (ctx) => {
		const clean = readFrames(dataFile(ctx, 'video/gestures/walk.mkv'), {
			start: 30,
			count: 10,
			crop: { width: 320, height: 240 },
		});
		const version = clean.map((frame, t) => grainyFrame(frame, 6, 0.8, 10 + t));
		const losses = [];
		for (const crf of [4, 18, 24, 32]) losses.push(await measureCodecLoss(version, throughCodec(version, x264(crf))));
		const kept = losses.map((loss) => loss.kept!);
		for (let i = 1; i < kept.length; i++) expect(kept[i]).toBeLessThan(kept[i - 1]!);
		expect(kept[0]).toBeGreaterThan(0.95);
		expect(kept[3]).toBeLessThan(0.2);
		expect(losses.map(({ asksOnCrops }) => asksOnCrops)).toEqual(kept.map((k) => k < 0.9));
		expect(losses[0]!.asksOnCrops).toBe(false);
		// The finest grain goes first.
		const { bands } = losses[2]!;
		expect(bands[0]!.own).toBeGreaterThan(bands.at(-1)!.own + 0.2);
	});
});

describe('codec loss', () => {
	const version = clip(6, 0.8, 1, 4);

	it('is none for a copy', async () => {
		const loss = await measureCodecLoss(version, version);
		expect(loss).toMatchObject({ pairs: 1, kept: 1, power: 1, own: 1, asksOnCrops: false });
		expect(loss.sigma / 6).toBeGreaterThan(0.8);
		expect(loss.sigma / 6).toBeLessThan(1.1);
	});

	it('of grain at half its strength is three quarters of the power, and half of what is its own', async () => {
		const weak = version.map((frame) => {
			const still = grayFrame(scene);
			return { ...frame, data: frame.data.map((value, i) => (value + still.data[i]!) / 2) };
		});
		const loss = await measureCodecLoss(version, weak);
		expect(loss.power).toBeCloseTo(0.25, 2);
		expect(loss.own).toBeCloseTo(0.5, 2);
		expect(loss).toMatchObject({ kept: loss.power, asksOnCrops: true });
	});

	it('counts grain that a decoder made up as lost', async () => {
		const loss = await measureCodecLoss(version, clip(6, 0.8, 700, 4));
		expect(loss.power).toBeCloseTo(1, 0);
		expect(Math.abs(loss.own!)).toBeLessThan(0.1);
		expect(loss.asksOnCrops).toBe(true);
	});

	it('has nothing to say of a version without grain', async () => {
		const still = grayFrame(scene);
		const loss = await measureCodecLoss([still, still], [still, still]);
		expect(loss).toMatchObject({ kept: null, asksOnCrops: false, bands: [] });
	});

	it('refuses clips that are no copy of the version', async () => {
		await expect(measureCodecLoss(version, version.slice(1))).rejects.toMatchObject({ code: 'usage' });
		await expect(measureCodecLoss(version, [grayFrame(planeOf(64, 64, () => 0.5))])).rejects.toMatchObject({
			code: 'usage',
		});
		await expect(measureCodecLoss(version.slice(1, 2), version)).rejects.toMatchObject({ code: 'usage' });
	});
});

describe('crops', () => {
	/** Grainy and flat in the middle of the right half; texture on the left, black at the bottom, white at the top. */
	const place = (seed: number, texture = 0.2) => {
		const base = planeOf(640, 480, (x, y) => {
			if (y < 112) return 0.98;
			if (y > 368) return 0.02;
			return x < 320 ? 0.45 + texture * Math.sin(x / 1.5) * Math.cos(y / 1.3) : 0.45;
		});
		return grayFrame(plus(base, noisePlane(640, 480, seed), 4));
	};

	it('are cut where grain is seen best', () => {
		const [best] = chooseCrops([[place(1), place(2)]], { size: { width: 256, height: 192 } });
		expect(best!.rect).toMatchObject({ width: 256, height: 192 });
		expect(best!.rect.x).toBeGreaterThanOrEqual(320);
		expect(best!.rect.y).toBeGreaterThanOrEqual(96);
		expect(best!.rect.y + 192).toBeLessThanOrEqual(384);
		expect(best!.score).toBeGreaterThan(0.7);
	});

	it('do not overlap, are as many as fit, and all versions have a say', () => {
		const two = chooseCrops(
			[
				[place(1), place(2)],
				[place(1, 0), place(2, 0)],
			],
			{ size: { width: 256, height: 192 }, count: 2 },
		);
		expect(two).toHaveLength(2);
		const [a, b] = two.map(({ rect }) => rect);
		expect(Math.abs(a!.x - b!.x) >= 256 || Math.abs(a!.y - b!.y) >= 192).toBe(true);
		expect(two[0]!.score).toBeGreaterThanOrEqual(two[1]!.score);
		expect(chooseCrops([[place(1), place(2)]], { count: 9 }).length).toBeLessThan(9);
	});

	it('of a small picture are the picture', () => {
		const small = grayFrame(planeOf(100, 80, () => 0.5));
		expect(chooseCrops([[small, small]])).toEqual([
			{ rect: { x: 0, y: 0, width: 100, height: 80 }, score: expect.any(Number) as number },
		]);
		expect(() => chooseCrops([])).toThrow(EmulsionError);
		expect(() => chooseCrops([[small, place(1)]])).toThrow(EmulsionError);
	});
});
