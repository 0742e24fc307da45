/** Input that is broken, hostile, odd or huge, and browsers that lack something: typed words, nothing lost. */

import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DIST } from '../../scripts/build.ts';
import { type RequestHandler, sendFile } from '../../server/static.ts';
import { type EmulsionError, exitCode } from '../../src/core/errors.ts';
import {
	failureOf,
	ffmpeg,
	Lab,
	nativeFrameMd5,
	nativePlanes,
	noisyFilm,
	type Scratch,
	scratch,
} from '../helpers/cli.ts';
import { withLine } from '../helpers/e2e.ts';
import { fixturePath } from '../helpers/fixtures.ts';
import { writeSparseMovie } from '../helpers/sparse.ts';

let lab: Lab;
let tmp: Scratch;
let film: string;
let mp4: string;

beforeAll(async () => {
	tmp = scratch();
	film = noisyFilm(tmp.path('film.mkv'), 24);
	mp4 = tmp.path('film.mp4');
	ffmpeg('-i', film, '-c:v', 'libx264', '-bf', '2', mp4);
	lab = await Lab.open();
});
afterAll(async () => {
	await lab.close();
	tmp.remove();
});

const fails = (argv: readonly string[], recipe?: unknown): Promise<EmulsionError> =>
	failureOf(lab.run(argv, recipe === undefined ? {} : { recipe }));

const output = (): string => tmp.path('out', 'x.mkv');

describe('broken films', () => {
	const write = (name: string, bytes: Buffer): string => {
		writeFileSync(tmp.path(name), bytes);
		return tmp.path(name);
	};

	it.each<[string, () => string, string, RegExp]>([
		['an empty file', () => write('empty.mp4', Buffer.alloc(0)), 'input-unreadable', /empty/],
		['text', () => write('letter.mov', Buffer.from('Dear archive, '.repeat(500))), 'input-unreadable', /letter\.mov/],
		[
			'random bytes',
			() => write('noise.mp4', Buffer.from(Array.from({ length: 9999 }, (_, i) => (i * i * 31) % 251))),
			'input-unreadable',
			/noise\.mp4/,
		],
		[
			'MP4 without its index',
			() => write('cut.mp4', readFileSync(mp4).subarray(0, -1200)),
			'input-truncated',
			/cut\.mp4/,
		],
		['sound only', () => fixturePath('d-audio-only.m4a'), 'input-no-video', /d-audio-only\.m4a/],
		['an encrypted film', () => fixturePath('d-encrypted.mp4'), 'input-encrypted', /d-encrypted\.mp4/],
		[
			'a film of 0 frames',
			() => {
				const path = tmp.path('none.avi');
				ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:duration=1,select=0', '-c:v', 'mpeg4', path);
				return path;
			},
			'input-no-video',
			/none\.avi.*holds no frames/,
		],
	])('%s', async (_what, make, code, message) => {
		const error = await fails([make(), '-o', output()]);
		expect(error.code, error.message).toBe(code);
		expect(error.message).toMatch(message);
		expect(exitCode(error)).toBe(3);
	});

	it('a Matroska file that ends in the middle gives the frames it has and says so, or is refused by frame', async () => {
		const cut = write('cut.mkv', readFileSync(film).subarray(0, Math.round(statSync(film).size * 0.6)));
		const out = tmp.path('cut-out.mkv');
		const report = await lab.run([cut, '-o', out]);
		const whole = nativeFrameMd5(film);
		expect(report.input.frames).toBeGreaterThan(8);
		expect(report.input.frames).toBeLessThan(24);
		expect(nativeFrameMd5(out)).toEqual(whole.slice(0, report.input.frames));
		expect(report.input.notices.join('\n')).toMatch(/end|trunc|cut/i);
	});

	it('a wrong extension is no obstacle', async () => {
		const wrong = tmp.path('really-matroska.mp4');
		copyFileSync(film, wrong);
		const out = tmp.path('wrong-out.mkv');
		await lab.run([wrong, '-o', out]);
		expect(nativeFrameMd5(out)).toEqual(nativeFrameMd5(film));
	});

	it('a recipe is checked before the film is touched', async () => {
		const recipe: unknown = JSON.parse('{"version":1,"stages":[{"stage":"identity","params":{"constructor":1}}]}');
		const error = await fails([film, '-o', output()], recipe);
		expect(error.code).toBe('recipe-invalid');
		expect(error.message).toContain('stages[0].params.constructor');
		const many = { version: 1, stages: Array.from({ length: 5000 }, () => ({ stage: 'identity' })) };
		expect((await fails([film, '-o', output()], many)).message).toMatch(/stages: expected/);
	});

	it('a range outside the film, a stream that is not there, an encoder that cannot hold it', async () => {
		const range = await fails([film, '-o', output(), '--range', '20:99']);
		expect(exitCode(range)).toBe(2);
		expect(range.message).toContain('0 to 24');
		const wrongCodec = await fails([film, '-o', tmp.path('out', 'x.webm'), '--codec', 'h264']);
		expect(wrongCodec.code).toBe('unsupported-format');
		expect(wrongCodec.message).toMatch(/cannot hold H\.264/);
	});
});

describe('broken scans', () => {
	function scans(folder: string, extension: string, count = 4, size = '64x48'): string {
		mkdirSync(tmp.path(folder));
		const source = `testsrc2=size=${size}:rate=24,trim=end_frame=${count}`;
		const format = extension === 'dpx' ? 'gbrp10be' : 'rgb24';
		ffmpeg('-f', 'lavfi', '-i', source, '-pix_fmt', format, tmp.path(folder, `f_%04d.${extension}`));
		return tmp.path(folder);
	}
	const out = (): string => join(tmp.path('scans-out'), '*.tiff');

	it.each(['png', 'dpx'])('.%s without a transfer: the answer is asked for, not guessed', async (extension) => {
		const folder = scans(`untagged-${extension}`, extension);
		for (const name of tmp.names(`untagged-${extension}`)) {
			if (extension !== 'dpx') continue;
			const file = readFileSync(join(folder, name));
			file[801] = 0;
			writeFileSync(join(folder, name), file);
		}
		const error = await fails([folder, '-o', out()]);
		expect(error.code).toBe('transfer-unknown');
		expect(exitCode(error)).toBe(2);
		for (const name of ['--transfer', 'log', 'linear', 'srgb', 'bt709', 'gamma22'])
			expect(error.message).toContain(name);
	});

	it('gaps are listed and no frame is invented', async () => {
		const folder = scans('gaps', 'png', 6);
		rmSync(join(folder, 'f_0003.png'));
		rmSync(join(folder, 'f_0004.png'));
		const report = await lab.run([folder, '-o', out(), '--transfer', 'srgb']);
		expect(report.input.frames).toBe(4);
		expect(report.input.notices.join('\n')).toMatch(/3/);
		expect(report.input.notices.join('\n')).toMatch(/missing|gap/i);
		expect(tmp.names('scans-out')).toEqual(['f_0001.tiff', 'f_0002.tiff', 'f_0005.tiff', 'f_0006.tiff']);
	});

	it('a transfer said for a film is refused, not dropped', async () => {
		const error = await fails([film, '-o', tmp.path('told.mkv'), '--transfer', 'log']);
		expect(error.message).toContain('--transfer is for image sequences');
		expect(exitCode(error)).toBe(2);
	});

	it('a truncated frame is named before work starts', async () => {
		const folder = scans('short', 'dpx');
		const victim = join(folder, 'f_0003.dpx');
		truncateSync(victim, Math.round(statSync(victim).size / 2));
		const error = await fails([folder, '-o', tmp.path('short-out', '*.dpx'), '--transfer', 'log']);
		expect(error.message).toContain('f_0003.dpx');
		expect(exitCode(error)).toBe(3);
	});

	it('frames of other sizes are named', async () => {
		const folder = scans('mixed', 'png');
		ffmpeg('-f', 'lavfi', '-i', 'color=red:s=32x32', '-frames:v', '1', join(folder, 'f_0003.png'));
		const error = await fails([folder, '-o', tmp.path('mixed-out', '*.png'), '--transfer', 'srgb']);
		expect(error.message).toContain('f_0003.png');
		expect(exitCode(error)).toBe(3);
	});

	it('a folder of other things is no source', async () => {
		mkdirSync(tmp.path('letters'));
		writeFileSync(tmp.path('letters', 'a.txt'), 'a');
		const error = await fails([tmp.path('letters'), '-o', out(), '--transfer', 'srgb']);
		expect(error.code).toBe('input-no-video');
		expect(exitCode(error)).toBe(3);
	});
});

describe('huge input', () => {
	it('8192×8192 goes through a stage; only a codec that cannot hold it refuses', async () => {
		const folder = tmp.path('huge');
		mkdirSync(folder);
		const picture = 'gradients=s=8192x8192:n=2:c0=black:c1=white:d=1:r=1,format=gray';
		ffmpeg('-f', 'lavfi', '-i', picture, '-frames:v', '1', join(folder, 'h_0001.png'));
		const recipe = { version: 1, stages: [{ stage: 'identity' }] };
		const report = await lab.run([folder, '-o', tmp.path('huge-out', '*.png'), '--transfer', 'srgb'], { recipe });
		expect(report.provenance.copiedFrames).toBe(0);
		const [a, b] = [join(folder, 'h_0001.png'), tmp.path('huge-out', 'h_0001.png')].map((f) => nativePlanes(f, 'gray'));
		expect(b!.length).toBe(8192 * 8192);
		let worst = 0;
		for (let i = 0; i < a!.length; i++) worst = Math.max(worst, Math.abs(a![i]! - b![i]!));
		expect(worst).toBeLessThanOrEqual(1);
		const refused = await fails([folder, '-o', tmp.path('huge.mp4'), '--transfer', 'srgb']);
		expect(refused.code).toBe('unsupported-format');
		expect(refused.message).toMatch(/H\.264 cannot hold 8192×8192/);
	});

	it('a film beyond 4 GiB is read by path', async () => {
		const far = tmp.path('far.mp4');
		const near = tmp.path('near.mp4');
		ffmpeg('-i', film, '-c:v', 'libx264', '-qp', '0', near);
		writeSparseMovie(near, far, 2 ** 32 + 2 ** 20);
		expect(statSync(far).size).toBeGreaterThan(2 ** 32);
		expect(statSync(far).blocks * 512).toBeLessThan(2 ** 22);
		const out = tmp.path('far-out.mkv');
		const report = await lab.run([far, '-o', out]);
		expect(report.input.bytes).toBe(statSync(far).size);
		expect(nativeFrameMd5(out)).toEqual(nativeFrameMd5(film));
	});
});

describe('a browser that lacks something', () => {
	/** Serves the app without the headers that isolate it: no SharedArrayBuffer. */
	const open: RequestHandler = async (request, response, url) => {
		if (request.method !== 'GET' || url.pathname.startsWith('/run/')) return false;
		await sendFile(request, response, join(DIST, url.pathname));
		return true;
	};

	async function inBrowser(handler: RequestHandler, test: (lab: Lab) => Promise<void>): Promise<void> {
		const other = await Lab.open({ handlers: [handler] });
		try {
			await test(other);
		} finally {
			await other.close();
		}
	}

	it('no SharedArrayBuffer: slower, said, and the same bytes', async () => {
		const sounding = noisyFilm(tmp.path('sounding.mkv'), 24, true);
		const reference = await lab.run([sounding, '-o', tmp.path('with-sab.mov')]);
		await inBrowser(open, async (other) => {
			const report = await other.run([sounding, '-o', tmp.path('no-sab.mov')]);
			expect(report.output.sha256).toBe(reference.output.sha256);
			expect(report.output.audio).toBe('PCM 24 bit (transcoded)');
			expect(report.input.notices.join('\n')).toMatch(/SharedArrayBuffer/);
			expect(report.backend.name).toMatch(/1 thread/);
		});
	});

	it('no WebCodecs: the other engine reads it, and a codec that only browsers write is refused by name', async () => {
		const reference = await lab.run([mp4, '-o', tmp.path('with-wc.mkv')]);
		expect(reference.input.engine).toBe('webcodecs');
		const line = 'for (const n of ["VideoDecoder","VideoEncoder","AudioDecoder","AudioEncoder"]) delete globalThis[n];';
		await inBrowser(withLine(line), async (other) => {
			const report = await other.run([mp4, '-o', tmp.path('no-wc.mkv')]);
			expect(report.input.engine).toBe('ffmpeg');
			expect(report.output.frameMd5).toEqual(reference.output.frameMd5);
			const refused = await failureOf(other.run([mp4, '-o', tmp.path('no-wc.webm')]));
			expect(refused.code, refused.message).toMatch(/^(capability-missing|unsupported-format)$/);
			expect(refused.message).toMatch(/vp9|WebCodecs/i);
		});
	});

	it('no WebGPU: the CPU, said openly; asked for, it is refused', async () => {
		const report = await lab.run([film, '-o', tmp.path('auto.mkv'), '--backend', 'auto']);
		expect(report.backend.kind).toBe('wasm');
		expect(report.backend.reason).toMatch(/GPU/);
		const error = await fails([film, '-o', output(), '--backend', 'webgpu']);
		expect(error.code).toBe('backend-unavailable');
		expect(exitCode(error)).toBe(6);
	});

	it('only a software adapter: auto takes the CPU and says why, webgpu takes it and says what it is', async () => {
		const other = await Lab.open({ gpu: 'software' });
		try {
			const recipe = { version: 1, stages: [{ stage: 'identity' }] };
			const run = (backend: string) =>
				other.run([film, '-o', tmp.path(`${backend}-software.mkv`), '--range', '0:2', '--backend', backend], {
					recipe,
				});
			const auto = await run('auto');
			expect(auto.backend).toMatchObject({ kind: 'wasm', software: false });
			expect(auto.backend.reason).toMatch(/only WebGPU adapter is software \(.*swiftshader/i);
			const asked = await run('webgpu');
			expect(asked.backend).toMatchObject({ kind: 'webgpu', software: true });
			expect(asked.backend.name).toMatch(/swiftshader/i);
		} finally {
			await other.close();
		}
	});

	it('no private file system and no leave to persist: IndexedDB serves', async () => {
		const line = `if (globalThis.FileSystemFileHandle) delete FileSystemFileHandle.prototype.createSyncAccessHandle;
			StorageManager.prototype.persist = () => Promise.resolve(false);
			StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("denied", "SecurityError"));`;
		await inBrowser(withLine(line), async (other) => {
			const report = await other.run([film, '-o', tmp.path('idb.mkv'), '--chunk', '8']);
			expect(report.chunks.total).toBe(3);
			expect(nativeFrameMd5(tmp.path('idb.mkv'))).toEqual(nativeFrameMd5(film));
		});
	});
});
