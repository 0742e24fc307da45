/**
 * Joins of real clips, where the cut is known without looking: every ordered pair, the same person at other moments, and what must
 * not be taken for a join (frames missing inside of a take, titles).
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { DATA_DIR, dataFile } from '../../../tests/helpers/data.ts';
import labels from '../../../tests/fixtures/cuts.json' with { type: 'json' };
import { clipThumbs, filterClips } from './clips.testkit.ts';
import { judgeCut } from './cuts.ts';
import { detectShots } from './detector.ts';
import { comparePair, type FrameFeatures, frameFeatures, type PairFeatures } from './features.ts';
import { type JumpEvidence, jumpEvidence } from './jumps.ts';
import { SHOT_DETECTOR_DEFAULTS } from './options.ts';
import type { FrameThumbnail } from './thumbnail.ts';
import { mutualMismatch, type Window } from './window.ts';

type Context = Parameters<typeof dataFile>[0];

const LABELS: Readonly<Record<string, { readonly frames: number; readonly cuts: readonly number[] }>> = labels;
const NAMES = Object.keys(LABELS);
/** Clips of one person in one place, each in the same clothes: whose joins are jump cuts. */
const PEOPLE = [
	['bird', 'please'],
	['night', 'sister'],
	['learn', 'walk'],
	['student', 'yes', 'brother', 'help'],
].map((group) => group.map((name) => `video/gestures/${name}.mkv`));
/** Frames on each side of a join: more than any judgment looks at. */
const SIDE = 10;

/** A run of frames, with what is measured between neighbors. */
interface Run {
	readonly frames: readonly FrameFeatures[];
	/** `pairs[i]` is frames i − 1 and i; the first is undefined. */
	readonly pairs: readonly (PairFeatures | undefined)[];
}

function runOf(thumbs: readonly FrameThumbnail[]): Run {
	const frames = thumbs.map(frameFeatures);
	const pairs = frames.map((frame, i) => (i === 0 ? undefined : comparePair(frames[i - 1] ?? frame, frame)));
	return { frames, pairs };
}

function part({ frames, pairs }: Run, start: number, end?: number): Run {
	return { frames: frames.slice(start, end), pairs: pairs.slice(start, end) };
}

/** The end of one run and the start of another: only the pair that joins them is measured anew. */
function joined(a: Run, b: Run): Window & { readonly join: PairFeatures } {
	const last = a.frames.at(-1);
	const first = b.frames[0];
	if (!last || !first) throw new Error('a run without frames');
	const join = comparePair(last, first);
	const frames = [...a.frames, ...b.frames];
	const pairs = [...a.pairs, join, ...b.pairs.slice(1)];
	return { frame: (index) => frames[index], pair: (index) => pairs[index], join };
}

/** Boundaries that are judged to be cuts in the frames from one run's end to the other's start. */
function cutsOf(window: Window, count: number): number[] {
	return Array.from({ length: count }, (_, i) => i).filter(
		(i) => judgeCut(window, i, SHOT_DETECTOR_DEFAULTS) === 'cut',
	);
}

/** The join of a's last frames and b's first ones, and the labeled cuts that lie in them. */
function expectedCuts(a: string, b: string): number[] {
	const before = LABELS[a]?.cuts.map((cut) => cut - (LABELS[a]?.frames ?? 0) + SIDE) ?? [];
	const after = LABELS[b]?.cuts.map((cut) => cut + SIDE) ?? [];
	return [...before.filter((cut) => cut > 0), SIDE, ...after.filter((cut) => cut < 2 * SIDE)];
}

const cache = new Map<string, FrameThumbnail[]>();
function thumbsOfClip(ctx: Context, name: string): FrameThumbnail[] {
	const path = dataFile(ctx, name);
	const thumbs = cache.get(name) ?? clipThumbs(path);
	cache.set(name, thumbs);
	return thumbs;
}

const cutsFound = (thumbs: readonly FrameThumbnail[]): number[] =>
	detectShots(thumbs)
		.filter((shot) => shot.transitionIn === 'cut')
		.map((shot) => shot.start);

/** Joins every clip of a person to every other of the same, end to start, and names the joins that are not the only cut found. */
function missedJumps(clips: ReadonlyMap<string, readonly FrameThumbnail[]>): string[] {
	const missed: string[] = [];
	for (const group of PEOPLE)
		for (const a of group)
			for (const b of group) {
				if (a === b) continue;
				const film = [...(clips.get(a) ?? []).slice(-SIDE), ...(clips.get(b) ?? []).slice(0, SIDE)];
				const found = cutsFound(film);
				if (found.length !== 1 || found[0] !== SIDE) missed.push(`${a} to ${b}: ${found.join()}`);
			}
	return missed;
}

/** Uneven flicker: a gain that differs from top to bottom, and an offset, other ones for every frame but always the same run. */
function flicker(thumbs: readonly FrameThumbnail[], amount: number): FrameThumbnail[] {
	let state = 1;
	const random = (): number => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 31 - 1;
	};
	return thumbs.map((thumb) => {
		const gain = 1 + amount * random();
		const tilt = 0.6 * amount * random();
		const offset = 0.1 * amount * random();
		const luma = thumb.luma.map((v, i) => {
			const y = Math.floor(i / thumb.width) / (thumb.height - 1) - 0.5;
			return Math.max(0, Math.min(1, v * (gain + tilt * y) + offset));
		});
		return { ...thumb, luma };
	});
}

function mirrored(thumb: FrameThumbnail): FrameThumbnail {
	const { width } = thumb;
	const turn = (plane: Float32Array): Float32Array =>
		plane.map((_, i) => plane[i - (i % width) + width - 1 - (i % width)] ?? 0);
	return { ...thumb, luma: turn(thumb.luma), cb: turn(thumb.cb), cr: turn(thumb.cr) };
}

describe('every ordered pair of the labeled clips', () => {
	it('is found as one cut at the join, with a margin, and nothing beside it', (ctx) => {
		const ends = new Map<string, Run>();
		const starts = new Map<string, Run>();
		for (const name of NAMES) {
			const thumbs = thumbsOfClip(ctx, name);
			ends.set(name, runOf(thumbs.slice(-SIDE)));
			starts.set(name, runOf(thumbs.slice(0, SIDE)));
		}
		const wrong: string[] = [];
		const jumps: JumpEvidence[] = [];
		for (const a of NAMES)
			for (const b of NAMES) {
				const end = ends.get(a);
				const start = starts.get(b);
				if (a === b || !end || !start) continue;
				const window = joined(end, start);
				const found = cutsOf(window, 2 * SIDE);
				if (found.join() !== expectedCuts(a, b).join()) wrong.push(`${a} to ${b}: ${found.join()}`);
				const sameAsBefore = mutualMismatch(window.join) < SHOT_DETECTOR_DEFAULTS.cutMismatch;
				if (sameAsBefore && PEOPLE.some((group) => group.includes(a) && group.includes(b)))
					jumps.push(jumpEvidence(window, SIDE, SHOT_DETECTOR_DEFAULTS));
			}
		expect(wrong).toEqual([]);
		// The nearest of the jump cuts: a detector that drifts toward a threshold is noticed here before it misses one.
		expect(jumps).toHaveLength(18);
		expect(Math.min(...jumps.map((jump) => jump.spread))).toBeGreaterThan(0.2);
		expect(Math.min(...jumps.map((jump) => jump.contrast))).toBeGreaterThan(1.4);
	});
});

describe('jump cuts: one person, one place, another moment', () => {
	const clips = new Map<string, readonly FrameThumbnail[]>();
	const noisy = new Map<string, readonly FrameThumbnail[]>();
	beforeAll(() => {
		if (DATA_DIR === undefined) return;
		for (const name of PEOPLE.flat()) {
			clips.set(name, clipThumbs(`${DATA_DIR}/${name}`));
			noisy.set(name, filterClips([[`${DATA_DIR}/${name}`]], '[0:v]noise=alls=24:allf=t[v]'));
		}
	});
	const each = (change: (thumbs: readonly FrameThumbnail[]) => FrameThumbnail[]) =>
		new Map([...clips].map(([name, thumbs]) => [name, change(thumbs)] as const));

	it('are found mirrored', (ctx) => {
		dataFile(ctx, '');
		expect(missedJumps(each((thumbs) => thumbs.map(mirrored)))).toEqual([]);
	});

	it('are found under uneven flicker of ±15 %', (ctx) => {
		dataFile(ctx, '');
		expect(missedJumps(each((thumbs) => flicker(thumbs, 0.15)))).toEqual([]);
	});

	it('are found in noise', (ctx) => {
		dataFile(ctx, '');
		expect(missedJumps(noisy)).toEqual([]);
	});
});

describe('two moments of one take', () => {
	// Looked at: arms and pose have changed from one side of each join to the other.
	it.for([
		['sister', 20, 60],
		['bird', 18, 58],
		['please', 26, 66],
		['night', 22, 62],
		['brother', 14, 54],
	] as const)('a jump in %s from frame %i to %i is found', ([name, from, to], ctx) => {
		const thumbs = thumbsOfClip(ctx, `video/gestures/${name}.mkv`);
		expect(cutsFound([...thumbs.slice(from - SIDE, from), ...thumbs.slice(to, to + SIDE)])).toEqual([SIDE]);
	});
});

describe('no jump cut', () => {
	it('is up to three frames missing inside of a take', (ctx) => {
		const invented: string[] = [];
		for (const name of ['film/street-1900s.mp4', ...PEOPLE.flat()]) {
			const run = runOf(thumbsOfClip(ctx, name).slice(0, 100));
			for (const missing of [1, 3])
				for (let at = SIDE; at + missing + SIDE < run.frames.length; at += 7) {
					// Where the take lacks frames of its own (tests/fixtures/cuts.json), more than these would be missing.
					if (name.includes('help') && at + missing > 40) continue;
					const window = joined(part(run, 0, at), part(run, at + missing));
					if (judgeCut(window, at, SHOT_DETECTOR_DEFAULTS) !== 'none') invented.push(`${name} ${at} + ${missing}`);
				}
		}
		expect(invented).toEqual([]);
	});

	it('is fast motion: no boundary inside of a take comes near', (ctx) => {
		const near = { ...SHOT_DETECTOR_DEFAULTS, jumpSpread: 0.05, jumpContrast: 0.9 };
		const found: string[] = [];
		for (const name of ['film/street-1900s.mp4', 'video/tree.avi', 'video/vtest.avi', ...PEOPLE.flat()]) {
			const { frames, pairs } = runOf(thumbsOfClip(ctx, name).slice(0, 100));
			const window: Window = { frame: (i) => frames[i], pair: (i) => pairs[i] };
			pairs.forEach((pair, i) => {
				if (!pair || mutualMismatch(pair) < near.jumpMismatch || pair.residual < near.jumpResidual) return;
				const { spread, contrast } = jumpEvidence(window, i, near);
				if (contrast >= 1) found.push(`${name} ${i}: spread ${spread}, contrast ${contrast}`);
			});
		}
		expect(found).toEqual([]);
	});

	it('is a title of two lines that comes up and goes, over a still shot and over a moving one', (ctx) => {
		const lines = 'between(mod(Y,32),4,24)*gt(Y,132)*between(X,24,296)';
		const letters = 'lt(mod(floor(X/5)*7+floor(Y/7)*5,11),6)';
		const title = `[0:v]scale=320:180,geq=lum='if(${lines}*${letters}*between(mod(N,40),15,32),235,lum(X,Y))':cb='cb(X,Y)':cr='cr(X,Y)'[v]`;
		for (const name of [
			'video/vtest.avi',
			'video/bigbuckbunny.mp4',
			'film/street-1900s.mp4',
			...PEOPLE.flat().slice(0, 4),
		]) {
			const film = filterClips([['-t', '4', dataFile(ctx, name)]], title);
			expect({ name, cuts: cutsFound(film) }).toEqual({ name, cuts: [] });
		}
	});
});
