/** Export: plan, render in chunks, join, prove the invariants, report. Interrupted, it goes on from the chunks it stored. */

import type { AudioResult, EncodeConfig, EncodedChunk } from '../contracts/media.ts';
import type { ExportReport, Finding, StageTime } from '../contracts/report.ts';
import type { ExportProgress, ExportRequest } from '../contracts/workers.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../core/errors.ts';
import { type Phrase, phrase } from '../core/phrases.ts';
import { add, compare, ONE, type Rational, round, sub } from '../core/rational.ts';
import { formatTimecode, parseTimecode } from '../core/timecode.ts';
import { soundLead } from '../media/audio/lead.ts';
import { chooseEncode } from '../media/encode/choose.ts';
import type { StagedTarget } from '../media/sinks/files.ts';
import { openTarget } from '../media/sinks/target.ts';
import type { JobRecord, JobStore } from '../store/jobs.ts';
import { ChunkRunner, type ChunkNotes } from './chunk-runner.ts';
import { chunkBounds, chunkFrames, exportIdentity } from './chunks.ts';
import { checkInvariants } from './invariants.ts';
import type { Plan } from './plan-types.ts';
import { ProgressMeter } from './progress.ts';
import { addNotes, noNotes } from './render-stream.ts';
import { makeReport, mergeTimes, type ReportParts } from './report.ts';
import { sequenceNames, sequenceSpec } from './sequence-names.ts';
import { type Engine, planRequest } from './session.ts';

/** Seconds. */
const A_DAY = 86_400;

/** Timecode of the first exported frame: the source's, moved on by a range's start. */
function timecodeAt(plan: Plan): string | undefined {
	const { info } = plan.request;
	const first = plan.levels.at(-1)!.sources[plan.window.start] ?? 0;
	if (info.timecode === undefined || first === 0) return info.timecode;
	const format = { base: round(info.rate), drop: info.timecode.includes(';') };
	try {
		return formatTimecode(parseTimecode(info.timecode, format) + first, format);
	} catch {
		// A numbering that does not fit its rate cannot be counted on.
		return undefined;
	}
}

/** Encoder settings for a plan, and what they do to the picture. */
export function encodeChoice(
	request: ExportRequest,
	plan: Plan,
): { readonly config: EncodeConfig; readonly conversions: readonly Phrase[] } {
	const { info } = request;
	const { codec, engine, depth, chroma, quality, keyframes } = request;
	const timecode = request.timecode === 'none' ? undefined : timecodeAt(plan);
	return chooseEncode(
		{
			format: info.format,
			size: plan.size,
			color: info.color,
			fields: info.fields,
			sampleAspect: info.sampleAspect,
			rotation: info.rotation,
			timebase: plan.timeline.timebase,
			rate: plan.rate,
			...(timecode === undefined ? {} : { timecode }),
		},
		request.container,
		{
			...(codec === undefined ? {} : { codec }),
			...(engine === undefined ? {} : { engine }),
			...(depth === undefined ? {} : { depth }),
			...(chroma === undefined ? {} : { chroma }),
			...(quality === undefined ? {} : { quality }),
			...(keyframes === undefined ? {} : { keyframes }),
		},
	);
}

function audioOf(
	engine: Engine,
	request: ExportRequest,
	plan: Plan,
	signal: AbortSignal,
): Promise<AudioResult | undefined> {
	const { info, audio, range } = request;
	const stretched = compare(plan.stretch, ONE) !== 0;
	if (audio === 'none' || info.audio.length === 0) return Promise.resolve(undefined);
	if (stretched && request.stretchMode === undefined) {
		throw new EmulsionError('usage', phrase('stretch-open'), { path: 'stretchMode' });
	}
	if (stretched && request.stretchMode === 'drop') return Promise.resolve(undefined);
	const first = info.frames[range?.start ?? 0]!;
	const last = info.frames[(range?.end ?? info.frames.length) - 1]!;
	const top = plan.timeline.frames;
	const picture = stretched ? first.pts : top[0]!.pts;
	const end = stretched ? add(last.pts, last.duration) : add(top.at(-1)!.pts, top.at(-1)!.duration);
	const track = info.audio.find((t) => t.stream === audio) ?? info.audio[0]!;
	// Sound that starts before the picture of a whole film, or outlasts it, belongs to it.
	const isWhole = range === undefined;
	const from = isWhole ? sub(picture, soundLead(track, picture)) : picture;
	// Matroska does not say how long a track is: then all that comes is taken.
	const soundEnd = add(track.start, track.duration ?? { num: A_DAY, den: 1 });
	const to = isWhole && compare(soundEnd, end) > 0 ? soundEnd : end;
	return engine.media.audio(
		request.source,
		{
			...(audio === undefined ? {} : { stream: audio }),
			container: request.container,
			from,
			to,
			picture,
			stretch: plan.stretch,
			...(request.stretchMode === undefined ? {} : { stretchMode: request.stretchMode }),
		},
		signal,
	);
}

/** Chunks that are stored and undamaged, by index. */
async function storedChunks(job: JobRecord, jobs: JobStore): Promise<Map<number, EncodedChunk>> {
	const found = new Map<number, EncodedChunk>();
	for (const record of job.chunks) {
		const chunk = await jobs.load(record);
		if (chunk) found.set(record.index, chunk);
	}
	return found;
}

/** Whether the frames of a chunk that went straight to a folder are still there. */
async function isWritten({ files = [] }: EncodedChunk, target: StagedTarget): Promise<boolean> {
	for (const { name, data } of files) {
		if (data.size === 0 && !(await target.read(name))?.size) return false;
	}
	return true;
}

/** Of stored chunks, those that an export can go on from. */
async function usableChunks(
	stored: Map<number, EncodedChunk>,
	{ target }: ExportRequest,
): Promise<Map<number, EncodedChunk>> {
	if (![...stored.values()].some(({ files }) => files !== undefined)) return stored;
	const folder = await openTarget(target);
	const usable = new Map<number, EncodedChunk>();
	for (const [index, chunk] of stored) if (await isWritten(chunk, folder)) usable.set(index, chunk);
	return usable;
}

function sumNotes(job: JobRecord): Pick<ReportParts, 'notes' | 'sourceMd5' | 'findings'> {
	const notes = noNotes();
	const findings = new Map<string, Finding>();
	const sourceMd5 = new Map<number, string>();
	for (const record of job.chunks) {
		const { render, sourceMd5: md5, findings: said = [] } = record.notes as ChunkNotes;
		// A shot may lie in several chunks.
		for (const finding of said) findings.set(`${finding.shot}/${finding.stage}`, finding);
		addNotes(notes, render);
		for (const [index, hash] of md5) sourceMd5.set(index, hash);
	}
	return { notes, sourceMd5, findings: [...findings.values()].sort((a, b) => a.shot - b.shot) };
}

interface Prepared {
	readonly plan: Plan;
	readonly planTimes: readonly StageTime[];
	readonly config: EncodeConfig;
	readonly conversions: readonly Phrase[];
	readonly id: string;
	readonly parts: unknown;
	readonly chunkSize: number;
}

async function prepare(
	engine: Engine,
	request: ExportRequest,
	meter: ProgressMeter,
	signal: AbortSignal,
): Promise<Prepared> {
	meter.phase('plan', 1);
	const { plan, times } = await planRequest(engine, request, {
		signal,
		urgency: 'patient',
		onProgress: ({ done, total }) => meter.set('analyze', done, total),
	});
	if (plan.timeline.frames.length === 0) throw new EmulsionError('usage', phrase('no-plan-frames'));
	const { config, conversions } = encodeChoice(request, plan);
	const chunkSize = chunkFrames(plan, config, request.chunkFrames);
	const { compute, models } = await engine.host.get();
	const used = plan.levels.flatMap(({ step }) => step?.stage.meta.models ?? []);
	const hashes = used.map((model) => models.spec(model).sha256);
	const identity = exportIdentity(request, plan, config, chunkSize, compute.info.key, hashes, engine.persistent.hashes);
	return { plan, planTimes: times, config, conversions, chunkSize, ...identity };
}

/** What an export runs with. */
export interface ExportDeps {
	readonly engine: Engine;
	readonly jobs: JobStore;
}

/**
 * Runs an export to its end. Throws `usage` where its files are there already and must stay, `invariant-failed` when the written file is not what was planned (nothing is published
 * then), `quota-exceeded` when storage is full (finished chunks are kept), and whatever a part threw.
 */
export async function runExport(
	deps: ExportDeps,
	request: ExportRequest,
	onProgress: (progress: ExportProgress) => void,
	signal: AbortSignal,
): Promise<ExportReport> {
	const started = performance.now();
	const meter = new ProgressMeter(onProgress);
	const prepared = await prepare(deps.engine, request, meter, signal);
	return deps.jobs.exclusive(prepared.id, () => exportJob(deps, request, prepared, meter, started, signal));
}

async function exportJob(
	{ engine, jobs }: ExportDeps,
	request: ExportRequest,
	prepared: Prepared,
	meter: ProgressMeter,
	started: number,
	signal: AbortSignal,
): Promise<ExportReport> {
	const { plan, config, id, parts, chunkSize } = prepared;
	const bounds = chunkBounds(plan.timeline.frames.length, chunkSize);
	const notices =
		request.resume !== undefined && request.resume !== id
			? ['plan-changed: the interrupted export was made by another plan; this one starts anew.']
			: [];
	const found = await jobs.find(id);
	const stored = found === undefined ? new Map() : await usableChunks(await storedChunks(found, jobs), request);
	const resumed = stored.size;
	// A folder with finished frames of this job holds its own, and those of the chunk that was cut short, which nothing lists. The
	// server behind a path keeps a list, so it is asked each time.
	if (resumed === 0 || request.target.kind === 'http') {
		await engine.encode.claim(sequenceSpec(request, plan)?.names ?? [request.name], request.target);
	}
	const job =
		found ??
		(await jobs.create({
			id,
			planHash: id,
			name: request.name,
			total: bounds.length,
			created: Date.now(),
			plan: parts,
		}));
	// Reading for hash and audio goes on beside the rendering; a failure is thrown where the result is awaited.
	const own = new AbortController();
	const both = AbortSignal.any([signal, own.signal]);
	const audioReady = audioOf(engine, request, plan, both);
	const hashReady = engine.media.hash(request.source, both);
	for (const promise of [audioReady, hashReady]) promise.catch(() => undefined);
	// Also sound that comes too late to be of use.
	const dropAudio = (): void => {
		const drop = async (): Promise<void> => {
			const { stored } = (await audioReady) ?? {};
			if (stored !== undefined) await engine.media.dropAudio(stored);
		};
		drop().catch(() => undefined);
	};
	const encodeJob = await engine.encode.open(config, sequenceSpec(request, plan)).catch((error: unknown) => {
		own.abort();
		dropAudio();
		throw error;
	});
	let settled = false;
	try {
		const done = [...stored.values()].reduce((sum, { range }) => sum + range.end - range.start, 0);
		meter.phase('render', plan.timeline.frames.length, done);
		const runner = new ChunkRunner(
			{
				engine,
				request,
				plan,
				config,
				encodeJob,
				jobs,
				bounds,
				options: { signal: both, urgency: 'patient' },
				onFrames: (count) => meter.step(count),
			},
			{ ...job, chunks: job.chunks.filter((c) => stored.has(c.index)) },
		);
		const complete = await runner.run(bounds.flatMap((_b, i) => (stored.has(i) ? [] : [i])));
		const chunks = await inOrder(complete, jobs, bounds.length);
		const audio = await audioReady;
		meter.phase('mux', 1);
		const written = await engine.encode.mux(
			encodeJob,
			chunks,
			plan.timeline.frames,
			audio,
			request.target,
			request.name,
			({ done: at, total }) => meter.set('mux', at, total),
			both,
		);
		meter.phase('verify', 1);
		const invariants = checkInvariants(plan.timeline, written, audio, plannedOffset(audio));
		const failed = invariants.filter((i) => !i.ok);
		if (failed.length > 0) {
			const what = failed.map(({ name, expected, found }) => phrase('invariant', { name, expected, found }));
			// Its chunks are not to be trusted either.
			await jobs.remove(id);
			throw new EmulsionError('invariant-failed', phrase('invariants', { what }));
		}
		const inputSha256 = await hashReady;
		await engine.encode.settle(encodeJob, true);
		settled = true;
		const { compute, models, store } = await engine.host.get();
		const { seconds: decode } = await engine.media.stats(request.source);
		const report = makeReport({
			request,
			names: sequenceNames(request, plan),
			...prepared,
			backend: compute.info,
			models: models.used(),
			chunks,
			resumed,
			...sumNotes(complete),
			inputSha256,
			audio,
			written,
			invariants,
			times: mergeTimes(prepared.planTimes, runner.times()),
			seconds: { total: (performance.now() - started) / 1000, decode, cache: store.stats().seconds },
			peakBytes: await engine.host.peakBytes(),
			extraNotices: notices,
		});
		await jobs.remove(id);
		meter.phase('verify', 1, 1);
		return report;
	} catch (error) {
		own.abort();
		if (!settled) await engine.encode.settle(encodeJob, false).catch(() => undefined);
		// What an abort breaks on its way is not the reason.
		throwIfAborted(signal);
		throw toEmulsionError(error);
	} finally {
		dropAudio();
		await engine.encode.close(encodeJob).catch(() => undefined);
	}
}

/** First audio sample minus first frame. */
function plannedOffset(audio: AudioResult | undefined): Rational {
	return audio?.offset ?? { num: 0, den: 1 };
}

async function inOrder(job: JobRecord, jobs: JobStore, total: number): Promise<EncodedChunk[]> {
	const stored = await storedChunks(job, jobs);
	return Array.from({ length: total }, (_, i) => {
		const chunk = stored.get(i);
		if (!chunk) {
			throw new EmulsionError('storage-unavailable', phrase('chunk-gone', { index: i }), {
				retryable: true,
			});
		}
		return chunk;
	});
}
