/** What parameters left to `"auto"` stand for at a frame, by the artifacts of its shot. */

import type { ViewResult } from '../contracts/workers.ts';
import type { Executor } from './executor.ts';
import { paramsOf, type PlanLevel } from './plan-types.ts';

/** Values at a frame of the last level, by entry and parameter; of shots that were looked at already, and of stages that touch the frame. */
export function resolvedValues(
	levels: readonly PlanLevel[],
	index: number,
	executor: Pick<Executor, 'known'>,
): NonNullable<ViewResult['resolved']> {
	const found: Record<string, Readonly<Record<string, number | undefined>>> = {};
	let at = index;
	for (let level = levels.length - 1; level > 0; level--) {
		const { step, timeline } = levels[level]!;
		const { shot, needs } = timeline.frames[at]!;
		if (step?.stage.resolved && step.touched[at] === 1) {
			const artifact = executor.known(level - 1, step, shot);
			if (artifact) found[step.entry.id] = step.stage.resolved(paramsOf(step.entry), artifact.value);
		}
		at = needs[0]!;
	}
	return found;
}
