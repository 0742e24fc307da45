/** A look at a part of a film finds what a look at all of it finds there, and looks no farther than it must. */
import { describe, expect, it } from 'vitest';
import type { FrameRange } from '../../contracts/frames.ts';
import { type ShotList, shotIndexAt, validateShots } from '../../core/shots.ts';
import { type OpenThumbnails, shotsAround } from './around.ts';
import { flatThumb, sceneThumb } from './clips.testkit.ts';
import { detectShots, ShotDetector } from './detector.ts';
import type { FrameThumbnail } from './thumbnail.ts';

/** Small thumbnails: what is tested is where a look ends, not what it sees. */
const WIDTH = 48;
const HEIGHT = 27;

const black = flatThumb(0.02, WIDTH, HEIGHT);
const still = (seed: number): FrameThumbnail => sceneThumb(seed, 0, 0, 1, WIDTH, HEIGHT);
const mix = (a: FrameThumbnail, b: FrameThumbnail, share: number): FrameThumbnail => ({
	...a,
	luma: a.luma.map((v, i) => v * (1 - share) + (b.luma[i] ?? 0) * share),
});
/** Frames of one scene with a little flicker, as no two frames of film are equal. */
function scene(seed: number, count: number): FrameThumbnail[] {
	const base = still(seed);
	const shades = [0.97, 1, 0.99, 0.98].map((gain) => ({ ...base, luma: base.luma.map((v) => v * gain) }));
	return Array.from({ length: count }, (_, i) => shades[(i * 7) % 4] ?? base);
}
const dissolve = (a: number, b: number, count: number): FrameThumbnail[] =>
	Array.from({ length: count }, (_, i) => mix(still(a), still(b), (i + 1) / (count + 1)));
const blacks = (count: number): FrameThumbnail[] => Array.from({ length: count }, () => black);
const fade = (seed: number, count: number, out: boolean): FrameThumbnail[] =>
	Array.from({ length: count }, (_, i) => mix(still(seed), black, out ? (i + 1) / count : 1 - i / count));

/** Cuts, dissolves that follow each other closely, a fade, leader, a flash, short shots, and one of 420 frames. */
const FILM: readonly FrameThumbnail[] = [
	...blacks(12),
	...scene(1, 40),
	...scene(2, 30),
	...scene(3, 30),
	...dissolve(3, 4, 20),
	...scene(4, 14),
	...dissolve(4, 6, 24),
	...scene(6, 30),
	...fade(6, 10, true),
	...blacks(20),
	...fade(5, 10, false),
	...scene(5, 30),
	...scene(7, 5),
	...scene(8, 6),
	...scene(9, 420),
	...blacks(2),
	...scene(9, 20),
	...blacks(40),
	...scene(15, 40),
	...dissolve(15, 16, 26),
	...scene(16, 40),
	...scene(13, 1),
];
/** Shorter dissolves than by default, so that a short film has parts that are far from each other. */
const OPTIONS = { maxDissolve: 30 };

interface Reader {
	readonly open: OpenThumbnails;
	/** Highest frame that was asked for, and the number of frames given. */
	readonly seen: { last: number; count: number };
}

function reader(film: readonly FrameThumbnail[]): Reader {
	const seen = { last: -1, count: 0 };
	async function* open({ start, end }: FrameRange): AsyncGenerator<FrameThumbnail> {
		for (let i = start; i < end; i++) {
			const thumb = film[i];
			if (!thumb) throw new Error(`frame ${i} does not exist`);
			seen.last = Math.max(seen.last, i);
			seen.count++;
			yield await Promise.resolve(thumb);
		}
	}
	return { open, seen };
}

/** The shots of a list that hold a part. */
const holding = (list: ShotList, { start, end }: FrameRange): ShotList =>
	list.slice(shotIndexAt(list, start), shotIndexAt(list, end - 1) + 1);

describe('shots around a part of a film', () => {
	const whole = detectShots(FILM, OPTIONS);

	it('(the film has what may go wrong)', () => {
		const kinds = whole.map((shot) => shot.transitionIn);
		expect(kinds.filter((kind) => kind === 'dissolve').length).toBeGreaterThanOrEqual(3);
		expect(kinds.filter((kind) => kind === 'cut').length).toBeGreaterThanOrEqual(7);
		expect(Math.max(...whole.map((shot) => shot.end - shot.start))).toBeGreaterThan(440);
	});

	it('are those of the whole film, wherever the part lies', async () => {
		const parts: FrameRange[] = [{ start: 0, end: FILM.length }];
		for (let start = 0; start < FILM.length; start += 97) parts.push({ start, end: Math.min(FILM.length, start + 40) });
		for (const { start } of whole.slice(1)) parts.push({ start: start - 1, end: start }, { start, end: start + 1 });
		for (const part of parts) {
			const { open, seen } = reader(FILM);
			const { shots, known, looked } = await shotsAround(FILM.length, part, open, undefined, OPTIONS);
			validateShots(shots, FILM.length);
			const expected = holding(whole, part);
			expect({ part, shots: holding(shots, part) }).toEqual({ part, shots: expected });
			expect(known).toEqual({ start: expected[0]?.start, end: expected.at(-1)?.end });
			expect(shots.filter((shot) => !shot.unseen)).toEqual(expected);
			expect(shots.length).toBeLessThanOrEqual(expected.length + 2);
			expect(looked).toBe(seen.count);
		}
	});

	it('ends soon after the shot’s end, and begins before its start', async () => {
		const film = [...scene(1, 600), ...scene(2, 50), ...scene(3, 60), ...scene(4, 600)];
		const { open, seen } = reader(film);
		const { known, looked } = await shotsAround(film.length, { start: 660, end: 670 }, open);
		expect(known).toEqual({ start: 650, end: 710 });
		// 240 frames before the part, 50 to the cut after it, and a few to judge that.
		expect(looked).toBeLessThanOrEqual(305);
		expect(seen.last).toBeLessThan(725);
	});

	it('goes back as far as a long shot reaches, and looks twice only where it goes on', async () => {
		const film = [...scene(1, 300), ...scene(2, 900), ...scene(3, 100)];
		const { open } = reader(film);
		const { known, looked } = await shotsAround(film.length, { start: 1100, end: 1101 }, open);
		expect(known).toEqual({ start: 300, end: 1200 });
		expect(looked).toBeLessThan(1300 + 2 * 200);
	});

	it('tells how many frames were looked at, and passes on what goes wrong', async () => {
		const told: number[] = [];
		const { open } = reader(FILM);
		const { looked } = await shotsAround(FILM.length, { start: 30, end: 40 }, open, (n) => told.push(n));
		expect(told).toEqual(Array.from({ length: looked }, (_, i) => i + 1));
		const broken = reader(FILM.slice(0, 60));
		await expect(shotsAround(FILM.length, { start: 30, end: 70 }, broken.open)).rejects.toThrow('frame 60');
	});
});

describe('what is settled', () => {
	it('is nothing before a picture with its neighborhood, and stays as it is once it is', () => {
		const first = 60;
		const detector = new ShotDetector(OPTIONS, first);
		const whole = detectShots(FILM, OPTIONS);
		let from = Infinity;
		let to = 0;
		for (const thumb of FILM.slice(first)) {
			detector.push(thumb);
			const settled = detector.settled();
			if (settled.to === settled.from) continue;
			expect(settled.from).toBeLessThanOrEqual(from);
			expect(settled.to).toBeGreaterThanOrEqual(to);
			({ from, to } = settled);
			const expected = whole.map((shot) => shot.start).filter((start) => start >= from && start < to && start > 0);
			const found = settled.boundaries.map((b) =>
				b.transition === 'cut' ? b.frame : b.dissolve.from + Math.floor((b.dissolve.to - b.dissolve.from) / 2),
			);
			expect(found).toEqual(expected);
		}
		expect(to).toBeGreaterThan(FILM.length - 80);
		expect(() => detector.finish()).toThrow(/frames 0 to 59 were not looked at/);
	});
});
