import { describe, expect, it } from 'vitest';
import { validateShots } from '../../core/shots.ts';
import { flatThumb, sceneThumb } from './clips.testkit.ts';
import { detectShots, ShotDetector } from './detector.ts';
import type { FrameThumbnail } from './thumbnail.ts';

const starts = (thumbs: FrameThumbnail[]): number[] => {
	const list = detectShots(thumbs);
	validateShots(list, thumbs.length);
	return list.slice(1).map((shot) => shot.start);
};
const scene = (seed: number, count: number, step = 0): FrameThumbnail[] =>
	Array.from({ length: count }, (_, i) => sceneThumb(seed, i * step, 0));
const mix = (a: FrameThumbnail, b: FrameThumbnail, share: number): FrameThumbnail => ({
	...a,
	luma: a.luma.map((v, i) => v * (1 - share) + (b.luma[i] ?? 0) * share),
});

describe('cuts', () => {
	it('are found at the first frame of the new scene, moving or still', () => {
		expect(starts([...scene(1, 20), ...scene(2, 15, 3), ...scene(3, 5)])).toEqual([20, 35]);
	});

	it('are found next to either end of the film', () => {
		expect(starts([...scene(1, 1), ...scene(2, 10)])).toEqual([1]);
		expect(starts([...scene(1, 10), ...scene(2, 1)])).toEqual([10]);
	});

	it('are not made by flicker of a third of the exposure', () => {
		expect(
			starts(Array.from({ length: 40 }, (_, i) => sceneThumb(1, 0, 0, 0.85 + 0.3 * (((i * 7) % 5) / 5 - 0.5)))),
		).toEqual([]);
	});

	it.each([2, 7, 14])('are not made by a pan of %i samples a frame', (step) => {
		expect(starts(scene(1, 40, step))).toEqual([]);
	});

	it.each([1, 2, 3])('are not made by a flash of %i white frames, nor by black ones', (count) => {
		for (const level of [0, 1]) {
			const flash = Array.from({ length: count }, () => flatThumb(level));
			expect(starts([...scene(1, 12), ...flash, ...scene(1, 12)])).toEqual([]);
		}
	});

	it('are not made by one foreign frame', () => {
		expect(starts([...scene(1, 12), ...scene(2, 1), ...scene(1, 12)])).toEqual([]);
	});

	it('to and from black are two', () => {
		const black = Array.from({ length: 10 }, () => flatThumb(0.06));
		expect(starts([...scene(1, 12), ...black, ...scene(2, 12)])).toEqual([12, 22]);
	});
});

describe('gradual transitions', () => {
	const dissolve = (frames: number): FrameThumbnail[] => {
		const out = scene(1, 20);
		for (let i = 1; i <= frames; i++) out.push(mix(sceneThumb(1), sceneThumb(2), i / (frames + 1)));
		return [...out, ...scene(2, 20)];
	};

	it.each([4, 10, 30, 70])('a dissolve of %i mixed frames is one, with its range', (frames) => {
		const list = detectShots(dissolve(frames));
		expect(list.map((s) => s.transitionIn)).toEqual(['start', 'dissolve']);
		expect(Math.abs((list[1]?.dissolve?.from ?? 0) - 20)).toBeLessThanOrEqual(1);
		expect(Math.abs((list[1]?.dissolve?.to ?? 0) - 20 - frames)).toBeLessThanOrEqual(1);
	});

	it('a fade through black is one cut, where the new picture shows', () => {
		const ramp = Array.from({ length: 11 }, (_, i) => i / 10);
		const film = [
			...scene(1, 15),
			...ramp.map((g) => sceneThumb(1, 0, 0, 1 - g)),
			...ramp.map((g) => sceneThumb(2, 0, 0, g)),
			...scene(2, 15),
		];
		const list = detectShots(film);
		expect(list.map((s) => s.transitionIn)).toEqual(['start', 'cut']);
		expect(list[1]?.start).toBeGreaterThanOrEqual(25);
		expect(list[1]?.start).toBeLessThanOrEqual(29);
	});

	it('a fade at the film’s first or last frames is no boundary', () => {
		const ramp = Array.from({ length: 11 }, (_, i) => i / 10);
		const film = [...ramp.map((g) => sceneThumb(1, 0, 0, g)), ...ramp.map((g) => sceneThumb(1, 0, 0, 1 - g))];
		expect(starts([flatThumb(0), flatThumb(0), ...film, flatThumb(0), flatThumb(0)])).toEqual([]);
	});
});

describe('hostile input', () => {
	it('no frames are no shots, one frame is one', () => {
		expect(detectShots([])).toEqual([]);
		expect(detectShots(scene(1, 1))).toEqual([{ start: 0, end: 1, transitionIn: 'start', source: 'detected' }]);
	});

	it('a change of size is no cut, and cuts are found across it', () => {
		const small = Array.from({ length: 10 }, () => sceneThumb(1, 0, 0, 1, 48, 27));
		expect(starts([...scene(5, 10), ...small])).toEqual([10]);
		const half = sceneThumb(1);
		const same = { ...half, width: 96, height: 54 };
		expect(starts([...scene(1, 10), same, same])).toEqual([]);
		expect(
			starts([
				...Array.from({ length: 10 }, () => flatThumb(0.5, 96, 54)),
				...Array.from({ length: 10 }, () => flatThumb(0.5, 40, 30)),
			]),
		).toEqual([]);
	});

	it('samples that are no numbers do not spread', () => {
		const broken = sceneThumb(1);
		broken.luma.fill(Number.NaN, 100, 4000);
		broken.cr.fill(Number.POSITIVE_INFINITY);
		expect(starts([...scene(1, 10), broken, ...scene(1, 10), ...scene(2, 10)])).toEqual([21]);
		const none = flatThumb(Number.NaN);
		expect(starts([none, none, none])).toEqual([]);
	});

	it('refuses planes that do not fit, and pushes after the end', () => {
		const detector = new ShotDetector();
		expect(() => {
			detector.push({ ...flatThumb(0), luma: new Float32Array(3) });
		}).toThrow(/frame 0/);
		expect(() => {
			detector.push(flatThumb(0, 4, 4));
		}).toThrow(/at least 8/);
		detector.finish();
		expect(() => {
			detector.push(flatThumb(0));
		}).toThrow(/finished/);
		expect(() => detector.finish()).toThrow(/twice/);
	});
});
