/** Shot detection on real clips, decoded by native ffmpeg, against the labels of `tests/fixtures/cuts.json`. */
import { describe, expect, it } from 'vitest';
import { validateShots } from '../../core/shots.ts';
import { dataFile } from '../../../tests/helpers/data.ts';
import labels from '../../../tests/fixtures/cuts.json' with { type: 'json' };
import { clipThumbs, filterClips, flatThumb } from './clips.testkit.ts';
import { detectShots } from './detector.ts';
import type { FrameThumbnail } from './thumbnail.ts';

interface Label {
	readonly frames: number;
	readonly cuts: readonly number[];
	readonly dissolves: readonly { readonly from: number; readonly to: number }[];
	/** Whole-picture jumps inside of one recording: a detector may report them or not. */
	readonly discontinuities?: readonly number[];
}
type Context = Parameters<typeof dataFile>[0];

const LABELS: Readonly<Record<string, Label>> = labels;
const cache = new Map<string, FrameThumbnail[]>();

function clip(ctx: Context, name: string): FrameThumbnail[] {
	const path = dataFile(ctx, name);
	const thumbs = cache.get(name) ?? clipThumbs(path);
	cache.set(name, thumbs);
	return thumbs;
}

function detect(thumbs: readonly FrameThumbnail[]): { cuts: number[]; dissolves: { from: number; to: number }[] } {
	const list = detectShots(thumbs);
	validateShots(list, thumbs.length);
	return {
		cuts: list.filter((shot) => shot.transitionIn === 'cut').map((shot) => shot.start),
		dissolves: list.flatMap((shot) => shot.dissolve ?? []),
	};
}

/** Joins clips of at most `limit` frames each, and tells where the cuts must be and what is left open. */
function join(ctx: Context, names: readonly string[], limit: number) {
	const film: FrameThumbnail[] = [];
	const cuts: number[] = [];
	const open: number[] = [];
	for (const name of names) {
		const part = clip(ctx, name).slice(0, limit);
		const inside = (frames: readonly number[]) => frames.filter((f) => f < part.length).map((f) => f + film.length);
		if (film.length > 0) cuts.push(film.length);
		cuts.push(...inside(LABELS[name]?.cuts ?? []));
		open.push(...inside(LABELS[name]?.discontinuities ?? []));
		film.push(...part);
	}
	return { film, cuts, open };
}

describe('every labeled hard cut is found and none invented', () => {
	for (const [name, label] of Object.entries(LABELS)) {
		it(`in ${name}`, (ctx) => {
			const thumbs = clip(ctx, name);
			expect(thumbs).toHaveLength(label.frames);
			const found = detect(thumbs);
			expect(found.cuts.filter((cut) => !label.discontinuities?.includes(cut))).toEqual(label.cuts);
			expect(found.dissolves).toEqual(label.dissolves);
		});
	}

	const names = Object.keys(LABELS);
	const orders = {
		'in order': names,
		backwards: [...names].reverse(),
		'every seventh': names.map((_, i) => names[(i * 7) % names.length] ?? ''),
	};
	for (const [title, order] of Object.entries(orders)) {
		it(`in all clips joined ${title}`, (ctx) => {
			const { film, cuts, open } = join(ctx, order, 110);
			const found = detect(film);
			expect(found.cuts.filter((cut) => !open.includes(cut))).toEqual(cuts);
			expect(found.dissolves).toEqual([]);
		});
	}
});

describe('dissolves made by ffmpeg are told apart from cuts', () => {
	const pairs: [string, string, number][] = [
		['film/street-1900s.mp4', 'video/bigbuckbunny.mp4', 6],
		['video/vtest.avi', 'film/street-1900s.mp4', 12],
		['video/bigbuckbunny.mp4', 'video/gestures/learn.mkv', 24],
		['video/gestures/bird.mkv', 'video/vtest.avi', 36],
	];
	for (const [a, b, length] of pairs) {
		it(`${a} into ${b}, ${length} frames`, (ctx) => {
			const prepare = (input: number) =>
				`[${input}:v]scale=192:108,setsar=1,format=yuv420p,setpts=N/24/TB,fps=24,trim=end_frame=60,setpts=PTS-STARTPTS`;
			const offset = 60 - length;
			const film = filterClips(
				[[dataFile(ctx, a)], [dataFile(ctx, b)]],
				`${prepare(0)}[a];${prepare(1)}[b];[a][b]xfade=transition=fade:duration=${length / 24}:offset=${offset / 24}[v]`,
			);
			const found = detect(film);
			expect(found.cuts).toEqual([]);
			expect(found.dissolves).toHaveLength(1);
			expect(Math.abs((found.dissolves[0]?.from ?? 0) - offset)).toBeLessThanOrEqual(3);
			expect(Math.abs((found.dissolves[0]?.to ?? 0) - offset - length)).toBeLessThanOrEqual(3);
		});
	}
});

describe('what is no cut', () => {
	it('strong flicker laid over film and over a clip with cuts', (ctx) => {
		for (const name of ['film/street-1900s.mp4', 'video/bikes.mp4']) {
			const flicker =
				"[0:v]scale=192:108,format=yuv420p,geq=lum='clip(lum(X,Y)*(0.8+0.2*sin(N*2.3)+0.08*sin(N*0.9)),16,235)':cb='cb(X,Y)':cr='cr(X,Y)'[v]";
			expect(detect(filterClips([[dataFile(ctx, name)]], flicker))).toEqual({
				cuts: LABELS[name]?.cuts,
				dissolves: [],
			});
		}
	});

	it('single white frames, and a frame of another clip', (ctx) => {
		const film = clip(ctx, 'film/street-1900s.mp4').slice(0, 60);
		const foreign = clip(ctx, 'video/vtest.avi')[0] ?? flatThumb(0);
		film[10] = flatThumb(1);
		film[25] = flatThumb(0.9);
		film[26] = flatThumb(1);
		film[45] = foreign;
		expect(detect(film)).toEqual({ cuts: [], dissolves: [] });
	});

	for (const step of [6, 16, 30]) {
		it(`a pan over a photograph, ${step} of 192 pixels a frame`, (ctx) => {
			const photo = dataFile(ctx, 'photos/eval/kodak05.png');
			const frames = Math.floor((1536 - 192) / step);
			const pan = `[0:v]scale=1536:-2,crop=192:108:x='n*${step}':y=300,trim=end_frame=${Math.min(60, frames)}[v]`;
			const film = filterClips([['-loop', '1', '-t', '4', photo]], pan);
			expect(film.length).toBeGreaterThan(30);
			expect(detect(film)).toEqual({ cuts: [], dissolves: [] });
		});
	}

	it('a fade through black is one boundary; fades at both ends of the film are none', (ctx) => {
		const part = (input: number) =>
			`[${input}:v]scale=192:108,setsar=1,format=yuv420p,setpts=N/24/TB,fps=24,trim=end_frame=60,fade=in:0:12,fade=out:46:12,setpts=PTS-STARTPTS`;
		const film = filterClips(
			[[dataFile(ctx, 'video/vtest.avi')], [dataFile(ctx, 'film/street-1900s.mp4')]],
			`${part(0)}[a];${part(1)}[b];[a][b]concat=n=2[v]`,
		);
		const found = detect(film);
		expect(found.dissolves).toEqual([]);
		expect(found.cuts).toHaveLength(1);
		expect(Math.abs((found.cuts[0] ?? 0) - 60)).toBeLessThanOrEqual(4);
	});
});
