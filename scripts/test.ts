/**
 * `npm test`: installs what is missing, then format, lint, type check, and every test project: the unit tests, then the browser's and
 * the GPU's, then the end-to-end tests; Python's beside all of them. Ends with `N passed, M failed, K skipped`.
 * A skip is legal only where the external data is absent, and is listed.
 *
 * `npm test -- unit browser` runs only these projects, without the static checks.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DATA_DIR, NEEDS_DATA } from '../tests/helpers/data.ts';
import { ROOT } from './build.ts';
import { findChromium, preferHeadlessShell } from './chromium.ts';
import { ensureChromium, ensureFfmpeg, ensurePostgres, ensurePython, installTestPackages } from './ensure.ts';

const VITEST_PROJECTS = ['unit', 'browser', 'gpu', 'e2e'] as const;
/** `training` is Python's. */
const PROJECTS = [...VITEST_PROJECTS, 'training'] as const;
const OUT = join(ROOT, '.cache', 'test-results');

const CHECKS: readonly (readonly [string, readonly string[]])[] = [
	['format', ['prettier', '--check', '--log-level', 'warn', '.']],
	['lint', ['eslint', '--max-warnings', '0', '.']],
	['notices', ['tsx', 'scripts/notices.ts', '--check']],
	['types: DOM', ['tsc', '-p', 'tsconfig.dom.json']],
	['types: worker', ['tsc', '-p', 'tsconfig.worker.json']],
	['types: node', ['tsc', '-p', 'tsconfig.node.json']],
	['types: Svelte', ['svelte-check', '--tsconfig', 'tsconfig.dom.json', '--fail-on-warnings', '--output', 'human']],
];

/** What `training/python.sh` runs: the workshop and the importer, and the shipped models against their cards. */
const TRAINING: readonly (readonly [string, readonly string[]])[] = [
	['environment', ['-c', '']],
	['lint', ['-m', 'ruff', 'check', '.']],
	['format', ['-m', 'ruff', 'format', '--check', '.']],
	['types', ['-m', 'mypy']],
	['pytest, the smoke of the whole path among it', ['-m', 'pytest', '-q', '-m', 'not slow', '--durations=8']],
];
/** These need the evaluation data. */
const WITH_DATA: typeof TRAINING = [
	['shipped models against their cards', ['-m', 'workshop.small_set']],
	['the degradation model against real film', ['-m', 'workshop', 'film-range', '--check', '--threads', '1']],
];

interface Tally {
	passed: number;
	/** What failed, by name: a summary that only counts sends its reader back through the log. */
	failed: string[];
	skipped: string[];
}

interface JsonReport {
	readonly success: boolean;
	readonly testResults: readonly {
		readonly name: string;
		readonly status: string;
		readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
	}[];
}

interface Ended {
	readonly ok: boolean;
	readonly output: string;
	readonly seconds: number;
}

/**
 * PyTorch's threads spin while they wait for one another: beside other work on two cores its tests took 416 s with two of them, alone 100 s.
 */
const ONE_THREAD = { OMP_NUM_THREADS: '1', OMP_WAIT_POLICY: 'PASSIVE' };

/** Runs a command beside others; its output comes when it ends. */
function beside(command: string, args: readonly string[], cwd = ROOT): Promise<Ended> {
	const start = performance.now();
	return new Promise((resolve) => {
		const child = spawn(command, args, {
			cwd,
			stdio: ['ignore', 'pipe', 'pipe'],
			env: { ...process.env, ...ONE_THREAD },
		});
		const parts: Buffer[] = [];
		const end = (ok: boolean): void =>
			resolve({ ok, output: Buffer.concat(parts).toString(), seconds: (performance.now() - start) / 1000 });
		child.stdout.on('data', (data: Buffer) => parts.push(data));
		child.stderr.on('data', (data: Buffer) => parts.push(data));
		child.on('error', (error) => {
			parts.push(Buffer.from(`${error.message}\n`));
			end(false);
		});
		child.on('close', (code) => end(code === 0));
	});
}

/** The checks are one thread each: two run at a time. */
async function runChecks(tally: Tally): Promise<void> {
	const waiting = [...CHECKS];
	const work = async (): Promise<void> => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			const [name, args] = next;
			const { ok, output, seconds } = await beside('npx', ['--no-install', ...args]);
			console.log(`\n— ${name}\n${output}— ${name}: ${seconds.toFixed(0)} s`);
			if (ok) tally.passed++;
			else tally.failed.push(name);
		}
	};
	await Promise.all([work(), work()]);
}

/** Runs a command that writes to this one's output; true where it ends well. */
function npx(args: readonly string[]): Promise<boolean> {
	return new Promise((resolve) => {
		const child = spawn('npx', ['--no-install', ...args], { cwd: ROOT, stdio: 'inherit' });
		child.on('error', () => resolve(false));
		child.on('close', (code) => resolve(code === 0));
	});
}

async function timed(name: string, run: () => Promise<void>): Promise<void> {
	const start = performance.now();
	console.log(`\n— ${name}`);
	await run();
	console.log(`— ${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

async function runProject(project: string, tally: Tally): Promise<void> {
	const file = join(OUT, `${project}.json`);
	rmSync(file, { force: true });
	const ok = await npx([
		'vitest',
		'run',
		'--project',
		project,
		'--reporter=default',
		'--reporter=json',
		`--outputFile.json=${file}`,
	]);
	let report: JsonReport;
	try {
		report = JSON.parse(readFileSync(file, 'utf8')) as JsonReport;
	} catch {
		console.error(`${project}: the test runner left no report`);
		tally.failed.push(`${project}: no report`);
		return;
	}
	const before = tally.failed.length;
	for (const suite of report.testResults) {
		if (suite.status === 'failed' && suite.assertionResults.every((t) => t.status !== 'failed')) {
			tally.failed.push(`${project}: ${relative(ROOT, suite.name)}`);
		}
		for (const test of suite.assertionResults) {
			if (test.status === 'passed') tally.passed++;
			else if (test.status === 'failed')
				tally.failed.push(`${project}: ${relative(ROOT, suite.name)}: ${test.fullName}`);
			else tally.skipped.push(`${project}: ${test.fullName}`);
		}
	}
	// An unhandled rejection fails the run without failing a test.
	if (!ok && tally.failed.length === before) tally.failed.push(`${project}: the run as a whole`);
}

async function runTraining(tally: Tally): Promise<void> {
	for (const [name, args] of DATA_DIR === undefined ? TRAINING : [...TRAINING, ...WITH_DATA]) {
		const { ok, output, seconds } = await beside('./python.sh', args, join(ROOT, 'training'));
		console.log(`\n— training: ${name}\n${output}— training: ${name}: ${seconds.toFixed(0)} s`);
		if (ok) tally.passed++;
		else tally.failed.push(`training: ${name}`);
	}
	if (DATA_DIR === undefined) tally.skipped.push(...WITH_DATA.map(([name]) => `training: ${name}`));
}

/** What comes from the system's package manager. */
async function installPackages(wants: (project: string) => boolean): Promise<void> {
	await installTestPackages(console.log);
	ensureChromium(console.log);
	ensureFfmpeg(console.log);
	if (wants('training') || wants('unit')) ensurePython(console.log);
	if (wants('unit')) ensurePostgres(console.log);
}

/** In a process of its own: it blocks until its packages have come over the network. */
async function prepareMoto(tally: Tally): Promise<void> {
	const make = "import('./scripts/ensure.ts').then((ensure) => ensure.ensureMoto(console.log))";
	const { ok, output, seconds } = await beside(process.execPath, ['--import', 'tsx', '-e', make]);
	console.log(`\n— moto\n${output}— moto: ${seconds.toFixed(0)} s`);
	if (!ok) tally.failed.push('moto');
}

async function main(): Promise<void> {
	const wanted = process.argv.slice(2);
	const unknown = wanted.filter((w) => !(PROJECTS as readonly string[]).includes(w));
	if (unknown.length > 0) throw new Error(`unknown project ${unknown.join(', ')}: expected ${PROJECTS.join(', ')}`);
	mkdirSync(OUT, { recursive: true });
	const tally: Tally = { passed: 0, failed: [], skipped: [] };
	const wants = (project: string): boolean => wanted.length === 0 || wanted.includes(project);
	const packages = installPackages(wants);
	// A lane of its own, one thread for most of its time: gigabytes of packages over the network, then Python's tests.
	const python = packages.then(() => (wants('training') ? runTraining(tally) : undefined));
	await timed('checks and set-up', async () => {
		const server = packages.then(() => (wants('unit') ? prepareMoto(tally) : undefined));
		await Promise.all([server, wanted.length === 0 ? runChecks(tally) : undefined]);
	});
	preferHeadlessShell();
	console.log(`tests run in ${findChromium() ?? 'no Chromium'}`);
	const run = (project: (typeof VITEST_PROJECTS)[number]): Promise<void> | undefined =>
		wants(project) ? timed(project, () => runProject(project, tally)) : undefined;
	await run('unit');
	// The browser's tests leave half a core idle (308 CPU seconds in 4/5 of 253 s): the GPU's come beside them, after Python's, when the
	// fixtures of both are made.
	const isBeside = wants('training');
	await Promise.all([run('browser'), isBeside ? python.then(() => run('gpu')) : undefined]);
	if (!isBeside) await run('gpu');
	await run('e2e');
	console.log('');
	for (const name of tally.skipped) console.log(`skipped: ${name} (${NEEDS_DATA})`);
	if (tally.skipped.length > 0 && DATA_DIR !== undefined) {
		console.error(
			`${tally.skipped.length} skipped although ${DATA_DIR} exists: a skip is legal only where the data is absent`,
		);
		tally.failed.push(...tally.skipped.map((name) => `skipped: ${name}`));
	}
	for (const name of tally.failed) console.log(`failed: ${name}`);
	console.log(`${tally.passed} passed, ${tally.failed.length} failed, ${tally.skipped.length} skipped`);
	if (tally.failed.length > 0) process.exitCode = 1;
}

await main();
