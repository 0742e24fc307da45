/** File names of a sequence's output frames. */

import type { ExportRequest, SequenceSpec } from '../contracts/workers.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { CONTAINERS } from '../media/encode/formats.ts';
import { nameFor, numberedName } from '../media/scans/names.ts';
import type { Plan } from './plan-types.ts';

function stemOf(name: string): string {
	return name.replace(/\.[^.]*$/, '');
}

/**
 * One name a frame of the plan's timeline. `*` in the request's name stands for the source's own name; `%06d` for the reel's
 * number (counted on from the first frame's). Any other name is ignored in favor of the source's names; from the terminal, where
 * somebody typed it, it is the name of a single frame, and throws `usage` for several. Empty for a container that is one file.
 */
export function sequenceNames(request: ExportRequest, plan: Plan): string[] {
	const container = CONTAINERS[request.container];
	if (!container.sequence) return [];
	const { info } = request;
	const extension = container.extension.slice(1);
	const isOneToOne = plan.timeline.frames.every((f) => f.origin === 'original');
	const pattern = /%0?(\d*)d/.exec(request.name);
	if (request.target.kind === 'http' && !pattern && !request.name.includes('*')) {
		const { length: count } = plan.timeline.frames;
		if (count > 1) throw new EmulsionError('usage', phrase('one-name', { name: request.name, count }));
		return [request.name];
	}
	return plan.timeline.frames.map((frame) => {
		const source = frame.needs[0] ?? frame.index;
		const at = isOneToOne ? source : frame.index;
		if (pattern) {
			const number = String((info.firstNumber ?? 0) + at).padStart(Number(pattern[1] || '0'), '0');
			return request.name.replace(pattern[0], number);
		}
		const own = isOneToOne ? nameFor(info, source, extension) : numberedName(info, frame.index, extension);
		return request.name.includes('*') ? `${stemOf(request.name).replaceAll('*', stemOf(own))}.${extension}` : own;
	});
}

/** What the encoder of a sequence needs; undefined for a container that is one file. */
export function sequenceSpec(request: ExportRequest, plan: Plan): SequenceSpec | undefined {
	const names = sequenceNames(request, plan);
	return names.length === 0 ? undefined : { names, target: request.target };
}
