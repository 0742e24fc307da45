/**
 * Shots of a part of a film: looks outwards from the part until the bounds of the shots that hold its ends are found, and finds exactly
 * the shots that looking at all of the film would find there.
 */
import type { FrameRange } from '../../contracts/frames.ts';
import type { ShotsAround } from '../../contracts/workers.ts';
import { type Shot, type ShotBoundary, shotsFromBoundaries } from '../../core/shots.ts';
import { boundaryFrame, type Settled, ShotDetector } from './detector.ts';
import type { ShotDetectorOptions } from './options.ts';
import type { FrameThumbnail } from './thumbnail.ts';

/** Frames before the part at which a look begins: what is not settled yet after a beginning, and then a shot's usual length. */
const FIRST_LOOK = 240;
/** Frames between two questions whether enough is settled. */
const ASK_EVERY = 8;

/** Frames that a look around a part takes at least, for its progress. */
export function leastLooked({ start, end }: FrameRange): number {
	return Math.min(start, FIRST_LOOK) + end - start;
}

/** Where thumbnails come from: those of a range, in order; ending the loop early stops the decoder. */
export type OpenThumbnails = (range: FrameRange) => AsyncIterable<FrameThumbnail>;

/** Looks on from `start` until what is settled is enough, or the film ends. */
async function look(
	start: number,
	frames: number,
	open: OpenThumbnails,
	enough: (settled: Settled) => boolean,
	onFrame: () => void,
	options: Partial<ShotDetectorOptions>,
): Promise<Settled> {
	const detector = new ShotDetector(options, start);
	for await (const thumb of open({ start, end: frames })) {
		detector.push(thumb);
		onFrame();
		if (detector.frames % ASK_EVERY !== 0) continue;
		const settled = detector.settled();
		if (enough(settled)) return settled;
	}
	detector.end();
	return detector.settled();
}

/** Boundaries that bound and divide the shots of a part, and what is then known. */
function boundsOf(boundaries: readonly ShotBoundary[], part: FrameRange, frames: number) {
	const at = boundaries.map(boundaryFrame);
	const first = at.findLastIndex((frame) => frame <= part.start);
	const after = at.findIndex((frame) => frame >= part.end);
	const kept = boundaries.slice(Math.max(0, first), after < 0 ? undefined : after + 1);
	return { kept, known: { start: at[first] ?? 0, end: at[after] ?? frames } };
}

/**
 * Finds the shots that hold `part`, which must lie in the film.
 * @param frames of the whole film
 * @param onLooked called for each frame that was looked at
 * @param options as for `ShotDetector`
 */
export async function shotsAround(
	frames: number,
	part: FrameRange,
	open: OpenThumbnails,
	onLooked: (looked: number) => void = () => undefined,
	options: Partial<ShotDetectorOptions> = {},
): Promise<ShotsAround> {
	let looked = 0;
	const onFrame = (): void => onLooked(++looked);
	const ends = ({ boundaries }: Settled): boolean => boundaries.some((b) => boundaryFrame(b) >= part.end);
	const begins = ({ boundaries, from }: Settled): boolean =>
		from === 0 || boundaries.some((b) => boundaryFrame(b) <= part.start);
	let back = FIRST_LOOK;
	let start = Math.max(0, part.start - back);
	let settled = await look(start, frames, open, ends, onFrame, options);
	while (!begins(settled)) {
		// What was looked at already is looked at again as far as the earlier look needs to settle what lies before it.
		back *= 2;
		start = Math.max(0, start - back);
		const { from, to, boundaries } = settled;
		const earlier = await look(start, frames, open, (s) => s.to > s.from && s.to >= from, onFrame, options);
		settled = {
			from: Math.min(from, earlier.from),
			to,
			boundaries: [...earlier.boundaries.filter((b) => boundaryFrame(b) < from), ...boundaries],
		};
	}
	const { kept, known } = boundsOf(settled.boundaries, part, frames);
	const shots = shotsFromBoundaries(frames, kept, 'detected').map((shot): Shot =>
		shot.end <= known.start || shot.start >= known.end ? { ...shot, unseen: true } : shot,
	);
	return { shots, known, looked };
}
