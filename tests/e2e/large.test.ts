/**
 * A film whose output is larger than 4 GiB, through the whole of the terminal: Chromium, muxer, ordered writes, reading back, renaming. A few
 * small pictures, and sound that is little as FLAC and 4.6 MB a second as PCM: tones at both ends, silence between, which the
 * writer leaves out of the file as a hole. (Input beyond 4 GiB: `bad-input.test.ts`.)
 */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportReport } from '../../src/contracts/report.ts';
import { cli, ffmpeg, ffprobe, psnr, type Scratch, scratch, words } from '../helpers/cli.ts';

const RATE = 192_000;
/** Bytes of a sample over eight channels. */
const FRAME = 24;
/** Seconds: a tone, silence in tens, a tone. */
const QUIET = 95;
const SECONDS = 1 + 10 * QUIET + 1;
const PICTURES = 4;
const SIZE = { width: 64, height: 48 };

let tmp: Scratch;

beforeAll(() => {
	tmp = scratch();
});
afterAll(() => {
	tmp.remove();
});

function makeFilm(): { readonly film: string; readonly tone: string } {
	// Packets of a whole fraction of a second, so that copies of them join without a gap.
	const flac = ['-c:a', 'flac', '-sample_fmt', 's32', '-frame_size', '16000', '-strict', '-2'];
	const [tone, quiet, list, film] = ['tone.mp4', 'quiet.mp4', 'list.txt', 'film.mkv'].map((name) => tmp.path(name));
	const channels = Array.from({ length: 8 }, (_, i) => `0.${i + 1}*sin(${2000 + 300 * i}*t)`).join('|');
	ffmpeg('-f', 'lavfi', '-i', `aevalsrc='${channels}':s=${RATE}:c=7.1:d=1`, ...flac, tone!);
	ffmpeg('-f', 'lavfi', '-i', `anullsrc=r=${RATE}:cl=7.1:d=10`, ...flac, quiet!);
	const entry = (file: string, seconds: number): string => `file ${file}\nduration ${seconds}\n`;
	writeFileSync(list!, entry(tone!, 1) + entry(quiet!, 10).repeat(QUIET) + entry(tone!, 1));
	const spacing = (SECONDS - 1) / (PICTURES - 1);
	ffmpeg(
		...['-f', 'lavfi', '-i', `testsrc2=s=${SIZE.width}x${SIZE.height}:r=1:d=${PICTURES}`],
		...['-f', 'concat', '-safe', '0', '-i', list!],
		...['-filter_complex', `[0:v]setpts=N*${spacing}/TB,format=yuv422p10le[v]`, '-map', '[v]', '-map', '1:a'],
		...['-fps_mode', 'passthrough', '-c:v', 'ffv1', '-c:a', 'copy', film!],
	);
	return { film: film!, tone: tone! };
}

/** 10-bit planes of all pictures. */
const planes = (file: string): Uint16Array =>
	words(ffmpeg('-i', file, '-map', '0:v', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'));
/** A second of sound from a time on, as the file holds it. */
const soundAt = (file: string, seconds: number): Buffer =>
	ffmpeg('-ss', String(seconds), '-t', '1', '-i', file, '-map', '0:a', '-f', 's24le', '-');

describe('a film beyond 4 GiB', () => {
	it('is written, proven and published by the terminal; its sound is never in memory as a whole', async () => {
		const { film, tone } = makeFilm();
		const [out, json] = [tmp.path('out', 'film.mov'), tmp.path('report.json')];
		const run = await cli([film, '-o', out, '--backend', 'wasm', '--report', json]);
		expect(run.code, run.err).toBe(0);
		const report = JSON.parse(readFileSync(json, 'utf8')) as ExportReport & {
			readonly processMemory: Readonly<Record<string, number>>;
		};
		expect(report.output.audio).toBe('PCM 24 bit (transcoded)');
		expect(report.invariants.map(({ name, ok }) => `${name} ${ok}`)).toContain('bytes-on-disk true');
		expect(tmp.names('out')).toEqual(['film.mov']);
		const { size, blocks } = statSync(out);
		expect(size).toBe(report.output.bytes);
		expect(size).toBeGreaterThan(2 ** 32 + 2 ** 26);
		// The silence is a hole.
		expect(blocks * 512).toBeLessThan(2 ** 26);
		for (const [process, bytes] of Object.entries(report.processMemory)) expect(bytes, process).toBeLessThan(2 ** 30);

		const { packets, streams } = ffprobe<{
			packets: { pos: string; pts_time: string }[];
			streams: { codec_type: string; duration_ts: number }[];
		}>(out, '-show_streams', '-select_streams', 'v', '-show_packets');
		expect(packets.map((p) => Number(p.pts_time))).toEqual([0, 317, 634, SECONDS - 1]);
		expect(Number(packets[0]!.pos)).toBeLessThan(2 ** 16);
		expect(Number(packets.at(-1)!.pos)).toBeGreaterThan(2 ** 32);
		expect(streams).toHaveLength(1);
		// ProRes of the pictures at both ends, and of those between.
		expect(psnr(planes(out), planes(film), 1023)).toBeGreaterThan(35);
		const [heard, whole] = [soundAt(tone, 0), RATE * FRAME];
		expect(heard).toHaveLength(whole);
		expect(soundAt(out, 0).equals(heard)).toBe(true);
		expect(soundAt(out, SECONDS / 2).equals(Buffer.alloc(whole))).toBe(true);
		expect(soundAt(out, SECONDS - 1).equals(heard)).toBe(true);
	}, 900_000);
});
