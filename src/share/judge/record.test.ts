import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ClipMetricsSchema, CodecLossSchema, JudgeRecordSchema } from './record.ts';
import { clipOf, simulate } from './votes.testkit.ts';

const { record } = simulate({ seed: 1, shots: 2, versions: ['a', 'b'], voters: 0, prefer: () => 0 });
const accepts = (value: unknown): boolean => v.safeParse(JudgeRecordSchema, value).success;

describe('a judge’s record', () => {
	it('is what it was after it was written and read', () => {
		expect(v.parse(JudgeRecordSchema, JSON.parse(JSON.stringify(record)))).toEqual(record);
	});

	it('refuses what is no record', () => {
		const clip = record.clips[0]!;
		const changed = (metrics: object): unknown => ({
			...record,
			clips: [{ ...clip, metrics: { ...clip.metrics, ...metrics } }],
		});
		expect(accepts(changed({}))).toBe(true);
		expect(accepts(changed({ frames: 2 }))).toBe(false);
		expect(accepts(changed({ frames: -1 }))).toBe(false);
		expect(accepts(changed({ values: { ...clip.metrics.values, niqe: NaN } }))).toBe(false);
		expect(accepts(changed({ values: { ...clip.metrics.values, niqe: '3' } }))).toBe(false);
		expect(accepts(changed({ values: { ...clip.metrics.values, more: 3 } }))).toBe(false);
		expect(accepts(changed({ series: { ...clip.metrics.series, flicker: undefined } }))).toBe(false);
		expect(accepts(changed({ grain: { sigma: [1], spectrum: [] } }))).toBe(false);
		expect(accepts(changed({ size: { width: 0, height: 480 } }))).toBe(false);
		expect(accepts({ ...record, clips: [clip, clip] })).toBe(false);
		expect(accepts({ ...record, format: 2 })).toBe(false);
		expect(accepts({ ...record, clips: [{ ...clip, shot: 'x'.repeat(1000) }] })).toBe(false);
		for (const junk of [null, 3, 'x', [], {}]) expect(accepts(junk)).toBe(false);
	});

	it('takes figures that could not be measured', () => {
		expect(v.safeParse(ClipMetricsSchema, { ...clipOf({ niqe: null }), grain: null }).success).toBe(true);
	});

	it('takes a clip’s codec loss', () => {
		const none = { pairs: 1, sigma: 0.1, kept: null, power: null, own: null, bands: [], asksOnCrops: false };
		expect(v.safeParse(CodecLossSchema, none).success).toBe(true);
		expect(v.safeParse(CodecLossSchema, { ...none, kept: Infinity }).success).toBe(false);
	});
});
