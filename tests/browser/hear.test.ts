/** Sound for listening: spans of it, to the sample. */

import { describe, expect, it } from 'vitest';
import type { SourceInfo } from '../../src/contracts/media.ts';
import { hearSound } from '../../src/media/audio/hear.ts';
import { openSource } from '../../src/media/source.ts';
import { fixtureFile } from '../helpers/browser-files.ts';
import { runNative, writeNative } from '../helpers/native.ts';

const never = new AbortController().signal;
const RATE = 48_000;

interface Opened {
	readonly info: SourceInfo;
	/** Samples from `first` on, left and right joined by frames. */
	hear(first: number, count: number, sampleRate?: number): Promise<Float32Array>;
}

async function open(name: string): Promise<Opened> {
	const file = await fixtureFile(name);
	const files = [{ path: name, file }];
	const source = await openSource({ files, kind: 'file' }, () => undefined, never);
	await source.close();
	return {
		info: source.info,
		async hear(first, count, sampleRate = RATE) {
			const span = await hearSound(files, source.info, { sampleRate, first, count }, never);
			expect([span!.left.length, span!.right.length]).toEqual([count, count]);
			return span!.left.map((value, i) => (value + span!.right[i]!) / 2);
		},
	};
}

const onset = (samples: Float32Array): number => samples.findIndex((v) => Math.abs(v) > 0.2);
const peak = (samples: Float32Array): number => samples.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

describe('hearing a source', () => {
	it.each(['flash-pcm.mov', 'flash-aac.mp4', 'flash-aac.mkv', 'flash-opus.mkv', 'flash-aac.ts'])(
		'%s: the beep is where the flash is, on the source’s clock',
		async (name) => {
			const { info, hear } = await open(name);
			const { num, den } = info.frames[25]!.pts;
			const flash = Math.round((num / den) * RATE);
			const heard = await hear(flash - RATE / 4, RATE / 2);
			expect(Math.abs(onset(heard) - RATE / 4)).toBeLessThan(512);
		},
	);

	it.each(['flash-long-pcm.mov', 'flash-long-aac.mp4'])(
		'%s: spans join to what native ffmpeg decodes',
		async (name) => {
			const { hear } = await open(name);
			const spans: Float32Array[] = [];
			// Also spans that are reached by seeking, and around the beep at 10.52 s.
			const bounds = [9, 10.5, 10.53, 11, 11.75];
			for (const [i, from] of bounds.slice(0, -1).entries())
				spans.push(await hear(Math.round(from * RATE), Math.round((bounds[i + 1]! - from) * RATE)));
			const heard = new Float32Array(spans.flatMap((span) => [...span]));
			await writeNative(name, await fixtureFile(name));
			const trim = `atrim=start_sample=${9 * RATE}:end_sample=${11.75 * RATE},aformat=channel_layouts=stereo`;
			const bytes = await runNative('ffmpeg', ['-i', name, '-map', '0:a', '-af', trim, '-f', 'f32le', '-']);
			const native = new Float32Array(bytes.buffer).filter((_, i) => i % 2 === 0);
			expect(heard.length).toBe(native.length);
			expect(peak(native)).toBeGreaterThan(0.2);
			expect(peak(heard.map((v, i) => v - native[i]!))).toBeLessThan(1e-3);
		},
	);

	it('is silent before the sound, after it, and where the source starts later', async () => {
		const late = await open('flash-late.mkv');
		expect(peak(await late.hear(-RATE, RATE))).toBe(0);
		expect(peak(await late.hear(0, RATE / 4))).toBe(0);
		expect(onset(await late.hear(0, 2 * RATE)) / RATE).toBeCloseTo(1, 2);
		expect(peak(await late.hear(60 * RATE, RATE))).toBe(0);
		const long = await open('flash-long-aac.mp4');
		expect(peak(await long.hear(100 * RATE, RATE))).toBe(0);
	});

	it('comes at the listener’s rate, many channels mixed into two', async () => {
		const { hear } = await open('much-sound.mkv');
		const heard = await hear(0, 44_100, 44_100);
		expect(peak(heard)).toBeGreaterThan(0.05);
		expect(peak(heard)).toBeLessThanOrEqual(1);
	});

	it('there is none in a silent film, and none of an impossible span', async () => {
		const file = await fixtureFile('flash-pcm.mov');
		const files = [{ path: file.name, file }];
		const { info } = await open('flash-pcm.mov');
		const request = { sampleRate: RATE, first: 0, count: RATE };
		expect(await hearSound(files, { ...info, audio: [] }, request, never)).toBeUndefined();
		for (const bad of [{ count: 0 }, { count: 61 * RATE }, { first: 0.5 }, { sampleRate: 0 }]) {
			await expect(hearSound(files, info, { ...request, ...bad }, never)).rejects.toMatchObject({ code: 'usage' });
		}
		await expect(hearSound(files, info, request, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
	});
});
