/** A plan bound to a backend and a source reader: what a preview, a render or a chunk works with. */

import type { OnProgress } from '../contracts/frames.ts';
import type { StageTime } from '../contracts/report.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { Stage } from '../contracts/stage.ts';
import type { PlanRequest } from '../contracts/workers.ts';
import { FrameHasher } from '../media/encode/frame-md5.ts';
import { loadStage } from '../stages/registry.ts';
import type { Backend, BackendHost, Persistent } from './backend.ts';
import type { EncodeClient, MediaClient } from './clients.ts';
import { Executor, type ExecutorDeps } from './executor.ts';
import type { Precedence } from './gate.ts';
import type { Passing } from './passing.ts';
import type { Plan, PlanLevel } from './plan-types.ts';
import type { MattePool } from './mattes.ts';
import { makePlan } from './plan.ts';
import { mergeTimes } from './report.ts';
import { SourceReader } from './source-reader.ts';
import { Surveyor } from './surveyor.ts';

/** Bytes of decoded source frames that one reader keeps: people step back and forth, an export goes on. */
const READER_BUDGET = { any: 64 * 2 ** 20, forward: 16 * 2 ** 20 };
/** Frames that it keeps however large they are: scans lend their headers to frames that left a few neighbors earlier. */
const LEAST_SCANS = 6;

/** All that the pipeline of one restore worker shares. */
export interface Engine {
	readonly media: MediaClient;
	readonly encode: EncodeClient;
	readonly host: BackendHost;
	readonly persistent: Persistent;
	readonly precedence: Precedence;
	readonly mattes: MattePool;
	/** Counters of the whole worker. */
	readonly tally: { flows: number; readonly planning: Map<string, readonly StageTime[]> };
}

/** How urgent work is: previews overtake everything else between tiles. */
export type Urgency = 'urgent' | 'patient';

/** How a unit of work runs. */
export interface RunOptions {
	readonly signal: AbortSignal;
	readonly urgency: Urgency;
	readonly onProgress?: OnProgress;
}

/** A reader of a request's source. An export's takes the MD5 of every frame it decodes into `md5`, and keeps few frames. */
export async function openReader(
	engine: Engine,
	request: PlanRequest,
	md5?: Map<number, string>,
	end?: number,
): Promise<SourceReader> {
	const hasher = md5 && (await FrameHasher.create());
	const least = request.info.kind === 'sequence' && request.recipe.stages.length > 0 ? LEAST_SCANS : 1;
	return new SourceReader({
		open: (range, signal) => engine.media.frames(request.source, range, signal),
		frames: request.info.frames.length,
		...(end === undefined ? {} : { end }),
		budget: md5 ? READER_BUDGET.forward : READER_BUDGET.any,
		least,
		onFrame(frame) {
			if (!hasher || md5.has(frame.index)) return;
			md5.set(frame.index, hasher.hash(new Uint8Array(frame.data), frame.format, frame.size));
		},
	});
}

/** An executor over some levels; with `passing` it keeps no frames that its consumer has left behind. */
export function makeExecutor(
	engine: Engine,
	backend: Backend,
	request: PlanRequest,
	levels: readonly PlanLevel[],
	reader: SourceReader,
	{ signal, urgency, onProgress }: RunOptions,
	passing?: Passing,
): Executor {
	const deps: ExecutorDeps = {
		...backend,
		...engine.persistent,
		source: reader,
		matte: (region, source, size) =>
			engine.mattes.picture(backend.compute, request.mattes ?? [], region, source, size, urgency, signal),
		breathe: breatheOf(engine, urgency),
		onFlow: () => engine.tally.flows++,
		...(onProgress ? { onProgress } : {}),
		...(passing ? { passing } : {}),
	};
	return new Executor(request, levels, deps, signal);
}

/** How work of this urgency yields. */
export function breatheOf(engine: Engine, urgency: Urgency): (signal: AbortSignal) => Promise<void> {
	return urgency === 'urgent'
		? (signal) => engine.precedence.breatheUrgent(signal)
		: (signal) => engine.precedence.breathePatient(signal);
}

/** What makes two requests the same plan. */
export function planKey(engine: Engine, { source, info, shots, recipe, range, mattes = [] }: PlanRequest): string {
	return engine.persistent.hashes.key({
		source,
		fingerprint: info.fingerprint,
		color: { ...info.color },
		shots: shots.map(({ start, end }) => [start, end]),
		recipe: JSON.stringify(recipe),
		range: range && [range.start, range.end],
		mattes: mattes.map(({ id, source: matte, fingerprint }) => [id, matte, fingerprint]),
	});
}

/** Plans whose times are remembered. */
const REMEMBERED = 16;

/** Adds to the times of planning this request: a second planning finds artifacts and frames that the first one paid for. */
function rememberTimes(engine: Engine, request: PlanRequest, times: readonly StageTime[]): readonly StageTime[] {
	const { planning } = engine.tally;
	const key = planKey(engine, request);
	const all = mergeTimes(planning.get(key) ?? [], times);
	planning.delete(key);
	planning.set(key, all);
	for (const old of planning.keys()) {
		if (planning.size <= REMEMBERED) break;
		planning.delete(old);
	}
	return all;
}

/** Plans a request, surveying the source where a stage's timeline depends on the pictures. */
export async function planRequest(
	engine: Engine,
	request: PlanRequest,
	options: RunOptions,
): Promise<{ readonly plan: Plan; readonly times: readonly StageTime[] }> {
	const times: StageTime[] = [];
	const reader = await openReader(engine, request);
	try {
		const plan = await makePlan(request, {
			load: loadStage,
			async survey(levels, entry, stage, shots) {
				const made = await surveyShots(engine, request, reader, options, { levels, entry, stage, shots });
				times.push(made.time);
				return made.surveys;
			},
		});
		return { plan, times: rememberTimes(engine, request, times) };
	} finally {
		await reader.close();
	}
}

interface SurveyJob {
	readonly levels: readonly PlanLevel[];
	readonly entry: RecipeStage;
	readonly stage: Stage;
	readonly shots: readonly number[];
}

/** Surveys shots in order, so that the source is decoded in one pass; progress counts frames. */
async function surveyShots(
	engine: Engine,
	request: PlanRequest,
	reader: SourceReader,
	{ signal, urgency, onProgress }: RunOptions,
	{ levels, entry, stage, shots }: SurveyJob,
): Promise<{ readonly surveys: ReadonlyMap<number, unknown>; readonly time: StageTime }> {
	const ranges = levels.at(-1)!.shots;
	const lengthOf = (shot: number): number => ranges[shot]!.end - ranges[shot]!.start;
	const total = shots.reduce((sum, shot) => sum + lengthOf(shot), 0);
	let before = 0;
	const tell = (done: number): void => onProgress?.({ phase: 'analyze', done: before + done, total });
	const surveyor = new Surveyor(
		request,
		{
			...engine.persistent,
			source: reader,
			breathe: breatheOf(engine, urgency),
			onProgress: ({ done }) => tell(done),
		},
		signal,
	);
	const surveys = new Map<number, unknown>();
	for (const shot of shots) {
		tell(0);
		surveys.set(shot, await surveyor.survey(levels, entry, stage, shot));
		before += lengthOf(shot);
	}
	tell(0);
	const { frames, seconds } = surveyor.spent;
	const time = { id: `${entry.id}/survey`, stage: stage.meta.id, frames, computeSeconds: seconds };
	return { surveys, time: { ...time, uploadSeconds: 0, readbackSeconds: 0 } };
}
