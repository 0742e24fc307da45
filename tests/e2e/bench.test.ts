/** `npm run bench` as a shell runs it: what it prints, writes and ends with, and that it never calls a software adapter a GPU. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';
import { type Scratch, scratch } from '../helpers/cli.ts';
import type { BenchReport } from '../bench/types.ts';

let tmp: Scratch;
beforeAll(() => {
	tmp = scratch();
});
afterAll(() => tmp.remove());

interface Result {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

function bench(...args: string[]): Result {
	const script = join(ROOT, 'scripts', 'bench.ts');
	return spawnSync(process.execPath, ['--import', 'tsx', script, ...args], { cwd: ROOT, encoding: 'utf8' });
}

describe('npm run bench', () => {
	it('measures, prints a table, writes JSON where it is told, and ends with 1 when a bench fails', () => {
		const path = tmp.path('new', 'bench.json');
		// The bench without a target of its own, and one that cannot succeed on a software adapter.
		const args = ['dpx', 'gpu', '--adapter', 'software', '--rounds', '1', '--backend', 'wasm', '--json', path];
		const { status, stdout, stderr } = bench(...args);
		expect(status, stdout + stderr).toBe(1);
		expect(stdout).toContain(path);
		const report = JSON.parse(readFileSync(path, 'utf8')) as BenchReport;
		expect(report).toMatchObject({ version: 1, command: `npm run bench -- ${args.join(' ')}` });
		expect(report.machine.cores).toBeGreaterThan(0);
		const dpx = report.rows.filter((row) => row.bench === 'dpx');
		expect(dpx.map((row) => row.pass)).toEqual(dpx.map(() => null));
		const engine = dpx.find((row) => row.name.startsWith('DPX to DPX through the engine'));
		expect(engine?.data).toMatchObject({ frames: 8, copied: 8 });
		expect(engine?.data['long']).toMatchObject({ total: expect.any(Number) as number });
		const [gpu, ...more] = report.rows.filter((row) => row.bench === 'gpu');
		expect(more).toEqual([]);
		expect(gpu).toMatchObject({ pass: false, figure: expect.stringMatching(/There is no GPU to measure/) as string });
		for (const row of report.rows) expect(stdout).toContain(row.figure);
		expect(stdout).toMatch(/FAIL/);
	});

	it('gpu: refuses SwiftShader by name, with exit code 6', () => {
		const { status, stderr } = bench('gpu', '--adapter', 'software');
		expect(stderr).toContain('There is no GPU to measure');
		expect(stderr).toMatch(/software \(.*swiftshader/i);
		expect(status).toBe(6);
	});

	it('wrong usage: exit code 2, and what is legal', () => {
		const { status, stderr } = bench('speed');
		expect(stderr).toContain('expected decode, passthrough, tiles, dpx, demo, memory, gpu');
		expect(status).toBe(2);
	});
});
