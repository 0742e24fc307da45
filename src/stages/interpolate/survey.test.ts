import { describe, expect, it } from 'vitest';
import type { SurveyFrame } from '../../contracts/stage.ts';
import { mixFrames } from '../../analysis/survey/reduce.ts';
import { rational } from '../../core/rational.ts';
import { frameDifference, surveyPairs } from './survey.ts';

const [width, height] = [128, 96];

/** A textured picture, moved to the right. */
function picture(shift: number, change: (x: number, y: number) => number = () => 0): SurveyFrame {
	const rgb = Float32Array.from({ length: 3 * width * height }, (_, i) => {
		const [x, y] = [i % width, Math.floor(i / width) % height];
		return 0.4 + 0.2 * Math.sin((x - shift) * 0.3) * Math.cos(y * 0.2) + change(x, y);
	});
	return { width, height, rgb };
}
const scaled = (frame: SurveyFrame, gain: number): SurveyFrame => ({ ...frame, rgb: frame.rgb.map((v) => v * gain) });

describe('neighboring frames', () => {
	it('repeat in spite of flicker, and differ by a place that moves', async () => {
		const [a, b] = [picture(0), picture(1)];
		// 8×8 of 128×96 pixels by 20 codes is 0.1 codes in the mean.
		const spoken = picture(1, (x, y) => (x >= 56 && x < 64 && y >= 40 && y < 48 ? 20 / 255 : 0));
		const frames = [a, a, scaled(a, 0.95), b, spoken];
		const asked: number[] = [];
		const access = {
			range: { start: 7, end: 12 },
			timeline: { frames: [], timebase: rational(1, 24) },
			frame: (index: number) => {
				asked.push(index);
				return Promise.resolve(frames[index - 7]!);
			},
		};
		const env = { breathe: () => Promise.resolve(), onProgress: () => undefined };
		const { start, differences } = await surveyPairs(access, env);
		expect(start).toBe(7);
		// Each frame once, in order: a survey is one pass over the film.
		expect(asked).toEqual([7, 8, 9, 10, 11]);
		expect(differences[0]).toBe(0);
		expect(differences[1]).toBeLessThan(0.05);
		expect(differences[2]).toBeGreaterThan(1);
		expect(differences[3]).toBeGreaterThan(0.3);
	});

	it('of a cut in brightness, of another size and of what is no number are different', () => {
		const a = picture(0);
		expect(frameDifference(a, scaled(a, 0.5))).toBeGreaterThan(20);
		expect(frameDifference(a, { width: 1, height: 1, rgb: new Float32Array(3) })).toBe(Infinity);
		const broken = { ...a, rgb: Float32Array.from(a.rgb) };
		broken.rgb[5] = NaN;
		expect(frameDifference(a, broken)).toBe(Infinity);
	});

	it('a frame created between two of them repeats neither', () => {
		const [a, b] = [picture(0), picture(2)];
		const middle = mixFrames(a, b, 0.5);
		const whole = frameDifference(a, b);
		expect(frameDifference(a, middle)).toBeCloseTo(whole / 2, 2);
		expect(frameDifference(middle, b)).toBeGreaterThan(1);
	});
});
