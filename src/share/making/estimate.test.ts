import { describe, expect, it } from 'vitest';
import { planPairs } from '../ballot.ts';
import { controlsFor, cropFrameBudget, estimateReview, type EstimateInput } from './estimate.ts';

const INPUT: EstimateInput = {
	versions: 2,
	shots: [
		{ frames: 100, width: 80, height: 100, cropFrames: 60 },
		{ frames: 50, width: 80, height: 100, cropFrames: 50 },
	],
	codec: 'h264',
	stills: 0,
	depth: 8,
	blind: false,
	pairs: 4,
	measured: { bitsPerPixel: 1, secondsPerFrame: 0.1, secondsPerClip: 0, asksOnCrops: false },
};

describe('estimate', () => {
	it('is frames × pixels × bits, for every version, and the time of its frames', () => {
		// 150 frames of 8000 pixels at one bit are 150,000 bytes, and each of the two clips has a tag of 16.
		expect(estimateReview(INPUT)).toEqual({
			...{ frames: 300, seconds: 30 },
			...{ bytes: 2 * (150_000 + 32), bytesMost: 2 * (150_000 + 32) },
		});
	});

	it('counts the copies of a blind review’s presentations, controls among them', () => {
		const open = estimateReview(INPUT).bytes;
		const blind = estimateReview({ ...INPUT, blind: true }).bytes;
		// Four pairs and two controls, two clips each, of average length.
		expect(blind).toBe(open + (12 * open) / 4);
		expect(estimateReview({ ...INPUT, blind: true, pairs: 0 }).bytes).toBe(open);
	});

	it('counts stills, 16-bit ones twice', () => {
		const none = estimateReview(INPUT).bytes;
		const eight = estimateReview({ ...INPUT, stills: 3 }).bytes - none;
		const sixteen = estimateReview({ ...INPUT, stills: 3, depth: 16 }).bytes - none;
		expect(eight).toBe(4 * 3 * (15_600 + 16));
		expect(sixteen).toBe(4 * 3 * (31_200 + 16));
	});

	it('counts lossless crops where the codec makes them necessary, no larger than the picture', () => {
		const measured = { ...INPUT.measured!, asksOnCrops: true };
		const { bytes, seconds } = estimateReview({ ...INPUT, measured });
		// 110 crops of each of two versions, of whole pictures of 80×100 here.
		expect(bytes - estimateReview(INPUT).bytes).toBe(2 * 110 * (15_600 + 16));
		expect(seconds).toBeCloseTo(30 + 22, 9);
		const large = INPUT.shots.map((shot) => ({ ...shot, width: 1920, height: 1080 }));
		const grown = estimateReview({ ...INPUT, shots: large, measured }).bytes;
		const png = Math.ceil(320 * 240 * 3 * 0.65) + 16;
		expect(grown - estimateReview({ ...INPUT, shots: large }).bytes).toBe(2 * 110 * png);
	});

	it('counts the time of stills, and of looking at each clip again', () => {
		const measured = { ...INPUT.measured!, secondsPerClip: 5 };
		expect(estimateReview({ ...INPUT, measured }).seconds).toBeCloseTo(30 + 4 * 5, 9);
		expect(estimateReview({ ...INPUT, stills: 3 }).seconds).toBeCloseTo(30 + 1.2, 9);
	});

	it('knows no time before it was measured, nor whether there will be crops', () => {
		const guess = estimateReview({ ...INPUT, measured: null });
		expect(guess.seconds).toBeNull();
		expect(guess.bytesMost - guess.bytes).toBe(2 * 110 * (15_600 + 16));
	});

	it('counts controls as they are planned', () => {
		for (let pairs = 1; pairs <= 100; pairs++) {
			expect(planPairs(3, 3, pairs)).toHaveLength(pairs + controlsFor(pairs));
		}
	});

	it('leaves to crops what a service keeps of one review besides clips and stills', () => {
		const small = { versions: 2, shots: 1, stills: 3, blind: false, pairs: 1 };
		// 4096 objects less 2 clips with 3 stills each, manifest and secrets, over 2 clips.
		expect(cropFrameBudget(small)).toBe((4096 - 8 - 2) / 2);
		expect(cropFrameBudget({ ...small, shots: 12, blind: true, pairs: 24 })).toBeGreaterThan(24);
		expect(() => cropFrameBudget({ ...small, versions: 4, shots: 200, stills: 16 })).toThrow('4096');
	});
});
