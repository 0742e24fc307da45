/**
 * The headless page's entry: takes one job from the terminal, runs the same engine as the editor on the files of its
 * `#input` element, and answers with a report or a typed error. Media never crosses the browser's protocol.
 */

import type { HeadlessApi, HeadlessEvent, HeadlessJob, HeadlessResult } from '../contracts/headless.ts';
import type { FrameRange, Progress } from '../contracts/frames.ts';
import type { SourceInfo, SourceInput } from '../contracts/media.ts';
import type { Recipe } from '../contracts/recipe.ts';
import type { ReportFile } from '../contracts/report.ts';
import type { HeadlessReviewJob, HeadlessReviewResult } from '../contracts/review.ts';
import type { ExportProgress, ExportRequest, MatteInput } from '../contracts/workers.ts';
import type { Transfer } from '../core/color.ts';
import { parseEdl, shotsFromEdl } from '../core/edl.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../core/errors.ts';
import { say, spoken } from '../core/phrases.ts';
import { parseRational, toNumber } from '../core/rational.ts';
import type { Shot } from '../core/shots.ts';
import { validateRecipe } from '../project/recipe.ts';
import { needsAllShots } from '../project/shot-needs.ts';
import { createEngine, type Engine, type OpenSource } from '../services/engine.ts';
import { matteInput } from '../services/matte-input.ts';
import { STAGE_METAS, stageMeta } from '../stages/metas.ts';
import { renderReview } from './headless-review.ts';

declare global {
	/** Bound by the terminal; absent when a person opens the page. */
	var emulsionEvent: ((event: HeadlessEvent) => Promise<void>) | undefined;
	/** What the terminal calls. */
	var emulsionHeadless: HeadlessApi | undefined;
}

/** Where the terminal's writer listens. */
const WRITER_BASE = '/run';

function send(event: HeadlessEvent): void {
	globalThis.emulsionEvent?.(event).catch(() => undefined);
}

const notice = (message: string): void => send({ type: 'notice', message });

/** Sends progress at most ten times a second, and always the last of a phase. */
function progressSender(): (progress: ExportProgress) => void {
	let last = 0;
	return (progress) => {
		const now = performance.now();
		if (now - last < 100 && progress.done < progress.total) return;
		last = now;
		send({ type: 'progress', progress });
	};
}

function inputFiles(selector: string): SourceInput['files'] {
	const element = document.querySelector<HTMLInputElement>(selector);
	return [...(element?.files ?? [])].map((file) => ({ path: file.name, file }));
}

function sourceInput(job: HeadlessJob): SourceInput {
	const rate = job.rate === undefined ? undefined : parseRational(job.rate);
	return {
		kind: job.kind,
		files: inputFiles('#input'),
		...(job.pattern === undefined ? {} : { pattern: job.pattern }),
		...(rate === undefined ? {} : { rate }),
		...(job.transfer === undefined ? {} : { transfer: job.transfer as Transfer }),
	};
}

/** A sequence without a transfer is not guessed at; a film has its own, and an option that cannot be followed is not dropped in silence. */
function requireTransfer(info: SourceInfo, answer: string | undefined): void {
	if (answer !== undefined && info.kind !== 'sequence') {
		throw new EmulsionError('usage', `--transfer is for image sequences; ${info.name} is a film and says its own.`);
	}
	if (info.color.transfer !== 'unknown') return;
	throw new EmulsionError(
		'transfer-unknown',
		`${info.name} does not say how its code values relate to light. Say it: --transfer log (Cineon), linear, srgb, bt709 or gamma22.`,
	);
}

function resolveRange(range: FrameRange | undefined, info: SourceInfo): FrameRange | undefined {
	if (range === undefined) return undefined;
	const end = range.end === -1 ? info.frames.length : range.end;
	if (range.start >= info.frames.length || end > info.frames.length || end <= range.start) {
		throw new EmulsionError(
			'usage',
			`--range: the source has frames 0 to ${info.frames.length}, got ${range.start}:${end}`,
		);
	}
	return { start: range.start, end };
}

/** Shots by an EDL, of the whole film, or, where nothing else is needed, of the range alone. */
async function findShots(
	engine: Engine,
	source: OpenSource,
	job: HeadlessJob,
	recipe: Recipe,
	range: FrameRange | undefined,
	signal: AbortSignal,
): Promise<readonly Shot[]> {
	const { info } = source;
	if (job.edl !== undefined) {
		const base = Math.max(1, Math.round(toNumber(info.rate)));
		return shotsFromEdl(parseEdl(job.edl, base), info.frames.length);
	}
	const report = progressSender();
	const onProgress = ({ done, total }: Progress): void =>
		report({ phase: 'analyze', done, total, framesPerSecond: 0, remainingSeconds: null });
	const everywhere = recipe.stages.some((entry) => needsAllShots(entry, stageMeta(entry.stage)!));
	if (range === undefined || everywhere) return engine.shots(source, onProgress, signal);
	const { shots, known, looked } = await engine.shotsAround(source, range, onProgress, signal);
	notice(
		`looked for shots in ${looked} of ${info.frames.length} frames: those of the range are ${known.start}:${known.end}`,
	);
	return shots;
}

/** Opens the mattes; their code values are the matte, so that no transfer needs to be known. */
async function openMattes(engine: Engine, job: HeadlessJob, signal: AbortSignal): Promise<readonly MatteInput[]> {
	const mattes: MatteInput[] = [];
	for (const [index, { id, kind, pattern }] of (job.mattes ?? []).entries()) {
		const files = inputFiles(`#matte-${index}`);
		try {
			const input = { kind, files, ...(pattern === undefined ? {} : { pattern }) };
			const { id: source, info } = await engine.open(input, () => undefined, signal);
			mattes.push(matteInput(id, source, info));
		} catch (thrown) {
			const error = toEmulsionError(thrown);
			throw new EmulsionError(error.code, `--matte ${id}: ${error.message}`, error.details);
		}
	}
	return mattes;
}

function describeShots(shots: readonly Shot[]): string {
	const seen = shots.filter((s) => !s.unseen);
	const dissolves = seen.filter((s) => s.transitionIn === 'dissolve').length;
	const starts = seen.map((s) => s.start).filter((start) => start > 0);
	const list =
		starts.length === 0 ? '' : ` (cuts at ${starts.slice(0, 20).join(', ')}${starts.length > 20 ? ', …' : ''})`;
	return `${seen.length} ${seen.length === 1 ? 'shot' : 'shots'}${dissolves > 0 ? `, ${dissolves} by dissolve` : ''}${list}`;
}

/** The interrupted export this job goes on with, said openly; a changed plan starts anew and the export says so. */
async function interruptedExport(engine: Engine, job: HeadlessJob): Promise<string | undefined> {
	if (!job.resume) return undefined;
	const found = (await engine.interrupted()).filter(({ name }) => name === job.name).at(-1);
	if (found) notice(`An interrupted export is here: ${found.done} of ${found.total} chunks are kept.`);
	return found?.id;
}

/** Chunks of other plans for the same output are of no use once it is written. */
async function discardStale(engine: Engine, job: HeadlessJob): Promise<void> {
	for (const { id, name } of await engine.interrupted()) if (name === job.name) await engine.discard(id);
}

async function run(job: HeadlessJob, signal: AbortSignal): Promise<ReportFile> {
	// Whatever needs no media is refused first.
	const recipe = validateRecipe(job.recipe, STAGE_METAS);
	const engine = createEngine({
		backend: job.backend,
		...(job.threads === undefined ? {} : { threads: job.threads }),
		onRestart: (worker, reason) => notice(`The ${worker} worker was restarted: ${reason.message}`),
	});
	try {
		const backend = await engine.backend();
		notice(`backend: ${backend.kind} (${say(backend.name)}) — ${say(backend.reason)}`);
		// Beside opening and looking for shots, which other workers do.
		engine.warm(recipe).catch(() => undefined);
		const source = await engine.open(sourceInput(job), () => undefined, signal);
		for (const { severity, message } of source.info.notices) notice(`${severity}: ${message}`);
		requireTransfer(source.info, job.transfer);
		const range = resolveRange(job.range, source.info);
		const shots = await findShots(engine, source, job, recipe, range, signal);
		notice(describeShots(shots));
		throwIfAborted(signal);
		const mattes = await openMattes(engine, job, signal);
		const base = {
			...{ source: source.id, info: source.info, shots, recipe },
			...(range === undefined ? {} : { range }),
			...(mattes.length === 0 ? {} : { mattes }),
		};
		const summary = await engine.plan(base, () => undefined, signal);
		for (const warning of summary.warnings) notice(`warning: ${say(warning)}`);
		const resume = await interruptedExport(engine, job);
		const request: ExportRequest = {
			...base,
			container: job.container,
			...(job.codec === undefined ? {} : { codec: job.codec }),
			...(job.engine === undefined ? {} : { engine: job.engine }),
			...(job.depth === undefined ? {} : { depth: job.depth }),
			...(job.chroma === undefined ? {} : { chroma: job.chroma }),
			...(job.quality === undefined ? {} : { quality: job.quality }),
			...(job.audio === undefined ? {} : { audio: job.audio }),
			...(job.stretchMode === undefined ? {} : { stretchMode: job.stretchMode }),
			...(job.chunkFrames === undefined ? {} : { chunkFrames: job.chunkFrames }),
			target: { kind: 'http', base: WRITER_BASE, token: job.token, folder: job.folder },
			name: job.name,
			...(resume === undefined ? {} : { resume }),
		};
		const report = await engine.export(request, progressSender(), signal);
		await discardStale(engine, job).catch(() => undefined);
		return spoken(report);
	} finally {
		engine.dispose();
	}
}

let running: AbortController | undefined;

globalThis.emulsionHeadless = {
	async run(job: HeadlessJob): Promise<HeadlessResult> {
		running?.abort();
		running = new AbortController();
		try {
			return { ok: true, report: await run(job, running.signal) };
		} catch (thrown) {
			return { ok: false, error: toEmulsionError(thrown).toRecord() };
		}
	},
	async review(job: HeadlessReviewJob): Promise<HeadlessReviewResult> {
		running?.abort();
		running = new AbortController();
		return renderReview(job, { notice, progress: progressSender() }, running.signal);
	},
	cancel: () => running?.abort(),
};
