/** The command line itself: `npm run restore` as a shell runs it, its exit codes and its words. */

import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath } from '../../scripts/chromium.ts';
import {
	cli,
	failureOf,
	ffmpeg,
	Lab,
	nativeFrameMd5,
	noisyFilm,
	type Scratch,
	scratch,
	sha256,
	startCli,
} from '../helpers/cli.ts';
import type { HeadlessEvent } from '../../src/contracts/headless.ts';
import { exitCode } from '../../src/core/errors.ts';

let tmp: Scratch;
let film: string;
let long: string;

beforeAll(() => {
	tmp = scratch();
	film = noisyFilm(tmp.path('film.mkv'), 12, true);
	long = noisyFilm(tmp.path('long.mkv'), 320, true);
});
afterAll(() => tmp.remove());

/** Processes of a browser that uses a profile below a folder (Linux). */
function browserPids(folder: string): number[] {
	return readdirSync('/proc').flatMap((name) => {
		if (!/^\d+$/.test(name)) return [];
		try {
			const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
			return line.includes(`--user-data-dir=${folder}`) && !line.includes('--type=') ? [Number(name)] : [];
		} catch {
			return [];
		}
	});
}

describe('exit codes', () => {
	it('0: done; the report is written, the summary names the backend in use', async () => {
		const output = tmp.path('new', 'folder', 'out.mkv');
		const report = tmp.path('report.json');
		const { code, out, err } = await cli([film, '-o', output, '--backend', 'wasm', '--report', report], {}, 'npm');
		expect(code, err).toBe(0);
		expect(out).toMatch(/out\.mkv: 12 frames, FFV1, 4:2:0 8 bit/);
		expect(out).toMatch(/backend: wasm \(CPU/);
		expect(out).toMatch(/invariants: 5 of 5 hold/);
		// Copied planes are converted by nothing.
		expect(out).not.toContain('conversion:');
		expect(out).toMatch(/^provenance: original; 12 frames copied bit for bit$/m);
		// Plain lines where there is no terminal.
		expect(err).toMatch(/^restoring 12\/12/m);
		expect(err).not.toContain('\r');
		expect(nativeFrameMd5(output)).toEqual(nativeFrameMd5(film));
		const json = JSON.parse(readFileSync(report, 'utf8')) as {
			input: { sha256: string };
			output: { sha256: string };
			processMemory: { rendererPss: number } | null;
		};
		expect(json.output.sha256).toBe(sha256(output));
		expect(json.input.sha256).toBe(sha256(film));
		if (existsSync('/proc/self/smaps_rollup')) expect(json.processMemory?.rendererPss).toBeGreaterThan(2 ** 20);
	});

	it('0: every conversion is said, on the terminal as in the report', async () => {
		const [output, report] = [tmp.path('converted.mov'), tmp.path('converted.json')];
		const recipe = tmp.json('identity.json', { version: 1, stages: [{ stage: 'identity' }] });
		const options = ['--range', '0:2', '--audio', 'none', '--backend', 'wasm', '--recipe', recipe, '--report', report];
		const { code, out, err } = await cli([film, '-o', output, ...options]);
		expect(code, err).toBe(0);
		const said = [...out.matchAll(/^conversion: (.*)$/gm)].map(([, text]) => text);
		expect(said[0]).toBe('4:2:0 8 bit → 4:2:2 10 bit');
		// What chroma lost is measured, not supposed.
		expect(said.at(-1)).toMatch(/^Chroma is stored at 4:2:2: (resampling changed nothing|.*\d+\.\d dB)/);
		const { conversions } = (JSON.parse(readFileSync(report, 'utf8')) as { output: { conversions: unknown } }).output;
		expect(said).toEqual(conversions);
		expect(out).toMatch(/^provenance: original; 0 frames copied bit for bit$/m);
	});

	it.each([
		['OUTPUT that is INPUT', () => [film, '-o', film], 'the original is never replaced'],
		['a missing recipe', () => [film, '-o', tmp.path('x.mkv'), '--recipe', 'none.json'], '--recipe: none.json'],
		['a report that cannot be written', () => [film, '-o', tmp.path('x.mkv'), '--report', '/none/r.json'], '--report'],
	])('2: %s', async (_what, args, message) => {
		const { code, err } = await cli(args());
		expect(err).toContain(message);
		expect(code).toBe(2);
	});

	it('2: OUTPUT that is there already, until it may be overwritten', async () => {
		const output = tmp.path('twice.mkv');
		writeFileSync(output, 'somebody’s work');
		const { code, err } = await cli([film, '-o', output, '--backend', 'wasm']);
		expect(code).toBe(2);
		expect(err).toContain('twice.mkv exists already');
		expect(err).toContain('--overwrite');
		expect(readFileSync(output, 'utf8')).toBe('somebody’s work');
		const again = await cli([film, '-o', output, '--backend', 'wasm', '--overwrite']);
		expect(again.code, again.err).toBe(0);
		expect(nativeFrameMd5(output)).toEqual(nativeFrameMd5(film));
		// INPUT never may.
		expect((await cli([film, '-o', film, '--overwrite'])).code).toBe(2);
		mkdirSync(tmp.path('folder.mkv'));
		expect((await cli([film, '-o', tmp.path('folder.mkv'), '--overwrite'])).err).toContain('OUTPUT is a folder');
	});

	it('2: frames that are there already are named before anything is rendered; other frames join them', async () => {
		const lab = await Lab.open();
		try {
			const frames = tmp.path('frames', 'f_%04d.png');
			await lab.run([film, '-o', frames, '--range', '0:3']);
			let rendered = 0;
			const onEvent = (event: HeadlessEvent): void => {
				if (event.type === 'progress' && event.progress.phase === 'render') rendered = event.progress.done;
			};
			const refusal = await failureOf(lab.run([film, '-o', frames, '--range', '2:6'], { onEvent }));
			expect(exitCode(refusal)).toBe(2);
			expect(refusal.message).toContain('1 of the 4 files to be written exist already (f_0002.png)');
			expect(rendered).toBe(0);
			expect(readdirSync(tmp.path('frames')).sort()).toEqual(['f_0000.png', 'f_0001.png', 'f_0002.png']);
			await lab.run([film, '-o', frames, '--range', '3:5']);
			await lab.run([film, '-o', frames, '--range', '2:6', '--overwrite']);
			expect(readdirSync(tmp.path('frames'))).toHaveLength(6);
			// One picture is one file.
			const still = tmp.path('frames', 'f_0000.png');
			const one = await failureOf(lab.run([film, '-o', still, '--range', '0:1']));
			expect(one.message).toContain('exists already');
		} finally {
			await lab.close();
		}
	});

	it('3: no such input', async () => {
		const { code, err } = await cli([tmp.path('none.mov'), '-o', tmp.path('x.mkv')]);
		expect(err).toContain('none.mov: no such file');
		expect(code).toBe(3);
	});

	it.each([
		[
			{ version: 1, stages: [{ stage: 'identity' }, { stage: 'degrain', params: { sigma: 'x' } }] },
			/stages\[1\]\.params\.sigma: expected 0–\d+.*, got "x"/,
		],
		[
			{ version: 1, stages: [{ stage: 'colorize' }] },
			/stages\[0\]\.stage: expected one of .*degrain.*, got "colorize"/,
		],
		[{ version: 2, stages: [] }, /version: expected 1 .*, got 2/],
		[
			{ version: 1, stages: [{ stage: 'degrain', params: { sigma: 99, luma: 2 } }, { stage: 'colorize' }] },
			/^emulsion: 3 values are not valid:\nstages\[0\]\.params\.sigma: .*\nstages\[0\]\.params\.luma: .*\nstages\[1\]\.stage: .*$/m,
		],
	])('4: recipe %j', async (recipe, message) => {
		const { code, err } = await cli([film, '-o', tmp.path('x.mkv'), '--recipe', tmp.json('bad.json', recipe)]);
		expect(err).toMatch(message);
		expect(code).toBe(4);
	});

	it.each(['{"version":1,"stages":[{"stage":"identity","__proto__":{"enabled":false}}]}', '{"version":1,'])(
		'4: hostile JSON %s',
		async (text) => {
			writeFileSync(tmp.path('hostile.json'), text);
			const { code, err } = await cli([film, '-o', tmp.path('x.mkv'), '--recipe', tmp.path('hostile.json')]);
			expect(err).toMatch(/^emulsion: /);
			expect(code).toBe(4);
		},
	);

	it('5: a file that reads back otherwise than written is not published', async () => {
		const other = tmp.path('other.mkv');
		ffmpeg('-i', film, '-frames:v', '11', '-c', 'copy', other);
		let back: Buffer = Buffer.alloc(0);
		// A disk that gives other bytes back than it got: none, or those of another film.
		const lab = await Lab.open({
			handlers: [
				(request, response, url) => {
					const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
					if (url.pathname !== '/run/read' || !range) return Promise.resolve(false);
					const [start, end] = [Number(range[1]), Number(range[2]) + 1];
					const bytes = Buffer.alloc(end - start);
					back.copy(bytes, 0, start, end);
					response.writeHead(206, { 'Cross-Origin-Resource-Policy': 'same-origin' }).end(bytes);
					return Promise.resolve(true);
				},
			],
		});
		try {
			for (const bytes of [Buffer.alloc(0), readFileSync(other)]) {
				back = bytes;
				const failure = await failureOf(lab.run([film, '-o', tmp.path('lost.mkv')]));
				expect(failure.code, failure.message).toBe('invariant-failed');
				expect(exitCode(failure)).toBe(5);
				expect(tmp.names().filter((name) => name.startsWith('lost'))).toEqual([]);
			}
		} finally {
			await lab.close();
		}
	});

	it('6: --backend webgpu where there is no adapter', async () => {
		const blind = tmp.path('chromium-without-webgpu');
		const script = `#!/bin/sh
for a in "$@"; do shift; case "$a" in --enable-unsafe-webgpu|--use-webgpu-adapter=*|--enable-features=*|--use-vulkan=*|--use-angle=*) ;; *) set -- "$@" "$a";; esac; done
exec '${chromiumPath()}' "$@" --disable-gpu --disable-features=WebGPU,WebGPUService
`;
		writeFileSync(blind, script);
		chmodSync(blind, 0o755);
		const args = [film, '-o', tmp.path('x.mkv'), '--backend', 'webgpu'];
		const { code, err } = await cli(args, { EMULSION_CHROMIUM: blind });
		expect(err).toMatch(/WebGPU/);
		expect(code, err).toBe(6);
		expect(existsSync(tmp.path('x.mkv'))).toBe(false);
	});

	it('6: a Chromium that does not start, or is not there', async () => {
		const dud = tmp.path('chromium-that-ends');
		writeFileSync(dud, '#!/bin/sh\necho "bad day" >&2\nexit 3\n', { mode: 0o755 });
		const args = [film, '-o', tmp.path('x.mkv'), '--backend', 'wasm'];
		for (const [path, words] of [
			[dud, /did not start: bad day\n.*EMULSION_CHROMIUM/],
			[tmp.path('none'), /EMULSION_CHROMIUM: .* does not exist/],
		] as const) {
			const { code, err } = await cli(args, { EMULSION_CHROMIUM: path });
			expect(err).toMatch(words);
			expect(err).not.toMatch(/launchPersistentContext|at .*\.ts:/);
			expect(code).toBe(6);
		}
		expect(existsSync(tmp.path('x.mkv'))).toBe(false);
	});

	it('7: the report has no space: the film is there, and that is said', async () => {
		const output = tmp.path('reported.mkv');
		const { code, err } = await cli([film, '-o', output, '--backend', 'wasm', '--report', '/dev/full']);
		expect(err).toMatch(/--report: \/dev\/full cannot be written \(no space left\)\. OUTPUT is whole/);
		expect(code).toBe(7);
		expect(nativeFrameMd5(output)).toEqual(nativeFrameMd5(film));
	});

	it('7: the output disk is full', async () => {
		mkdirSync(tmp.path('full'));
		symlinkSync('/dev/full', tmp.path('full', 'out.mkv.part'));
		const { code, err } = await cli([film, '-o', tmp.path('full', 'out.mkv'), '--backend', 'wasm']);
		expect(err).toMatch(/No space left/);
		expect(code, err).toBe(7);
		expect(tmp.names('full')).toEqual([]);
	});
});

describe('interrupts', () => {
	const options = ['--backend', 'wasm', '--chunk', '8'];

	it('130 on Ctrl-C: nothing stays behind; the work folder belongs to one run; the same command goes on', async () => {
		const output = tmp.path('int', 'out.mkv');
		const work = tmp.path('work');
		const first = startCli([long, '-o', output, ...options, '--work', work]);
		await first.seen(/^backend:/m);
		const refused = await cli([film, '-o', tmp.path('int', 'b.mkv'), ...options, '--work', work]);
		expect(refused.code).toBe(2);
		expect(refused.err).toMatch(/--work: another run \(process \d+\) is using this folder/);
		await first.seen(/^restoring (1\d\d|[4-9]\d)\//m);
		// The whole group, as a terminal does.
		process.kill(-first.child.pid!, 'SIGINT');
		const { code, err } = await first.done;
		expect(err).toMatch(/Interrupted/);
		expect(code).toBe(130);
		expect(tmp.names('int')).toEqual([]);
		expect(browserPids(work)).toEqual([]);

		const report = tmp.path('int.json');
		// Another run with a work folder of its own at the same time.
		const [again, beside] = await Promise.all([
			cli([long, '-o', output, ...options, '--work', work, '--report', report]),
			cli([long, '-o', tmp.path('whole.mkv'), ...options, '--work', tmp.path('work2')]),
		]);
		expect(again.code, again.err).toBe(0);
		expect(beside.code, beside.err).toBe(0);
		const { chunks } = JSON.parse(readFileSync(report, 'utf8')) as { chunks: { total: number; resumed: number } };
		expect(chunks.total).toBe(40);
		expect(chunks.resumed).toBeGreaterThan(0);
		expect(again.err).toMatch(/An interrupted export is here: \d+ of 40 chunks are kept/);
		expect(sha256(output)).toBe(sha256(tmp.path('whole.mkv')));
	});

	it('a killed browser costs at most a chunk', async () => {
		const output = tmp.path('kill', 'out.mkv');
		const work = tmp.path('work3');
		const first = startCli([long, '-o', output, ...options, '--work', work]);
		await first.seen(/^restoring (1\d\d|[4-9]\d)\//m);
		const pids = browserPids(work);
		expect(pids).toHaveLength(1);
		process.kill(pids[0]!, 'SIGKILL');
		const { code, err } = await first.done;
		expect(err).toMatch(/run again with the same --work to go on/);
		expect(code).toBe(1);
		expect(tmp.names('kill')).toEqual([]);
		const report = tmp.path('kill.json');
		const again = await cli([long, '-o', output, ...options, '--work', work, '--report', report]);
		expect(again.code, again.err).toBe(0);
		const { chunks } = JSON.parse(readFileSync(report, 'utf8')) as { chunks: { total: number; resumed: number } };
		expect(chunks.resumed).toBeGreaterThan(2);
		expect(nativeFrameMd5(output)).toEqual(nativeFrameMd5(long));
	});
});

it('--list-stages and --help need no browser', async () => {
	const [stages, help] = await Promise.all([cli(['--list-stages']), cli(['--help'])]);
	expect(stages.code).toBe(0);
	for (const text of ['degrain', 'interpolate', 'upscale', 'sigma', '(default auto)']) {
		expect(stages.out).toContain(text);
	}
	expect(help.code).toBe(0);
	for (const option of ['--recipe', '--range', '--backend', '--report', '--work', '130 interrupted']) {
		expect(help.out).toContain(option);
	}
});
