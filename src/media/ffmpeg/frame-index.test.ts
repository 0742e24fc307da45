import { describe, expect, it } from 'vitest';
import { rational } from '../../core/rational.ts';
import { buildIndex, framesOfPackets, keyframeBefore, parsePackets } from './frame-index.ts';

const tick = rational(1, 1000);
const timed = (ticks: readonly number[], duration = 0) =>
	ticks.map((t, i) => ({ ticks: t, duration, keyframe: i % 4 === 0 }));

describe('parsePackets', () => {
	it('reads ffprobe’s compact lines and skips what is none', () => {
		const packets = parsePackets(
			'0|-512|512|3142|48|K_\n2048|-256|N/A|10|N/A|__\n\n-512|-1024|512|7|96|_D|\nside data\n',
		);
		expect(packets).toEqual([
			{ pts: 0, dts: -512, duration: 512, size: 3142, pos: 48, keyframe: true, discard: false },
			{ pts: 2048, dts: -256, duration: undefined, size: 10, pos: undefined, keyframe: false, discard: false },
			{ pts: -512, dts: -1024, duration: 512, size: 7, pos: 96, keyframe: false, discard: true },
		]);
	});
});

describe('framesOfPackets', () => {
	const packet = (pts: number | undefined, more: object = {}) => ({
		pts,
		dts: 0,
		duration: 1,
		size: 9,
		pos: 0,
		keyframe: false,
		discard: false,
		...more,
	});

	it('sorts into presentation order and leaves discarded packets out', () => {
		expect(
			framesOfPackets([packet(0), packet(3), packet(1), packet(-1, { discard: true })])?.map((frame) => frame.ticks),
		).toEqual([0, 1, 3]);
	});

	it('does not trust missing times, repeated times or empty packets', () => {
		expect(framesOfPackets([packet(0), packet(undefined)])).toBeUndefined();
		expect(framesOfPackets([packet(0), packet(0)])).toBeUndefined();
		expect(framesOfPackets([packet(0), packet(1, { size: 0 })])).toBeUndefined();
	});
});

describe('buildIndex', () => {
	it('knows a constant rate behind rounded milliseconds', () => {
		const index = buildIndex(timed([0, 42, 83, 125, 167, 208]), tick, [rational(24)]);
		expect(index).toMatchObject({ constantRate: true, rate: rational(24) });
		expect(index.frames.map((frame) => frame.duration)).toEqual(
			[42, 41, 42, 42, 41, 41].map((ms) => rational(ms, 1000)),
		);
	});

	it('does not take a dropped frame for rounding where the timebase is the frame', () => {
		const index = buildIndex(timed([0, 1, 3, 4]), rational(1, 24), [rational(24)]);
		expect(index.constantRate).toBe(false);
		expect(index.rate).toEqual(rational(18));
	});

	it('gives the last frame its packet’s duration, or that of the one before', () => {
		expect(buildIndex(timed([0, 10, 30], 7), tick, []).frames[2]?.duration).toEqual(rational(7, 1000));
		expect(buildIndex(timed([0, 10, 30]), tick, []).frames[2]?.duration).toEqual(rational(20, 1000));
		expect(buildIndex(timed([5]), tick, [rational(25)]).frames[0]?.duration).toEqual(rational(40, 1000));
	});

	it('leaves frames out that repeat a time, and counts them', () => {
		const index = buildIndex(timed([0, 40, 40, 80]), tick, [rational(25)]);
		expect(index.ticks).toEqual([0, 40, 80]);
		expect(index.duplicates).toBe(1);
	});

	it('finds the keyframe to start from', () => {
		const { frames } = buildIndex(timed([0, 1, 2, 3, 4, 5, 6]), tick, []);
		expect([0, 3, 4, 6].map((i) => keyframeBefore(frames, i))).toEqual([0, 0, 4, 4]);
	});
});
