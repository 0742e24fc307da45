/** The core in its workers: many in a row, the class's protocol, and failures that must not leave anybody waiting. */

import coreURL from '@ffmpeg/core?url';
import wasmURL from '@ffmpeg/core/wasm?url';
import { FFmpeg } from '@ffmpeg/ffmpeg';
import { afterEach, expect, it } from 'vitest';
import { compileCore, CoreWorker, liveCoreWorkers, runCore } from '../../src/media/ffmpeg/core/core.ts';
import classWorkerURL from '../../src/media/ffmpeg/core/core.worker.ts?worker&url';
import { failure } from './decode-helpers.ts';

afterEach(() => {
	expect(liveCoreWorkers()).toBe(0);
});

it('runs many short jobs in a row: address space comes back later than the next start', async () => {
	for (let i = 0; i < 80; i++) {
		const { code } = await runCore({ tool: 'ffmpeg', args: ['-hide_banner', '-version'], inputs: [], outputs: [] });
		expect(code).toBe(0);
	}
});

it('answers the class of @ffmpeg/ffmpeg as its own worker does', async () => {
	const ffmpeg = new FFmpeg();
	const lines: string[] = [];
	ffmpeg.on('log', ({ type, message }) => {
		if (type === 'stderr') lines.push(message);
	});
	try {
		const href = (url: string): string => new URL(url, location.href).href;
		const config = { classWorkerURL: href(classWorkerURL), coreURL: href(coreURL), wasmURL: href(wasmURL) };
		expect(await ffmpeg.load(Object.assign(config, { module: await compileCore() }))).toBe(true);
		expect(ffmpeg.loaded).toBe(true);
		await ffmpeg.createDir('/box');
		await ffmpeg.writeFile('/box/a.txt', 'hello');
		await ffmpeg.rename('/box/a.txt', '/box/b.txt');
		expect(await ffmpeg.readFile('/box/b.txt', 'utf8')).toBe('hello');
		expect((await ffmpeg.listDir('/box')).filter(({ isDir }) => !isDir)).toEqual([{ name: 'b.txt', isDir: false }]);
		await ffmpeg.deleteFile('/box/b.txt');
		await expect(ffmpeg.readFile('/box/b.txt')).rejects.toMatch(/ErrnoError|FS error/);
		await ffmpeg.deleteDir('/box');
		const tone = ['-f', 'lavfi', '-i', 'sine=duration=0.1', '-f', 'wav', '/tone.wav'];
		expect(await ffmpeg.exec(tone)).toBe(0);
		expect((await ffmpeg.readFile('/tone.wav')).length).toBeGreaterThan(8000);
		await ffmpeg.ffprobe(['-show_entries', 'stream=codec_name', '-of', 'csv', '/tone.wav', '-o', '/report']);
		expect(await ffmpeg.readFile('/report', 'utf8')).toMatch(/pcm_s16le/);
		expect(lines.join('\n')).toMatch(/Output #0, wav/);
		const mounted = ffmpeg.mount('WORKERFS' as Parameters<FFmpeg['mount']>[0], { blobs: [] }, '/none');
		expect(await mounted).toBe(true);
		expect(await ffmpeg.unmount('/none')).toBe(true);
	} finally {
		ffmpeg.terminate();
	}
});

it('gives files back, and leaves the caller’s bytes alone', async () => {
	const data = new TextEncoder().encode('ffconcat version 1.0\n');
	const result = await runCore({
		tool: 'ffmpeg',
		args: ['-f', 'lavfi', '-i', 'sine=duration=0.1', '-f', 'wav', '/out/tone.wav'],
		inputs: [{ kind: 'bytes', path: '/in/list.txt', data }],
		outputs: [
			{ kind: 'file', path: '/out/tone.wav' },
			{ kind: 'file', path: '/out/never.wav' },
		],
	});
	expect(result.code).toBe(0);
	expect(data.length).toBe(21);
	expect(Object.keys(result.files)).toEqual(['/out/tone.wav']);
	expect(new TextDecoder().decode(result.files['/out/tone.wav']?.subarray(0, 4))).toBe('RIFF');
});

it('a worker whose script never runs is reported within its deadline', async () => {
	const bad = URL.createObjectURL(new Blob(['throw new Error("no")'], { type: 'text/javascript' }));
	for (const url of ['/no-such-script.js', bad]) {
		const error = await failure(() => CoreWorker.start(undefined, { classWorkerURL: url, deadline: 500 }));
		expect(error).toMatchObject({ code: 'worker-crashed', retryable: true });
		expect(error.message).toMatch(/did not start within 0\.5 s/);
	}
});

it('an exception inside of the program rejects the run', async () => {
	const error = await failure(() =>
		runCore({
			tool: 'ffmpeg',
			args: ['-f', 'lavfi', '-i', 'testsrc=s=16x16:d=1', '-f', 'rawvideo', '/dev/frames/out'],
			// No array has this length: the device throws in the middle of a write.
			outputs: [{ kind: 'records', path: '/dev/frames/out', frameBytes: -1 }],
		}),
	);
	expect(error.message).toMatch(/ffmpeg\.wasm stopped: RangeError/);
});

it('an abort while the core starts or runs leaves nothing behind', async () => {
	const early = new AbortController();
	const starting = failure(() => CoreWorker.start(early.signal));
	early.abort();
	expect((await starting).code).toBe('aborted');
	const late = new AbortController();
	const endless = ['-f', 'lavfi', '-i', 'testsrc=s=64x64', '-f', 'null', '-'];
	const running = failure(() => runCore({ tool: 'ffmpeg', args: endless }, {}, late.signal));
	setTimeout(() => {
		late.abort();
	}, 1500);
	expect((await running).code).toBe('aborted');
});
