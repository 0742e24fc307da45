/** Decodes without keeping pictures, to learn what frames really come out: their times, field flags, size and tags. */

import { EmulsionError } from '../../core/errors.ts';
import { type Rational, rational } from '../../core/rational.ts';
import { runCore } from './core/core.ts';
import { ShowinfoLines } from './core/showinfo-lines.ts';
import { SOURCE_PATH } from './ffprobe.ts';
import { type BasePlan, inputArgs, videoArgs } from './plan.ts';
import { parseConfigTimebase, parseShowinfo, type ShownFrame } from './showinfo.ts';

/** What came out. */
export interface Survey {
	readonly frames: readonly ShownFrame[];
	/** Timebase of the frames' ticks. */
	readonly timebase: Rational | undefined;
	readonly log: readonly string[];
}

/**
 * Decodes up to `limit` frames from the start (without a limit all of them), with checksums of their planes.
 * @param onFrame called with the number of frames so far.
 */
export async function survey(
	plan: BasePlan,
	limit: number | undefined,
	signal: AbortSignal,
	onFrame: (count: number) => void = () => undefined,
): Promise<Survey> {
	const joiner = new ShowinfoLines();
	const frames: ShownFrame[] = [];
	const log: string[] = [];
	let timebase: Rational | undefined;
	const result = await runCore(
		{
			tool: 'ffmpeg',
			args: [
				...inputArgs(plan),
				...videoArgs(plan.stream, undefined, true),
				...(limit === undefined ? [] : ['-frames:v', String(limit)]),
				'-f',
				'null',
				'-',
			],
			inputs: [{ kind: 'blob', path: SOURCE_PATH, blob: plan.blob }],
		},
		{
			onLog: (line) => {
				const [num, den] = (parseConfigTimebase(line) ?? '').split('/').map(Number);
				if (num && den) timebase = rational(num, den);
				const info = joiner.add(line);
				const frame = info ? parseShowinfo(info) : undefined;
				if (frame) {
					frames.push(frame);
					onFrame(frames.length);
				} else if (info === undefined && log.length < 400) log.push(line);
			},
		},
		signal,
	);
	if (result.code !== 0 && frames.length === 0) log.push(`[error] ffmpeg ended with code ${result.code}`);
	if (signal.aborted) throw new EmulsionError('aborted', 'The operation was canceled.');
	return { frames: limit === undefined ? frames : frames.slice(0, limit), timebase, log };
}
