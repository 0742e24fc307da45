/** File names of a sequence's output frames. */

import type { SequenceFiles } from '../contracts/report.ts';
import type { ExportRequest, SequenceSpec, TargetSpec } from '../contracts/workers.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { CONTAINERS } from '../media/encode/formats.ts';
import { frameNumber, nameFor, numberedName, numberPosition, parseName } from '../media/scans/names.ts';
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

function folderOf(target: TargetSpec): string | null {
	if (target.kind === 'directory') return target.handle.name;
	return target.kind === 'http' ? (target.folder ?? null) : null;
}

/**
 * What the files of a sequence are called together; null for a single file and for names that are not one series (a source
 * whose files were named by hand).
 * @param names the files, in order.
 */
export function sequenceFiles(names: readonly string[], target: TargetSpec): SequenceFiles | null {
	if (names.length < 2) return null;
	const position = numberPosition(names);
	const parsed = names.map((name) => parseName(name, position));
	const [one] = parsed;
	const numbers = parsed.flatMap((name) => frameNumber(name) ?? []);
	const isSeries = parsed.every((n) => n.prefix === one?.prefix && n.suffix === one.suffix);
	if (!one || !isSeries || numbers.length < names.length) return null;
	const widths = parsed.map(({ digits }) => digits.length);
	const width = Math.min(...widths);
	const isPadded = parsed.some(({ digits }) => digits.startsWith('0')) || width === Math.max(...widths);
	const number = isPadded && width > 1 ? `%0${width}d` : '%d';
	const escaped = (text: string): string => text.replaceAll('%', '%%');
	const extension = one.extension === '' ? '' : `.${one.extension}`;
	return {
		folder: folderOf(target),
		pattern: `${escaped(one.prefix)}${number}${escaped(one.suffix)}${extension}`,
		first: numbers.reduce((a, b) => Math.min(a, b)),
		last: numbers.reduce((a, b) => Math.max(a, b)),
	};
}

/** The name in a report: the request's of one file; of a sequence folder, pattern and numbers, or its first and last file. */
export function outputName(request: ExportRequest, names: readonly string[], sequence: SequenceFiles | null): string {
	const folder = folderOf(request.target);
	const inFolder = (name: string): string => (folder === null ? name : `${folder}/${name}`);
	if (sequence) return `${inFolder(sequence.pattern)} ${sequence.first}–${sequence.last}`;
	const [first, last] = [names[0], names.at(-1)];
	if (first === undefined || last === undefined) return request.name;
	return first === last ? inFolder(first) : `${inFolder(first)} … ${last}`;
}
