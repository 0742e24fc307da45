/** What parameters left to `"auto"` stand for at a frame and what stages found, by the artifacts of its shot. */

import type { FrameRange } from '../contracts/frames.ts';
import type { Finding } from '../contracts/report.ts';
import type { ViewResult } from '../contracts/workers.ts';
import type { Phrase } from '../core/phrases.ts';
import type { Executor } from './executor.ts';
import { paramsOf, type PlanLevel, type PlanStep } from './plan-types.ts';

/** Calls back with every step that touches a frame of the last level, and its shot's artifact where that is at hand. */
function eachKnown(
	levels: readonly PlanLevel[],
	index: number,
	executor: Pick<Executor, 'known'>,
	tell: (step: PlanStep, shot: number, artifact: unknown) => void,
): void {
	let at = index;
	for (let level = levels.length - 1; level > 0; level--) {
		const { step, timeline } = levels[level]!;
		const { shot, needs } = timeline.frames[at]!;
		const speaks = step && (step.stage.resolved ?? step.stage.finding) && step.touched[at] === 1;
		const artifact = speaks ? executor.known(level - 1, step, shot) : undefined;
		if (step && artifact) tell(step, shot, artifact.value);
		at = needs[0]!;
	}
}

/** Values and findings at a frame of the last level, by entry; of shots that were looked at already, and of stages that touch the frame. */
export function resolvedValues(
	levels: readonly PlanLevel[],
	index: number,
	executor: Pick<Executor, 'known'>,
): Required<Pick<ViewResult, 'resolved' | 'findings'>> {
	const resolved: Record<string, Readonly<Record<string, number | undefined>>> = {};
	const findings: Record<string, Phrase> = {};
	eachKnown(levels, index, executor, ({ stage, entry }, _shot, artifact) => {
		const params = paramsOf(entry);
		if (stage.resolved) resolved[entry.id] = stage.resolved(params, artifact);
		const said = stage.finding?.(params, artifact);
		if (said) findings[entry.id] = said;
	});
	return { resolved, findings };
}

/** What stages found of the shots in a range of the last level: one of each stage and shot, in order. */
export function findingsIn(
	levels: readonly PlanLevel[],
	{ start, end }: FrameRange,
	executor: Pick<Executor, 'known'>,
): Finding[] {
	const found = new Map<string, Finding>();
	for (let index = start; index < end; index++) {
		eachKnown(levels, index, executor, ({ stage, entry }, shot, artifact) => {
			const slot = `${shot}/${entry.id}`;
			const said = found.has(slot) ? undefined : stage.finding?.(paramsOf(entry), artifact);
			if (said) found.set(slot, { stage: entry.id, shot, said });
		});
	}
	return [...found.values()];
}
