import { describe, expect, it } from 'vitest';
import { METRIC_IDS } from '../../core/quality.ts';
import type { JudgeRecord } from '../../share/judge/record.ts';
import { clipOf } from '../../share/judge/votes.testkit.ts';
import { LINE_STYLES } from './line-style.ts';
import { niceScale, pathOf, type PlotShot, plotRows, valuesAt } from './plot-geometry.ts';

const shots: readonly PlotShot[] = [
	{ id: 's', name: 'One', start: 0, frames: 4 },
	{ id: 't', name: 'Two', start: 10, frames: 2 },
];
const versions = [
	{ id: 'a', name: 'A' },
	{ id: 'b', name: 'B' },
];

/** A clip with these flicker values, a frame each. */
function clip(flicker: readonly (number | null)[], grain = 4) {
	const known = flicker.filter((v) => v !== null);
	const mean = known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
	const one = clipOf({ flicker: mean, ssim: null, psnr: null }, grain);
	const series = Object.fromEntries(METRIC_IDS.map((id) => [id, flicker.map(() => 1)])) as unknown as typeof one.series;
	return { ...one, frames: flicker.length, series: { ...series, flicker } };
}

const record: JudgeRecord = {
	format: 1,
	sources: [{ shot: 's', grain: clip([1]).grain }],
	clips: [
		{ shot: 's', version: 'a', metrics: clip([1, null, 3, 5]) },
		{ shot: 's', version: 'b', metrics: clip([2, 2, 2, 2]) },
		{ shot: 't', version: 'a', metrics: clip([6, 6]) },
		{ shot: 't', version: 'b', metrics: clip([null, null], 1) },
	],
} as unknown as JudgeRecord;
const row = (metric: (typeof METRIC_IDS)[number]) => plotRows(record, shots, versions, [metric])[0]!;

describe('rows of the plot', () => {
	it('have a line a version and shot, of what was measured', () => {
		const { lines, overall, low, high } = row('flicker');
		expect(lines.map(({ shot, version, points }) => [shot.id, version, points.map(({ frame }) => frame)])).toEqual([
			['s', 0, [0, 2, 3]],
			['s', 1, [0, 1, 2, 3]],
			['t', 0, [10, 11]],
		]);
		// Means are weighted by the shots' lengths; a version that was not measured in a shot has none of it.
		expect(overall).toEqual([(3 * 4 + 6 * 2) / 6, 2]);
		expect([low, high]).toEqual([0, 6]);
	});

	it('leave out what nothing was measured of', () => {
		expect(plotRows(record, shots, versions, METRIC_IDS).map(({ metric }) => metric)).not.toContain('ssim');
		expect(plotRows(record, [], versions, METRIC_IDS)).toEqual([]);
	});

	it('say where a score may not rank, as grain differs', () => {
		expect(row('niqe').unranked.map(({ id }) => id)).toEqual(['t']);
		expect(row('flicker').unranked).toEqual([]);
		expect(row('grainAmplitude').lines.map(({ shot }) => shot.id)).toEqual(['s', 's']);
	});

	it('tell the value nearest to a frame, in its shot only', () => {
		expect(valuesAt(row('flicker'), 1, 2)).toEqual([1, 2]);
		expect(valuesAt(row('flicker'), 3, 2)).toEqual([5, 2]);
		expect(valuesAt(row('flicker'), 11, 2)).toEqual([6, null]);
		expect(valuesAt(row('flicker'), 7, 2)).toEqual([null, null]);
	});
});

describe('scales and paths', () => {
	it('have round ends that hold everything', () => {
		expect(niceScale([0.3, 4.1], true)).toEqual({ low: 0, high: 6 });
		expect(niceScale([3.12, 3.97], false)).toEqual({ low: 3, high: 4 });
		expect(niceScale([], true)).toEqual({ low: 0, high: 1 });
		expect(niceScale([NaN], true)).toEqual({ low: 0, high: 1 });
		for (const value of [0, 5, -2, 1e-7, 1e6]) {
			const { low, high } = niceScale([value], false);
			expect(low).toBeLessThanOrEqual(value);
			expect(high).toBeGreaterThan(low);
			expect(high).toBeGreaterThanOrEqual(value);
		}
	});

	it('have no more corners than pixels, each the mean of its values', () => {
		const points = Array.from({ length: 1000 }, (_, frame) => ({ frame, value: frame % 2 }));
		const path = pathOf(
			points,
			(frame) => frame / 10,
			(value) => 100 * value,
		);
		expect(path.match(/[ML]/g)!.length).toBeLessThanOrEqual(101);
		expect(path.split('L')[50]).toMatch(/^50\.0 50\.0/);
		expect(
			pathOf(
				[{ frame: 1, value: 2 }],
				(f) => f + 0.5,
				(v) => v,
			),
		).toBe('M1.5 2.0');
		expect(
			pathOf(
				[],
				(f) => f,
				(v) => v,
			),
		).toBe('');
	});

	it('differ by color and by dash', () => {
		expect(new Set(LINE_STYLES.map(({ color }) => color)).size).toBe(4);
		expect(new Set(LINE_STYLES.map(({ dash }) => dash)).size).toBe(4);
	});
});
