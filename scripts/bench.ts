/**
 * `npm run bench`: measures the engine, prints each figure beside its target, writes JSON into `bench-results/`; with
 * `--write-docs` also the tables of `docs/performance.md`. `npm run bench -- --help` lists the benches.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { type BenchArgs, HELP, parseBenchArgs, UsageError } from '../tests/bench/args.ts';
import { chromiumVersion } from '../tests/bench/chrome.ts';
import { format, resolveConfig } from 'prettier';
import { decodeBench, dpxBench, passthroughBench, tilesBench } from '../tests/bench/engine.ts';
import { demoBench, memoryBench } from '../tests/bench/films.ts';
import { gpuBench } from '../tests/bench/gpu.ts';
import { grainBench } from '../tests/bench/grain.ts';
import { noiseBench } from '../tests/bench/noise.ts';
import { shareBench } from '../tests/bench/share.ts';
import { describeMachine, terminalTable, writeBlocks } from '../tests/bench/table.ts';
import {
	type BenchName,
	type BenchOptions,
	type BenchReport,
	type BenchRow,
	exitCodeOf,
	type Machine,
	NoGpuError,
} from '../tests/bench/types.ts';
import { ROOT } from './build.ts';

const RUN: Readonly<Record<BenchName, (options: BenchOptions) => Promise<BenchRow[]>>> = {
	decode: decodeBench,
	passthrough: passthroughBench,
	tiles: tilesBench,
	dpx: dpxBench,
	demo: demoBench,
	memory: memoryBench,
	gpu: gpuBench,
	grain: grainBench,
	share: shareBench,
	noise: noiseBench,
};
const RESULTS = join(ROOT, 'bench-results');
const DOCUMENT = join(ROOT, 'docs', 'performance.md');

function machine(): Machine {
	return {
		cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
		cores: cpus().length,
		memoryBytes: totalmem(),
		system: `${type()} ${release()}`,
		node: process.versions.node,
		chromium: chromiumVersion(),
		loadBefore: loadavg()[0] ?? 0,
	};
}

function commit(): string {
	const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
	try {
		return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : ' and changes');
	} catch {
		return 'unknown';
	}
}

function failed(bench: BenchName, error: unknown): BenchRow {
	const message = error instanceof Error ? error.message : String(error);
	return { bench, name: 'the bench itself', target: 'runs', figure: message, pass: false, data: {} };
}

async function measure({ benches, options }: BenchArgs): Promise<BenchRow[]> {
	const rows: BenchRow[] = [];
	const log = (line: string): void => console.log(line);
	for (const bench of benches) {
		console.log(`— ${bench}`);
		try {
			rows.push(...(await RUN[bench]({ ...options, log })));
		} catch (error) {
			if (error instanceof NoGpuError && benches.length === 1) throw error;
			rows.push(failed(bench, error));
		}
	}
	return rows;
}

function save(report: BenchReport, { benches, json }: BenchArgs): string {
	const stamp = report.date.replaceAll(/[-:]/g, '').slice(0, 15);
	const path = json ?? join(RESULTS, `${stamp}-${benches.join('-')}.json`);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
	return path;
}

async function main(argv: readonly string[]): Promise<number> {
	const args = parseBenchArgs(argv);
	if (args.help) {
		console.log(HELP);
		return 0;
	}
	const about = { machine: machine(), commit: commit(), date: new Date().toISOString() };
	console.log(describeMachine(about.machine));
	const shown = argv.filter((arg) => arg !== '--write-docs');
	const command = ['npm run bench', ...(shown.length > 0 ? ['--', ...shown] : [])].join(' ');
	const report: BenchReport = { version: 1, command, ...about, rows: await measure(args) };
	console.log(`\n${terminalTable(report.rows)}\n\n${save(report, args)}`);
	if (args.writeDocs) {
		// As `npm test` wants it: tables are padded to their widest cell.
		const options = { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT };
		writeFileSync(DOCUMENT, await format(writeBlocks(readFileSync(DOCUMENT, 'utf8'), report), options));
	}
	return exitCodeOf(report.rows);
}

try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	if (!(error instanceof UsageError || error instanceof NoGpuError)) throw error;
	console.error(error.message);
	process.exitCode = error instanceof UsageError ? 2 : 6;
}
