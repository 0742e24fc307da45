/** What the benches say about their figures: bounds, verdicts, tables, refusals. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';
import type { ModelManifest } from '../../src/contracts/models.ts';
import { parseBenchArgs, UsageError } from '../bench/args.ts';
import { cpuSeconds } from '../bench/chrome.ts';
import { passthroughBound, passthroughRows } from '../bench/engine.ts';
import { memoryRows } from '../bench/films.ts';
import { GPU_CASES } from '../bench/gpu.ts';
import { grainRows } from '../bench/grain.ts';
import { documentationBlock, terminalTable, writeBlocks } from '../bench/table.ts';
import { type BenchReport, type BenchRow, DEFAULT_BENCHES, exitCodeOf } from '../bench/types.ts';
import type { Parts, Whole } from '../bench/page/api.ts';

const parts = (decode: number, convert: number, encode: number, cpu: number | null): Parts => ({
	frames: 100,
	engine: 'ffmpeg',
	backend: 'CPU',
	decode: { wall: decode, cpu },
	convert: { wall: convert, cpu },
	encode: { wall: encode, cpu },
});

const whole = (seconds: number): Whole => ({
	frames: 100,
	backend: 'CPU',
	coldSeconds: 1,
	seconds,
	renderSeconds: seconds - 0.1,
	cpu: null,
	decodeSeconds: 0,
	convertSeconds: 0,
	encodeSeconds: 0,
});

const row: BenchRow = { bench: 'dpx', name: 'a | b', target: '—', figure: '1 ms', pass: null, data: {} };
const report = (rows: readonly BenchRow[], loadBefore = 0): BenchReport => ({
	version: 1,
	command: 'npm run bench -- dpx',
	date: '2026-01-01T00:00:00.000Z',
	commit: 'abc',
	machine: {
		cpu: 'a processor',
		cores: 2,
		memoryBytes: 2 ** 33,
		system: 'Linux',
		node: '20',
		chromium: 'Chromium 1',
		loadBefore,
	},
	rows,
});

describe('grain', () => {
	it('is judged against the cheapest stock, by processor time', () => {
		const stock = { stock: 'a', channels: 3, reference: 2e-4, drawing: 1e-6 };
		const stocks = [stock, { ...stock, stock: 'b', reference: 1e-4, drawing: 2e-6 }];
		const costs = { backend: 'CPU', software: false, width: 1920, height: 1080, radius: 3, terms: 2, wall: [9, 9] };
		const rows = (cpu: readonly (number | null)[]): BenchRow[] =>
			grainRows({ where: 'here', samples: 9, stocks }, [{ ...costs, cpu }]);
		const [first, second, ours] = rows([5, 4]);
		expect([first, second].map((r) => r?.pass)).toEqual([null, null]);
		expect(first?.figure).toContain('415 s by Monte Carlo of 9');
		expect([ours?.pass, ours?.figure]).toEqual([
			true,
			'52 × (4.00 s of processor time, 9.00 s wall); 0.5 × one drawing',
		]);
		// Where processor time cannot be read the clock's counts.
		expect(rows([null, null])[2]?.pass).toBe(false);
	});
});

describe('gpu', () => {
	it('has a case for every shipped model', () => {
		const manifest = JSON.parse(readFileSync(join(ROOT, 'public/models/models.json'), 'utf8')) as ModelManifest;
		const cases = new Set(GPU_CASES.map((c) => c.model));
		expect(manifest.models.map((m) => m.id).filter((id) => !cases.has(id))).toEqual([]);
	});
});

describe('pass-through', () => {
	it('is bound by its slowest part, or by the processor time of all over the cores', () => {
		expect(passthroughBound(parts(0.01, 0.02, 0.05, 0.01), 2)).toBeCloseTo(20);
		expect(passthroughBound(parts(0.01, 0.02, 0.05, 0.05), 2)).toBeCloseTo(1 / 0.075);
		expect(passthroughBound(parts(0.01, 0.02, 0.05, null), 2)).toBeCloseTo(20);
	});

	it('passes from 0.8 of the bound on, by the best whole', () => {
		const p = parts(0.01, 0.02, 0.05, 0.01);
		expect(passthroughRows(p, [whole(6.2)], 2).at(-1)?.pass).toBe(true);
		expect(passthroughRows(p, [whole(6.3)], 2).at(-1)?.pass).toBe(false);
		expect(passthroughRows(p, [whole(9), whole(6.2)], 2).at(-1)?.pass).toBe(true);
	});
});

describe('memory', () => {
	const memory = (rendererPss: number) => ({ rendererPss, browserPss: 1e8, gpuPss: 1e8 });
	const verdicts = (short: number, long: number) => memoryRows(memory(short), memory(long), 20, '').map((r) => r.pass);

	it('fails on growth over a tenth and on more than 700 MB', () => {
		expect(verdicts(400e6, 430e6)).toEqual([true, true, null, null]);
		expect(verdicts(400e6, 450e6)).toEqual([false, true, null, null]);
		expect(verdicts(690e6, 710e6)).toEqual([true, false, null, null]);
	});
});

describe('command line', () => {
	it('runs the quick benches by default, in a fixed order', () => {
		expect(parseBenchArgs([]).benches).toEqual(DEFAULT_BENCHES);
		expect(parseBenchArgs(['memory', 'decode']).benches).toEqual(['decode', 'memory']);
		expect(DEFAULT_BENCHES).not.toContain('gpu');
		expect(DEFAULT_BENCHES).not.toContain('memory');
	});

	it.each([[['speed']], [['--frames', '0']], [['--path', 'fast']], [['--fast']]])('refuses %j', (argv) => {
		expect(() => parseBenchArgs(argv)).toThrow(UsageError);
	});
});

it('the exit code is 1 from one missed target on; figures without a target do not count', () => {
	const verdicts = (...passes: (boolean | null)[]) => exitCodeOf(passes.map((pass) => ({ ...row, pass })));
	expect([verdicts(), verdicts(null), verdicts(true, null), verdicts(true, false, null)]).toEqual([0, 0, 0, 1]);
	expect(exitCodeOf(passthroughRows(parts(0.01, 0.02, 0.05, 0.01), [whole(6.3)], 2))).toBe(1);
});

describe('tables', () => {
	it('aligns columns and says what failed', () => {
		const failed: BenchRow = { ...row, bench: 'decode', target: '≥ 1', pass: false };
		const lines = terminalTable([row, failed]).split('\n');
		expect(lines[2]).toMatch(/FAIL$/);
		expect(lines[1]?.indexOf('1 ms')).toBe(lines[2]?.indexOf('1 ms'));
	});

	it('replaces only the blocks of benches that ran', () => {
		const text = 'a\n<!-- bench:dpx -->old<!-- /bench:dpx -->\n<!-- bench:demo -->kept<!-- /bench:demo -->\n';
		const written = writeBlocks(text, report([row]));
		expect(written).toContain('kept');
		expect(written).not.toContain('old');
		expect(written).toContain('| a \\| b | — | 1 ms |  |');
		expect(writeBlocks(written, report([row]))).toBe(written);
		expect(() => writeBlocks('no markers', report([row]))).toThrow('bench:dpx');
	});

	it('owns up to a busy machine', () => {
		expect(documentationBlock('dpx', report([row], 3))).toContain('busy');
		expect(documentationBlock('dpx', report([row], 0.1))).not.toContain('busy');
	});
});

it.runIf(process.platform === 'linux')('reads the processor time of processes by their command line', () => {
	const spin = performance.now() + 150;
	while (performance.now() < spin);
	// This process's own command line names the runner; whatever matches it has used some time.
	expect(cpuSeconds(process.argv[0] ?? 'node')).toBeGreaterThan(0.1);
	expect(cpuSeconds('no-process-has-this-name-on-its-command-line')).toBe(0);
});
