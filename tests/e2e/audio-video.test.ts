/** Picture and sound stay together: a white frame and a beep at the same moment, judged by native ffmpeg. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCode } from '../../src/core/errors.ts';
import { failureOf, ffmpeg, ffprobe, Lab, nativePlanes, type Scratch, scratch } from '../helpers/cli.ts';

const SIZE = 64 * 48;
const RATE = 48_000;
/** One frame of the coarsest audio codec. */
const AUDIO_FRAME = 1024 / RATE;

let lab: Lab;
let tmp: Scratch;

beforeAll(async () => {
	tmp = scratch();
	lab = await Lab.open();
});
afterAll(async () => {
	await lab.close();
	tmp.remove();
});

/** Flash in frame 12 of 25 a second (t = 0.48 s), beep from the same moment on, one second in all. */
function clip(name: string, ...options: string[]): string {
	const path = tmp.path(name);
	ffmpeg(
		...['-f', 'lavfi', '-i', "color=black:s=64x48:r=25:d=1,drawbox=c=white:t=fill:enable='eq(n,12)',format=yuv420p"],
		...['-f', 'lavfi', '-i', `aevalsrc='if(gte(t,0.48)*lt(t,0.6),0.8*sin(2*PI*1000*t),0)':s=${RATE}:d=1`],
		...options,
		path,
	);
	return path;
}

/** Time of the first bright frame, on the file's own clock. */
function flashAt(file: string): number {
	const { frames } = ffprobe<{ frames: { pts_time: string }[] }>(
		file,
		...['-select_streams', 'v:0', '-show_entries', 'frame=pts_time'],
	);
	const gray = nativePlanes(file, 'gray');
	const bright = frames.findIndex(
		(_, i) => gray.subarray(i * SIZE, (i + 1) * SIZE).reduce((a, b) => a + b) / SIZE > 140,
	);
	expect(bright).toBeGreaterThan(0);
	return Number(frames[bright]!.pts_time);
}

/** Onset of the beep, on the same clock: edit lists and priming as a player applies them. */
function beepAt(file: string): number {
	const filter = `aresample=${RATE}:async=1:min_hard_comp=0.001:first_pts=0`;
	const bytes = ffmpeg('-copyts', '-i', file, '-map', '0:a:0', '-af', filter, '-ac', '1', '-f', 's16le', '-');
	for (let i = 0; i + 1 < bytes.length; i += 2) if (Math.abs(bytes.readInt16LE(i)) > 5000) return i / 2 / RATE;
	throw new Error(`${file}: no beep`);
}

/** A rational number of the report. */
function seconds(text: string | null): number {
	const [num, den = 1] = (text ?? 'NaN').split('/').map(Number);
	return num! / den;
}

const apart = (file: string): number => Math.abs(flashAt(file) - beepAt(file));

const h264 = ['-c:v', 'libx264', '-bf', '2', '-g', '12'];
const SOURCES: readonly [string, string, readonly string[]][] = [
	['AAC with priming in MP4', 'aac.mp4', [...h264, '-c:a', 'aac', '-b:a', '128k']],
	['PCM in MOV', 'pcm.mov', [...h264, '-c:a', 'pcm_s16le']],
	// Sound that starts 0.2 s after the picture.
	[
		'late sound in Matroska',
		'late.mkv',
		['-filter_complex', '[1:a]atrim=start=0.2[a]', '-map', '0:v', '-map', '[a]', ...h264, '-c:a', 'flac'],
	],
	// An edit list that cuts the start of the picture away.
	['an edit list', 'edit.mp4', ['-ss', '0.2', ...h264, '-c:a', 'aac']],
];

describe('flash and beep', () => {
	it.each(SOURCES)('%s', async (_what, name, options) => {
		const input = clip(name, ...options);
		expect(apart(input)).toBeLessThan(AUDIO_FRAME);
		for (const extension of ['mp4', 'mov', 'mkv']) {
			const output = tmp.path(`${name}.out.${extension}`);
			const report = await lab.run([input, '-o', output]);
			expect(report.invariants.filter((i) => !i.ok)).toEqual([]);
			expect(report.output.audio).not.toBeNull();
			const offset = seconds(report.output.avOffset) - (name === 'late.mkv' ? 0.2 : 0);
			expect(Math.abs(offset), `${name} as ${extension}: ${report.output.avOffset}`).toBeLessThan(AUDIO_FRAME);
			expect(apart(output), `${name} as ${extension}, ${report.output.audio}`).toBeLessThan(AUDIO_FRAME);
		}
	});

	it('stays together in a range', async () => {
		const input = clip('range.mp4', ...h264, '-c:a', 'aac');
		const output = tmp.path('range-out.mov');
		const report = await lab.run([input, '-o', output, '--range', '5:20']);
		expect(report.output.frames).toBe(15);
		expect(apart(output)).toBeLessThan(AUDIO_FRAME);
		expect(flashAt(output)).toBeCloseTo(7 / 25, 3);
	});
});

describe('a stretched timeline', () => {
	const recipe = { version: 1, stages: [{ stage: 'interpolate', params: { factor: 1, slow: 2 } }] };

	it('needs a choice for the sound: refused without one, made with one', async () => {
		const input = clip('slow.mkv', ...h264, '-c:a', 'pcm_s16le');
		const error = await failureOf(lab.run([input, '-o', tmp.path('none.mov')], { recipe }));
		expect(error.message).toMatch(/stretched: choose .*keep-pitch, resample or drop/);
		expect(exitCode(error)).toBe(2);
		expect(tmp.names().filter((name) => name.startsWith('none'))).toEqual([]);
		for (const mode of ['keep-pitch', 'resample', 'drop']) {
			const output = tmp.path(`slow-${mode}.mov`);
			const report = await lab.run([input, '-o', output, '--stretch', mode], { recipe });
			expect(Number(report.output.duration)).toBe(2);
			expect(report.invariants.filter((i) => !i.ok)).toEqual([]);
			if (mode === 'drop') {
				expect(report.output.audio).toBeNull();
				continue;
			}
			const { streams } = ffprobe<{ streams: { codec_type: string; duration: string }[] }>(output, '-show_streams');
			const sound = streams.find((s) => s.codec_type === 'audio');
			expect(Math.abs(Number(sound?.duration) - 2)).toBeLessThan(0.05);
			// Keeping pitch works in windows of some tens of milliseconds; resampling is exact.
			expect(apart(output), mode).toBeLessThan(mode === 'resample' ? AUDIO_FRAME : 0.06);
		}
	});
});
