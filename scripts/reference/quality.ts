/**
 * `npx tsx scripts/reference/quality.ts [DATA]`: prints the tables of `src/analysis/quality/README.md` (DATA: default `$EMULSION_DATA` or
 * `../shared/data`): what each metric says of photographs that were spoiled by known amounts, of grain that is one or another, and how much of its grain a
 * version keeps in a codec.
 */

import { join } from 'node:path';
import { blockiness } from '../../src/analysis/quality/blockiness.ts';
import { measureClip } from '../../src/analysis/quality/clip.ts';
import { measureCodecLoss } from '../../src/analysis/quality/codec-loss.ts';
import { ClipGrain } from '../../src/analysis/quality/grain.ts';
import { niqe } from '../../src/analysis/quality/niqe.ts';
import { lumaOf, type Plane } from '../../src/analysis/quality/planes.ts';
import { ssim } from '../../src/analysis/quality/reference.ts';
import { blurred, grainyFrame, noisePlane, plus } from '../../src/analysis/quality/scenes.testkit.ts';
import { sharpness } from '../../src/analysis/quality/sharpness.ts';
import { grainDistance } from '../../src/core/quality-compare.ts';
import { type NativeFrame, readFrames, readStill, throughCodec } from '../../tests/helpers/native-frames.ts';

const DATA = process.argv[2] ?? process.env['EMULSION_DATA'] ?? '../shared/data';
const row = (...cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);
const head = (...cells: readonly string[]): void => {
	console.log('');
	row(...cells);
	row(...cells.map(() => '---'));
};
const spread = (values: readonly (number | null)[], digits: number): string => {
	const known = values.filter((v) => v !== null).sort((a, b) => a - b);
	const mean = known.reduce((a, b) => a + b, 0) / known.length;
	return `${mean.toFixed(digits)} (${known[0]!.toFixed(digits)}…${known.at(-1)!.toFixed(digits)})`;
};

/** What twelve photographs measure after one treatment each: mean, least and most. */
function photographs(): void {
	const stills = Array.from({ length: 12 }, (_, i) =>
		readStill(join(DATA, `photos/eval/kodak${String(i + 1).padStart(2, '0')}.png`)),
	);
	const jpeg =
		(q: number) =>
		(still: NativeFrame): Plane =>
			lumaOf(throughCodec([still], ['-c:v', 'mjpeg', '-q:v', String(q), '-pix_fmt', 'yuvj420p'], 'mjpeg')[0]!);
	const noise =
		(codes: number, size: number) =>
		(still: NativeFrame): Plane =>
			plus(lumaOf(still), noisePlane(still.width, still.height, 9, size), codes);
	const treatments: readonly (readonly [string, (still: NativeFrame) => Plane])[] = [
		['as they are', lumaOf],
		...[0.5, 1, 2].map((s) => [`blur, σ ${s} px`, (still: NativeFrame) => blurred(lumaOf(still), s)] as const),
		...[3, 6, 12].map((c) => [`white noise, σ ${c}`, noise(c, 0)] as const),
		...[3, 6, 12].map((c) => [`grain of 0.8 px, σ ${c}`, noise(c, 0.8)] as const),
		...[2, 8, 16, 31].map((q) => [`JPEG, ffmpeg’s -q:v ${q}`, jpeg(q)] as const),
	];
	head('12 photographs', 'sharpness, dB', 'blockiness, %', 'NIQE', 'SSIM');
	const originals = stills.map(lumaOf);
	for (const [name, treat] of treatments) {
		const lumas = stills.map(treat);
		row(
			name,
			spread(lumas.map(sharpness), 2),
			spread(lumas.map(blockiness), 1),
			spread(lumas.map(niqe), 2),
			spread(
				lumas.map((luma, i) => ssim(luma, originals[i]!)),
				3,
			),
		);
	}
}

const CLIPS = ['video/gestures/walk.mkv', 'video/bigbuckbunny.mp4', 'video/vtest.avi', 'video/car-detection.mp4'];

/** How far grain laid by another seed, weaker or coarser lies from the first. */
function grain(): void {
	const cases = [
		['another seed', 1, 1],
		['10 % weaker', 0.9, 1],
		['20 % weaker', 0.8, 1],
		['20 % coarser', 1, 1.2],
		['50 % coarser', 1, 1.5],
		['none', 0, 1],
	] as const;
	head('grain against the first', 'amplitude, dB', 'spectrum');
	const found = cases.map(() => ({ amplitude: [] as number[], spectrum: [] as number[] }));
	let seed = 1;
	for (const path of CLIPS) {
		const pair = readFrames(join(DATA, path), { start: 40, count: 2, crop: { width: 640, height: 272 } });
		for (const [codes, size] of [
			[3, 1],
			[4, 0.7],
			[8, 1.2],
		] as const) {
			const summary = (strength: number, scale: number) => {
				const meter = new ClipGrain();
				const [a, b] = pair.map((frame) => grainyFrame(frame, codes * strength, size * scale, seed++));
				meter.add(a!, b!);
				return meter.summary({ width: a!.width, height: a!.height })!;
			};
			const first = summary(1, 1);
			cases.forEach(([, strength, scale], i) => {
				const { amplitude, spectrum } = grainDistance(summary(strength, scale), first)!;
				found[i]!.amplitude.push(amplitude);
				found[i]!.spectrum.push(spectrum);
			});
		}
	}
	cases.forEach(([name], i) => row(name, spread(found[i]!.amplitude, 2), spread(found[i]!.spectrum, 3)));
}

/** What x264 leaves of grain. */
async function codec(): Promise<void> {
	const grainy = readFrames(join(DATA, CLIPS[0]!), { start: 30, count: 18 }).map((frame, t) =>
		grainyFrame(frame, 6, 0.8, 500 + t),
	);
	const film = readFrames(join(DATA, 'film/street-1900s.mp4'), { start: 30, count: 18 });
	head(
		'x264 -preset medium',
		'laid grain, σ 6: kept',
		'power by band',
		'own by band',
		'1900s film: kept',
		'power',
		'own',
	);
	for (const crf of [1, 8, 12, 15, 18, 21, 23, 28, 34]) {
		const coder = ['-c:v', 'libx264', '-preset', 'medium', '-crf', String(crf), '-pix_fmt', 'yuv420p'];
		const [laid, real] = [
			await measureCodecLoss(grainy, throughCodec(grainy, coder)),
			await measureCodecLoss(film, throughCodec(film, coder)),
		];
		const list = (values: readonly number[]): string => values.map((v) => v.toFixed(2)).join(' ');
		const bands = [list(laid.bands.map(({ power }) => power)), list(laid.bands.map(({ own }) => own))];
		row(
			`CRF ${crf}`,
			laid.kept!.toFixed(3),
			...bands,
			real.kept!.toFixed(3),
			real.power!.toFixed(3),
			real.own!.toFixed(3),
		);
	}
}

/** What treatments that people know do to real film. */
async function film(): Promise<void> {
	const frames = readFrames(join(DATA, 'film/street-1900s.mp4'), { start: 120, count: 37 });
	const raw = ['-c:v', 'ffv1'];
	const versions: readonly (readonly [string, readonly NativeFrame[]])[] = [
		['the scan', frames],
		['deflicker=size=7', throughCodec(frames, ['-vf', 'deflicker=size=7', ...raw])],
		['hqdn3d=4:3:8:8', throughCodec(frames, ['-vf', 'hqdn3d=4:3:8:8', ...raw])],
		['gblur=sigma=1', throughCodec(frames, ['-vf', 'gblur=sigma=1', ...raw])],
		['unsharp=5:5:0.8', throughCodec(frames, ['-vf', 'unsharp=5:5:0.8', ...raw])],
		['MPEG-2, -q:v 20', throughCodec(frames, ['-c:v', 'mpeg2video', '-q:v', '20', '-pix_fmt', 'yuv420p'])],
	];
	const source = (await measureClip(frames, { total: frames.length })).grain!;
	head(
		'1900s film through ffmpeg',
		'sharpness',
		'noise',
		'grain amplitude',
		'grain spectrum',
		'flicker',
		'instability',
		'blockiness',
		'NIQE',
	);
	for (const [name, clip] of versions) {
		const { values: v, grain: own } = await measureClip(clip, { total: clip.length });
		const { amplitude, spectrum } = grainDistance(own!, source)!;
		const figures = [v.sharpness, v.noise, amplitude, spectrum, v.flicker, v.instability, v.blockiness, v.niqe];
		row(name, ...figures.map((value, i) => value!.toFixed(i === 3 ? 3 : 2)));
	}
}

photographs();
grain();
await codec();
await film();
