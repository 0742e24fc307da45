/** Entry of `npm run restore`. */

import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { STAGE_METAS } from '../src/stages/metas.ts';
import { codecText } from '../src/core/codecs.ts';
import { EmulsionError, exitCode, toEmulsionError } from '../src/core/errors.ts';
import { say } from '../src/core/phrases.ts';
import { provenancePhrase } from '../src/core/provenance.ts';
import { parseRecipe } from '../src/project/recipe.ts';
import { ensureBuild } from '../scripts/build.ts';
import { ensureChromium } from '../scripts/ensure.ts';
import { HELP, parseCommandLine, type RestoreArgs } from './args.ts';
import { protectInput, protectOutput, protectReport, resolveInput, resolveMattes } from './input.ts';
import { ProgressWriter } from './progress.ts';
import { runSession, type SessionReport } from './session.ts';
import { describeStages } from './stages.ts';
import { openWork } from './work.ts';

function readText(path: string, option: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (cause) {
		throw new EmulsionError(
			'usage',
			`${option}: ${path} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'error'})`,
			{ cause },
		);
	}
}

/** Says before hours of work that there is no place for a file. */
function checkWritable(path: string, option: string): void {
	try {
		accessSync(dirname(resolve(path)), constants.W_OK);
	} catch (cause) {
		throw new EmulsionError('usage', `${option}: ${path} cannot be written`, { cause });
	}
}

/** Reads and validates the recipe before anything is started, so that its errors come at once. */
function loadRecipe(path: string | undefined, mattes: readonly string[]): unknown {
	if (path === undefined) return { version: 1, stages: [] };
	const text = readText(path, '--recipe');
	parseRecipe(text, STAGE_METAS, mattes);
	return JSON.parse(text);
}

/** The film is there by now: what fails here says so. */
function writeReport(path: string, report: SessionReport): void {
	try {
		writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
	} catch (cause) {
		const { code = 'error' } = cause as NodeJS.ErrnoException;
		const isFull = code === 'ENOSPC' || code === 'EDQUOT';
		throw new EmulsionError(
			isFull ? 'quota-exceeded' : 'internal',
			`--report: ${path} cannot be written (${isFull ? 'no space left' : code}). OUTPUT is whole and in its place.`,
			{ cause },
		);
	}
}

function summary(report: SessionReport): string {
	const failed = report.invariants.filter((i) => !i.ok).length;
	return [
		`${report.output.name}: ${report.output.frames} frames, ${say(codecText(report.output.codec))}, ${report.output.format}, ${report.output.bytes} bytes`,
		`backend: ${report.backend.kind} (${report.backend.name}) — ${report.backend.reason}`,
		...report.output.conversions.map((text) => `conversion: ${text}`),
		`provenance: ${say(provenancePhrase(report.provenance))}; ${report.provenance.copiedFrames} frames copied bit for bit`,
		`invariants: ${report.invariants.length - failed} of ${report.invariants.length} hold`,
	].join('\n');
}

async function restore(args: RestoreArgs): Promise<void> {
	const input = resolveInput(args.input);
	protectInput(input, args.output);
	const mattes = resolveMattes(args.mattes);
	for (const matte of mattes) protectInput(matte, args.output);
	protectOutput(args.output, args.overwrite === true);
	if (args.report !== undefined) {
		checkWritable(args.report, '--report');
		protectReport(args.report, { ...args, input }, args.overwrite === true);
	}
	const recipe = loadRecipe(
		args.recipe,
		mattes.map(({ id }) => id),
	);
	if (args.edl !== undefined) readText(args.edl, '--edl');
	const progress = new ProgressWriter(process.stderr);
	const log = (line: string): void => progress.line(line);
	const chromium = ensureChromium(log);
	const dist = await ensureBuild(log);
	const work = openWork(args.work);
	const interrupt = new AbortController();
	const onSignal = (): void => interrupt.abort();
	process.on('SIGINT', onSignal);
	process.on('SIGTERM', onSignal);
	try {
		const report = await runSession({
			args,
			input,
			mattes,
			recipe,
			dist,
			chromium,
			work,
			signal: interrupt.signal,
			onEvent: (event) => (event.type === 'progress' ? progress.update(event.progress) : progress.line(event.message)),
		});
		progress.end();
		process.stdout.write(`${summary(report)}\n`);
		if (args.report !== undefined) writeReport(args.report, report);
	} catch (error) {
		progress.end();
		throw interrupt.signal.aborted ? new EmulsionError('aborted', 'Interrupted.', { cause: error }) : error;
	} finally {
		process.off('SIGINT', onSignal);
		process.off('SIGTERM', onSignal);
		work.release();
	}
}

async function main(argv: readonly string[]): Promise<number> {
	try {
		const args = parseCommandLine(argv);
		if (args.command === 'help') process.stdout.write(HELP);
		else if (args.command === 'list-stages') process.stdout.write(`${describeStages(STAGE_METAS)}\n`);
		else await restore(args);
		return 0;
	} catch (thrown) {
		const error = toEmulsionError(thrown);
		process.stderr.write(`emulsion: ${error.message}\n`);
		if (error.code === 'internal' && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
		return exitCode(error);
	}
}

process.exitCode = await main(process.argv.slice(2));
