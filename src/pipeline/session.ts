/** A plan bound to a backend and a source reader: what a preview, a render or a chunk works with. */

import type { OnProgress } from '../contracts/frames.ts';
import type { StageTime } from '../contracts/report.ts';
import type { PlanRequest } from '../contracts/workers.ts';
import { FrameHasher } from '../media/encode/frame-md5.ts';
import { loadStage } from '../stages/registry.ts';
import type { Backend, BackendHost, Persistent } from './backend.ts';
import type { EncodeClient, MediaClient } from './clients.ts';
import { Executor, type ExecutorDeps } from './executor.ts';
import type { Precedence } from './gate.ts';
import type { Plan, PlanLevel } from './plan-types.ts';
import { makePlan } from './plan.ts';
import { mergeTimes } from './report.ts';
import { SourceReader } from './source-reader.ts';

/** Bytes of decoded source frames that one reader keeps. */
const READER_BUDGET = 64 * 2 ** 20;

/** All that the pipeline of one restore worker shares. */
export interface Engine {
	readonly media: MediaClient;
	readonly encode: EncodeClient;
	readonly host: BackendHost;
	readonly persistent: Persistent;
	readonly precedence: Precedence;
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

/** A reader of a request's source that takes the MD5 of every frame it decodes into `md5`, where given. */
export async function openReader(
	engine: Engine,
	request: PlanRequest,
	md5?: Map<number, string>,
	end?: number,
): Promise<SourceReader> {
	const hasher = md5 && (await FrameHasher.create());
	return new SourceReader({
		open: (range, signal) => engine.media.frames(request.source, range, signal),
		frames: request.info.frames.length,
		...(end === undefined ? {} : { end }),
		budget: READER_BUDGET,
		onFrame(frame) {
			if (!hasher || md5.has(frame.index)) return;
			md5.set(frame.index, hasher.hash(new Uint8Array(frame.data), frame.format, frame.size));
		},
	});
}

/** An executor over some levels. */
export function makeExecutor(
	engine: Engine,
	backend: Backend,
	request: PlanRequest,
	levels: readonly PlanLevel[],
	reader: SourceReader,
	{ signal, urgency, onProgress }: RunOptions,
): Executor {
	const deps: ExecutorDeps = {
		...backend,
		...engine.persistent,
		source: reader,
		breathe: breatheOf(engine, urgency),
		onFlow: () => engine.tally.flows++,
		...(onProgress ? { onProgress } : {}),
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
export function planKey(engine: Engine, { source, info, shots, recipe, range }: PlanRequest): string {
	return engine.persistent.hashes.key({
		source,
		fingerprint: info.fingerprint,
		color: { ...info.color },
		shots: shots.map(({ start, end }) => [start, end]),
		recipe: JSON.stringify(recipe),
		range: range && [range.start, range.end],
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

/** Plans a request, analyzing shots where a stage's timeline depends on them. */
export async function planRequest(
	engine: Engine,
	request: PlanRequest,
	options: RunOptions,
): Promise<{ readonly plan: Plan; readonly times: readonly StageTime[] }> {
	const times: StageTime[] = [];
	const plan = await engine.host.resilient(async (backend) => {
		const reader = await openReader(engine, request);
		try {
			return await makePlan(request, {
				load: loadStage,
				mattes: [],
				async analyze(levels, entry, stage, shots) {
					const executor = makeExecutor(engine, backend, request, levels, reader, options);
					const artifacts = new Map<number, unknown>();
					for (const [done, shot] of shots.entries()) {
						options.onProgress?.({ phase: 'analyze', done, total: shots.length });
						artifacts.set(shot, await executor.artifact(levels.length - 1, entry, stage, shot));
					}
					times.push(...executor.times());
					return artifacts;
				},
			});
		} finally {
			await reader.close();
		}
	});
	return { plan, times: rememberTimes(engine, request, times) };
}
