/** What the terminal promises about pictures it does not change: bit by bit, with their own time, names and headers. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportFile } from '../../src/contracts/report.ts';
import {
	ffmpeg,
	ffprobe,
	Lab,
	nativeFrameMd5,
	nativePlanes,
	nativeTimes,
	psnr,
	type Scratch,
	scratch,
	sha256,
	words,
} from '../helpers/cli.ts';

const FRAMES = 6;
const INVARIANTS = ['av-offset', 'bytes-on-disk', 'duration', 'frame-count', 'timestamps'];
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

/** A noisy moving picture (all codes of its depth) coded without loss, 64×48. */
function lossless(name: string, pixelFormat: string, rate = '24', ...more: string[]): string {
	const path = tmp.path(name);
	const picture = `testsrc2=size=64x48:rate=${rate},trim=end_frame=${FRAMES},format=gbrp16le,noise=alls=20:allf=t`;
	ffmpeg('-f', 'lavfi', '-i', picture, ...more, '-pix_fmt', pixelFormat, '-c:v', 'ffv1', '-level', '3', path);
	return path;
}

/** Frames of a sequence from a lossless clip. */
function frames(folder: string, pattern: string, pixelFormat: string, first: number, ...more: string[]): string {
	mkdirSync(tmp.path(folder));
	const clip = lossless(`${folder}.mkv`, pixelFormat);
	ffmpeg('-i', clip, ...more, '-pix_fmt', pixelFormat, '-start_number', String(first), tmp.path(folder, pattern));
	return tmp.path(folder);
}

const rational = /^-?\d+(\/\d+)?$/;

/** The shape that `ReportFile` promises, at run time. */
function checkReport(report: ReportFile, input: string, count: number): void {
	const hash = /^[0-9a-f]{64}$/;
	expect(report).toMatchObject({
		version: 1,
		app: expect.stringMatching(/^Emulsion /) as string,
		input: {
			name: basename(input),
			sha256: expect.stringMatching(hash) as string,
			engine: expect.stringMatching(/^(ffmpeg|webcodecs|scans)$/) as string,
			engineReason: expect.stringMatching(/./) as string,
			frames: count,
			duration: expect.stringMatching(rational) as string,
			timebase: expect.stringMatching(rational) as string,
		},
		output: {
			sha256: expect.stringMatching(hash) as string,
			frames: count,
			duration: expect.stringMatching(rational) as string,
			timebase: expect.stringMatching(rational) as string,
		},
		backend: { kind: 'wasm', name: expect.stringMatching(/./) as string, reason: expect.stringMatching(/./) as string },
		models: [],
		chunks: { total: 1, resumed: 0 },
		recipe: { version: 1 },
	});
	for (const side of [report.input, report.output]) {
		expect(side.frameMd5).toHaveLength(count);
		for (const md5 of side.frameMd5) expect(md5).toMatch(/^[0-9a-f]{32}$/);
		expect(side.bytes).toBeGreaterThan(0);
		expect(side.avOffset === null || rational.test(side.avOffset)).toBe(true);
	}
	const { total, decode, encode, cache } = report.seconds;
	for (const seconds of [total, decode, encode, cache]) expect(seconds).toBeGreaterThanOrEqual(0);
	expect(total).toBeGreaterThan(0);
	for (const stage of report.seconds.stages) {
		expect(Object.keys(stage).sort()).toEqual([
			'computeSeconds',
			'frames',
			'id',
			'readbackSeconds',
			'stage',
			'uploadSeconds',
		]);
	}
	expect(report.invariants.map((i) => i.name).sort()).toEqual(INVARIANTS);
	expect(report.invariants.filter((i) => !i.ok)).toEqual([]);
	const { original, repaired, generated } = report.provenance;
	expect(original + repaired + generated).toBeCloseTo(count, 6);
	expect(Number.isFinite(report.peakMemoryBytes)).toBe(true);
}

describe('empty recipe into .mkv', () => {
	it.each([
		['yuv420p', 'yuv420p'],
		['yuv422p10le', 'yuv422p10le'],
		['yuv444p12le', 'yuv444p12le'],
		['yuv420p16le', 'yuv420p16le'],
		['yuv411p', 'yuv411p'],
		['yuva444p10le', 'yuva444p10le'],
		['bgr0', 'gbrp'],
		['gbrp10le', 'gbrp10le'],
		['gbrp16le', 'gbrp16le'],
		['gray', 'gray'],
		['gray16le', 'gray16le'],
	])('%s comes out bit by bit, and the report says what was read and written', async (coded, planar) => {
		const input = lossless(`copy-${coded}.mkv`, coded, '24000/1001');
		const output = tmp.path(`copied-${coded}.mkv`);
		const report = await lab.run([input, '-o', output]);
		const [expected, found] = [nativeFrameMd5(input, planar), nativeFrameMd5(output, planar)];
		expect(new Set(expected).size).toBe(FRAMES);
		expect(found).toEqual(expected);
		expect(report.input.frameMd5).toEqual(expected);
		expect(report.output.frameMd5).toEqual(expected);
		expect(nativeTimes(output)).toEqual(nativeTimes(input));
		expect(report.output.sha256).toBe(sha256(output));
		expect(report.input.sha256).toBe(sha256(input));
		expect(report.output.conversions).toEqual([]);
		expect(report.provenance.copiedFrames).toBe(FRAMES);
		checkReport(report, input, FRAMES);
	});

	it('keeps irregular times, audio as it was, and takes a range of both', async () => {
		const input = tmp.path('vfr.mkv');
		ffmpeg(
			...['-f', 'lavfi', '-i', "testsrc2=size=64x48:rate=25,trim=end_frame=12,settb=1/1000,setpts='40*N+13*mod(N,3)'"],
			...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=0.6'],
			...['-fps_mode', 'passthrough', '-c:v', 'ffv1', '-c:a', 'flac', input],
		);
		const whole = tmp.path('vfr-out.mkv');
		const report = await lab.run([input, '-o', whole]);
		expect(nativeTimes(whole)).toEqual(nativeTimes(input));
		expect(new Set(nativeTimes(input).pts.map((t, i, all) => t - (all[i - 1] ?? 0))).size).toBeGreaterThan(2);
		expect(report.output.audio).toBe('FLAC (copied)');
		const samples = (file: string) => ffmpeg('-i', file, '-map', '0:a', '-f', 's16le', '-');
		expect(samples(whole).equals(samples(input))).toBe(true);
		const part = tmp.path('vfr-part.mkv');
		const ranged = await lab.run([input, '-o', part, '--range', '2:7']);
		expect(ranged.input.frames).toBe(5);
		expect(nativeFrameMd5(part)).toEqual(nativeFrameMd5(input).slice(2, 7));
		const [from, taken] = [nativeTimes(input).pts.slice(2, 7), nativeTimes(part).pts];
		expect(taken.map((t) => t - taken[0]!)).toEqual(from.map((t) => t - from[0]!));
		const silent = await lab.run([input, '-o', tmp.path('silent.mkv'), '--audio', 'none']);
		expect(silent.output.audio).toBeNull();
		expect(ffprobe<{ streams: unknown[] }>(tmp.path('silent.mkv'), '-show_streams').streams).toHaveLength(1);
	});
});

describe('lossy containers', () => {
	it.each([
		['out.mp4', 'h264', 'yuv420p', 38, []],
		['out.mov', 'prores', 'yuv422p10le', 39, []],
		['out4444.mov', 'prores', 'yuv444p10le', 44, ['--codec', 'prores-4444']],
		['out.webm', 'vp9', 'yuv420p', 32, []],
		['out-av1.mp4', 'av1', 'yuv420p', 32, ['--codec', 'av1']],
		['out-vp9.mp4', 'vp9', 'yuv420p', 32, ['--codec', 'vp9']],
	])('%s: %s keeps time exactly and the picture closely', async (name, codec, planar, floor, options) => {
		const input = tmp.path(`${name}-in.mov`);
		const source = `testsrc2=size=96x64:rate=30000/1001,trim=end_frame=${FRAMES}`;
		ffmpeg('-f', 'lavfi', '-i', source, '-pix_fmt', planar, '-c:v', 'ffv1', '-f', 'nut', input);
		const output = tmp.path(name);
		const report = await lab.run([input, '-o', output, ...options]);
		const { streams } = ffprobe<{ streams: { codec_name: string; avg_frame_rate: string }[] }>(output, '-show_streams');
		expect(streams.map((s) => s.codec_name)).toEqual([codec]);
		const { pts, timebase } = nativeTimes(output);
		const tick = 1 / Number(timebase.split('/')[1]);
		const exact = name.endsWith('webm') ? 0.5 * tick + 1e-9 : 1e-9;
		pts.forEach((t, i) => expect(Math.abs((t - pts[0]!) * tick - (i * 1001) / 30000)).toBeLessThanOrEqual(exact));
		if (!name.endsWith('webm')) expect(streams[0]!.avg_frame_rate).toBe('30000/1001');
		const deep = planar.includes('10');
		const [a, b] = [nativePlanes(input, planar), nativePlanes(output, planar)];
		expect(psnr(deep ? words(a) : a, deep ? words(b) : b, deep ? 1023 : 255)).toBeGreaterThan(floor);
		expect(report.output.conversions).toEqual([]);
		checkReport(report, input, FRAMES);
	});
});

describe('image sequences', () => {
	it.each([
		['png', 'rgb24', 860, 'srgb', []],
		['png', 'rgb48be', 1, 'srgb', []],
		['png', 'gray', 99998, 'srgb', []],
		['tiff', 'rgb24', 7, 'srgb', []],
		['tiff', 'rgb48le', 7, 'bt709', []],
		['dpx', 'rgb24', 1, 'linear', []],
		['dpx', 'gbrp10be', 86400, 'log', []],
		['dpx', 'gbrp12be', 1, 'linear', []],
		['dpx', 'rgb48be', 1, 'linear', []],
		['exr', 'gbrpf32le', 42, 'linear', ['-format', 'half', '-compression', 'zip1']],
	])('.%s (%s): own names and numbers, the same samples', async (extension, pixelFormat, first, transfer, encoder) => {
		const folder = `${extension}-${pixelFormat}`;
		// ffmpeg's EXR writer takes float only; through half floats it is exact again.
		const coded = extension === 'exr' ? 'gbrp' : pixelFormat;
		const input =
			extension === 'exr'
				? exrFrames(folder, first, encoder)
				: frames(folder, `roll-A_%06d.${extension}`, coded, first, ...encoder);
		const output = tmp.path(`${folder}-out`);
		const report = await lab.run([input, '-o', `${output}/*.${extension}`, '--transfer', transfer, '--rate', '18']);
		expect(tmp.names(`${folder}-out`)).toEqual(tmp.names(folder));
		const pattern = `roll-A_%06d.${extension}`;
		const read = (dir: string) => nativePlanes(`${dir}/${pattern}`, undefined, '-start_number', String(first));
		expect(read(output).equals(read(input))).toBe(true);
		expect(report.input.duration).toBe('1/3');
		expect(report.output.frames).toBe(FRAMES);
		const last = first + FRAMES - 1;
		expect(report.output.sequence).toEqual({ folder: `${folder}-out`, pattern, first, last });
		expect(report.output.name).toBe(`${folder}-out/${pattern} ${first}–${last}`);
		expect(report.provenance.copiedFrames).toBe(FRAMES);
	});

	function exrFrames(folder: string, first: number, encoder: readonly string[]): string {
		mkdirSync(tmp.path(folder));
		const clip = lossless(`${folder}.mkv`, 'bgr0');
		const output = tmp.path(folder, 'roll-A_%06d.exr');
		ffmpeg('-i', clip, '-pix_fmt', 'gbrpf32le', ...encoder, '-start_number', String(first), output);
		return tmp.path(folder);
	}

	it.each(['piz-lines', 'tiles-rip'])('.exr as other programs write it (%s): the same samples', async (fixture) => {
		mkdirSync(tmp.path(fixture));
		const names = ['scan_1.exr', 'scan_2.exr'];
		const made = fileURLToPath(new URL(`../fixtures/scans/exr/${fixture}.exr`, import.meta.url));
		for (const name of names) copyFileSync(made, tmp.path(fixture, name));
		const output = tmp.path(`${fixture}-out`);
		const report = await lab.run([tmp.path(fixture), '-o', `${output}/*.exr`]);
		expect(tmp.names(`${fixture}-out`)).toEqual(names);
		expect(report.provenance.copiedFrames).toBe(names.length);
		for (const name of names) expect(nativePlanes(`${output}/${name}`).equals(nativePlanes(made))).toBe(true);
	});

	it('a pattern renames and keeps the numbers; one frame may have a plain name; a film becomes a sequence', async () => {
		const input = frames('rename', 'old_%04d.png', 'rgb24', 17);
		// A pattern is an INPUT too, and leaves its neighbors alone.
		writeFileSync(tmp.path('rename', 'other_0001.png'), 'no picture');
		const pattern = `${input}/old_%04d.png`;
		await lab.run([pattern, '-o', tmp.path('renamed', 'new_%06d.tiff'), '--transfer', 'srgb']);
		expect(tmp.names('renamed')).toEqual(Array.from({ length: FRAMES }, (_, i) => `new_0000${17 + i}.tiff`));
		const clip = lossless('film.mkv', 'gbrp10le');
		await lab.run([clip, '-o', tmp.path('film-frames', 'f_%05d.dpx')]);
		expect(tmp.names('film-frames')).toHaveLength(FRAMES);
		const pixels = nativePlanes(tmp.path('film-frames', 'f_%05d.dpx'), 'gbrp10le', '-start_number', '0');
		expect(pixels.equals(nativePlanes(clip, 'gbrp10le'))).toBe(true);
	});

	describe('DPX headers', () => {
		const at = {
			creator: 160,
			project: 260,
			transfer: 801,
			film: 1664,
			position: 1712,
			timecode: 1920,
			reserved: 1868,
		} as const;

		/** Real scanner fields, written by hand into what ffmpeg made (which has no film and television headers). */
		function stamp(path: string, index: number): void {
			const made = readFileSync(path);
			const file = Buffer.concat([made.subarray(0, 1664), Buffer.alloc(384), made.subarray(made.readUInt32BE(4))]);
			file.writeUInt32BE(2048, 4);
			file.writeUInt32BE(file.length, 16);
			file.writeUInt32BE(1664, 24);
			file.writeUInt32BE(384, 28);
			file.writeUInt32BE(2048, 808);
			file.write('SCANNER 9\0', at.creator, 'latin1');
			file.write('Reel 7, can 3\0', at.project, 'latin1');
			file[at.transfer] = 1;
			file.write('02013412345600', at.film, 'latin1');
			file.writeUInt32BE(1000 + index, at.position);
			file.writeUInt32BE(0x01_02_03_00 + index, at.timecode);
			// A vendor's own text in the reserved part of the film header.
			file.write('VENDOR', at.reserved, 'latin1');
			writeFileSync(path, file);
		}

		it.each([
			['copied', { version: 1, stages: [] }],
			['through the working format', { version: 1, stages: [{ stage: 'identity' }] }],
		])('log scans %s keep fields and codes', async (what, recipe) => {
			const folder = `log-${what.length}`;
			const input = frames(folder, 'scan_%06d.dpx', 'gbrp10be', 1);
			tmp.names(folder).forEach((name, i) => stamp(tmp.path(folder, name), i));
			const output = tmp.path(`${folder}-out`);
			const report = await lab.run([input, '-o', `${output}/*.dpx`], { recipe });
			for (const [i, name] of tmp.names(folder).entries()) {
				const [a, b] = [readFileSync(tmp.path(folder, name)), readFileSync(`${output}/${name}`)];
				const text = (file: Buffer, from: number, length: number) =>
					file.subarray(from, from + length).toString('latin1');
				for (const [from, length] of [
					[at.creator, 10],
					[at.project, 14],
					[at.film, 14],
					[at.reserved, 6],
				] as const)
					expect(text(b, from, length)).toBe(text(a, from, length));
				expect(b[at.transfer]).toBe(1);
				expect(b.readUInt32BE(at.position)).toBe(1000 + i);
				expect(b.readUInt32BE(at.timecode)).toBe(0x01_02_03_00 + i);
				// The codes themselves: 95 stays 95.
				const pixels = (file: Buffer) => file.subarray(file.readUInt32BE(4));
				expect(pixels(b).equals(pixels(a)), name).toBe(true);
			}
			expect(report.provenance.copiedFrames).toBe(recipe.stages.length === 0 ? FRAMES : 0);
		});
	});
});

describe('identity stage', () => {
	const identity = { version: 1, stages: [{ stage: 'identity' }] };

	it.each(['bgr0', 'gbrp10le', 'gbrp12le', 'yuv444p', 'yuv444p10le', 'yuv444p12le'])(
		'%s comes back from the working format within 1 LSB',
		async (coded) => {
			const input = lossless(`id-${coded}.mkv`, coded);
			const output = tmp.path(`id-${coded}-out.mkv`);
			const report = await lab.run([input, '-o', output], { recipe: identity });
			const planar = coded === 'bgr0' ? 'gbrp' : coded;
			const samples = (file: string) => {
				const bytes = nativePlanes(file, planar);
				return /1[02]/.test(planar) ? words(bytes) : bytes;
			};
			const [a, b] = [samples(input), samples(output)];
			expect(b.length).toBe(a.length);
			let worst = 0;
			for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
			expect(worst).toBeLessThanOrEqual(1);
			expect(report.provenance.copiedFrames).toBe(0);
			expect(report.seconds.stages.map((s) => s.stage)).toContain('identity');
			expect(report.seconds.stages.every((s) => s.frames === FRAMES)).toBe(true);
		},
	);

	it.each(['yuv420p', 'yuv422p10le'])('%s: the report states what chroma resampling cost', async (coded) => {
		const input = lossless(`chroma-${coded}.mkv`, coded);
		const output = tmp.path(`chroma-${coded}-out.mkv`);
		const report = await lab.run([input, '-o', output], { recipe: identity });
		const stated = report.output.conversions.filter((c) => /chroma/i.test(c));
		expect(stated).toHaveLength(1);
		// Chroma of the source's own siting goes up and comes back down to the same codes: measured, not claimed.
		expect(stated[0]).toMatch(/resampling changed nothing on the frames measured/);
		const deep = coded.includes('10');
		const [a, b] = [nativePlanes(input, coded), nativePlanes(output, coded)];
		expect(psnr(deep ? words(a) : a, deep ? words(b) : b, deep ? 1023 : 255)).toBeGreaterThan(50);
	});

	it('4:4:4 written as 4:2:0: the report says in dB what was lost', async () => {
		const input = lossless('chroma-444.mkv', 'yuv444p');
		const output = tmp.path('chroma-444-out.mkv');
		const report = await lab.run([input, '-o', output, '--chroma', '420']);
		expect(report.output.format).toBe('4:2:0 8 bit');
		const stated = report.output.conversions.find((c) => /dB/.test(c));
		const decibels = Number(/(\d+(\.\d+)?) dB/.exec(stated ?? '')?.[1]);
		expect(decibels).toBeGreaterThan(10);
		expect(decibels).toBeLessThan(45);
	});
});
