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

/** Onsets of the beeps, on the same clock: edit lists and priming as a player applies them. */
function beepsAt(file: string): number[] {
	// Filled with silence from one second below zero on.
	const filter = `aresample=${RATE}:async=1:min_hard_comp=0.001:first_pts=${-RATE}`;
	const bytes = ffmpeg('-copyts', '-i', file, '-map', '0:a:0', '-af', filter, '-ac', '1', '-f', 's16le', '-');
	const onsets: number[] = [];
	let last = -Infinity;
	for (let i = 0; i + 1 < bytes.length; i += 2) {
		if (Math.abs(bytes.readInt16LE(i)) <= 5000) continue;
		const time = i / 2 / RATE - 1;
		if (time - last > 0.05) onsets.push(time);
		last = time;
	}
	return onsets;
}

function beepAt(file: string): number {
	const [first] = beepsAt(file);
	if (first === undefined) throw new Error(`${file}: no beep`);
	return first;
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

describe('sound that starts before the picture', () => {
	/** The picture starts 0.48 s late: a beep at 0.1 s is heard before it, one at 0.96 s with the flash. */
	const early = (name: string, ...options: string[]): string => {
		const path = tmp.path(name);
		ffmpeg(
			...['-f', 'lavfi', '-i', "color=black:s=64x48:r=25:d=1,drawbox=c=white:t=fill:enable='eq(n,12)',format=yuv420p"],
			...['-f', 'lavfi'],
			...['-i', `aevalsrc='if(between(t,0.1,0.2)+between(t,0.96,1.08),0.8*sin(2*PI*1000*t),0)':s=${RATE}:d=1.6`],
			...['-filter_complex', '[0:v]setpts=PTS+12[v]', '-map', '[v]', '-map', '1:a', '-fps_mode', 'passthrough'],
			...[...options, path],
		);
		return path;
	};
	const firstPicture = (file: string): number =>
		Number(
			ffprobe<{ frames: { pts_time: string }[] }>(
				file,
				...['-select_streams', 'v:0', '-read_intervals', '%+#1', '-show_entries', 'frame=pts_time'],
			).frames[0]!.pts_time,
		);

	it.each<[string, string, readonly string[], readonly string[]]>([
		['an empty edit in MP4, AAC', 'early.mp4', [...h264, '-c:a', 'aac'], ['mp4', 'mkv']],
		['an empty edit in MOV, PCM', 'early.mov', [...h264, '-c:a', 'pcm_s16le'], ['mov', 'webm']],
		[
			'Matroska whose clock starts below zero, FLAC',
			'early.mkv',
			[...h264, '-c:a', 'flac', '-output_ts_offset', '-0.25', '-avoid_negative_ts', 'disabled'],
			['mkv', 'mov'],
		],
		['WebM, Opus', 'early.webm', ['-c:v', 'libvpx', '-c:a', 'libopus'], ['webm', 'mp4']],
	])('%s', async (_what, name, options, outputs) => {
		const input = early(name, ...options);
		// What a muxer rounds or shifts on its way is the source's own.
		const given = beepsAt(input).map((beep) => beep - flashAt(input));
		const lead = firstPicture(input) - flashAt(input);
		for (const extension of outputs) {
			const output = tmp.path(`${name}.out.${extension}`);
			const report = await lab.run([input, '-o', output]);
			expect(report.invariants.filter((i) => !i.ok)).toEqual([]);
			expect(report.input.notices.join()).toMatch(/sound starts 0\.4\d* s before the picture/);
			expect(Math.abs(seconds(report.output.avOffset) + 0.48)).toBeLessThan(AUDIO_FRAME);
			expect(firstPicture(output)).toBeCloseTo(0.48, 1);
			const flash = flashAt(output);
			expect(firstPicture(output) - flash).toBeCloseTo(lead, 2);
			const found = beepsAt(output).map((beep) => beep - flash);
			expect(found).toHaveLength(2);
			found.forEach((beep, i) => {
				expect(Math.abs(beep - given[i]!), `${name} as ${extension}`).toBeLessThan(AUDIO_FRAME / 2);
			});
		}
		// A range begins with its first picture.
		const output = tmp.path(`${name}.range.${outputs[0]!}`);
		const report = await lab.run([input, '-o', output, '--range', '2:25']);
		expect(Math.abs(seconds(report.output.avOffset))).toBeLessThan(AUDIO_FRAME);
		expect(firstPicture(output)).toBeLessThan(AUDIO_FRAME);
		expect(beepsAt(output)).toHaveLength(1);
		expect(Math.abs(beepAt(output) - flashAt(output) - given[1]!)).toBeLessThan(AUDIO_FRAME / 2);
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
