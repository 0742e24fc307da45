import { describe, expect, it } from 'vitest';
import { rational, toNumber } from '../../core/rational.ts';
import type { TimelineFrame } from '../../core/timeline.ts';
import type { ContainerId } from '../../contracts/media.ts';
import { commonTimescale, decodeOrder, videoClock } from './clock.ts';
import { layoutMatroska, timestampScale } from './matroska-write.ts';
import { MatroskaReader } from './matroska-read.ts';
import { type FileLayout, layoutMp4 } from './mp4.ts';
import { readLayout } from './mux.ts';
import type { MuxInput } from './tracks.ts';
import { presentedTracks } from './verify-mp4.ts';

const FRAME = rational(1, 24);

function timelineOf(durations: readonly ReturnType<typeof rational>[]): TimelineFrame[] {
	let num = rational(0);
	return durations.map((duration, index) => {
		const pts = num;
		num = rational(num.num * duration.den + duration.num * num.den, num.den * duration.den);
		return { index, pts, duration, origin: 'original', needs: [index], shot: 0 };
	});
}

/** A film of `count` frames of `bytes` each; the bytes are never read. */
function film(container: ContainerId, count: number, bytes: number, places?: readonly number[]): MuxInput {
	const blob = new Blob([new Uint8Array(16)]);
	const order = places ?? Array.from({ length: count }, (_, i) => i);
	const isMp4 = container === 'mp4';
	return {
		encode: {
			container,
			codec: isMp4 ? 'h264' : 'ffv1',
			engine: 'software',
			format: { chroma: '420', depth: 8, sample: 'u8', alpha: false },
			size: { width: 64, height: 48 },
			color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited', chromaLocation: 'left' },
			fields: 'progressive',
			sampleAspect: rational(1),
			rotation: 0,
			timebase: FRAME,
			rate: rational(24),
		},
		timeline: timelineOf(Array.from({ length: count }, () => FRAME)),
		video: {
			header: { kind: 'video', codec: isMp4 ? 'h264' : 'ffv1', config: '' },
			config: new Uint8Array(4),
			packets: order.map((place) => ({ place, key: place === 0, blob, offset: 0, bytes })),
		},
		audio: undefined,
	};
}

function sizeOf(layout: FileLayout): number {
	return layout.pieces.reduce((n, p) => n + (p instanceof Uint8Array ? p.length : p.bytes), 0);
}

function front(layout: FileLayout): Uint8Array {
	const parts: number[] = [];
	for (const piece of layout.pieces) {
		if (!(piece instanceof Uint8Array)) break;
		parts.push(...piece);
	}
	return Uint8Array.from(parts);
}

describe('files larger than 4 GiB', () => {
	it('MP4 offsets are 64 bit and point at the samples', async () => {
		const layout = layoutMp4(film('mp4', 600, 10_000_000));
		expect(layout.bytes).toBeGreaterThan(2 ** 32);
		expect(sizeOf(layout)).toBe(layout.bytes);
		const head = front(layout);
		const at = Buffer.from(head).indexOf('co64');
		const view = new DataView(head.buffer);
		const count = view.getUint32(at + 8);
		const offsets = Array.from({ length: count }, (_, i) => Number(view.getBigUint64(at + 12 + 8 * i)));
		// Half a second a file chunk: 12 frames.
		expect(offsets.slice(0, 2)).toEqual([head.length, head.length + 12 * 10_000_000]);
		expect(offsets.at(-1)).toBeGreaterThan(2 ** 32);
		expect(Buffer.from(head).indexOf('stco')).toBe(-1);
		const reader = { size: head.length, read: (a: number, b: number) => Promise.resolve(head.slice(a, b)) };
		expect((await presentedTracks(reader))[0]).toMatchObject({ handler: 'vide', duration: rational(25) });
	});

	it('Matroska states its size and its cues in 64 bit', () => {
		const layout = layoutMatroska(film('mkv', 600, 10_000_000));
		expect(layout.bytes).toBeGreaterThan(2 ** 32);
		expect(sizeOf(layout)).toBe(layout.bytes);
	});

	it('small MP4 files keep 32-bit offsets', () => {
		expect(Buffer.from(front(layoutMp4(film('mp4', 3, 10)))).indexOf('co64')).toBe(-1);
	});
});

/** The film with PCM of a tenth of a second a packet, whose first sample is `start` ticks of 48 000 after the first picture. */
function withSound(input: MuxInput, start: number, packets: number): MuxInput {
	const blob = new Blob([new Uint8Array(9600)]);
	return {
		...input,
		encode: { ...input.encode, timecode: '01:00:00:00' },
		audio: {
			header: {
				...{ kind: 'audio', codec: 'pcm_s16le', config: '', sampleRate: 48000, channels: 1, timescale: 48000 },
				...{ skip: 0, presented: packets * 4800, delay: 0 },
			},
			config: new Uint8Array(),
			packets: Array.from({ length: packets }, (_, i) => ({
				time: i * 4800,
				duration: 4800,
				blob,
				offset: 0,
				bytes: 9600,
			})),
			start,
		},
	};
}

describe('sound and picture start apart', () => {
	it.each([
		[-24000, 0.5, 0],
		[0, 0, 0],
		[12000, 0, 0.25],
		// No whole number of pictures, nor of the clock that only the picture has.
		[-24001, 24001 / 48000, 0],
	])(
		'MP4, sound %i/48000 s after the picture: the later one, and its timecode, wait behind an empty edit',
		async (start, video, audio) => {
			const layout = layoutMp4(withSound(film('mp4', 24, 10), start, 20));
			const head = front(layout);
			const reader = { size: head.length, read: (a: number, b: number) => Promise.resolve(head.slice(a, b)) };
			const tracks = await presentedTracks(reader);
			const at = (handler: string): number => toNumber(tracks.find((t) => t.handler === handler)!.start);
			expect([at('vide'), at('tmcd'), at('soun')]).toEqual([video, video, audio]);
			expect(tracks.map((t) => toNumber(t.duration)).slice(0, 2)).toEqual([1, 2]);
		},
	);

	it('Matroska: all times are whole ticks from whatever comes first', async () => {
		const times = async (start: number): Promise<number[][]> => {
			const found: number[][] = [[], [], []];
			const reader = new MatroskaReader({ onTrack: () => undefined, onBlock: (b) => found[b.track]!.push(b.time) });
			for await (const block of readLayout(layoutMatroska(withSound(film('mkv', 24, 10), start, 80))))
				reader.push(block);
			return found;
		};
		// Ticks of 10 µs; the lead spans more than a cluster, and no block's time fell below zero on the way.
		const [, video, audio] = await times(-6 * 48000);
		expect([video![0], video![1], video!.length]).toEqual([600_000, 604_167, 24]);
		expect([audio![0], audio![1], audio!.length]).toEqual([0, 10_000, 80]);
		const [, later, late] = await times(6 * 48000);
		expect([later![0], late![0]]).toEqual([0, 600_000]);
	});
});

describe('clocks', () => {
	it('finds the timescale in which all times are whole', () => {
		expect(commonTimescale([rational(1001, 30000), rational(1, 25)])).toEqual({ timescale: 30000, exact: true });
		expect(commonTimescale([rational(1, 24)])).toEqual({ timescale: 24000, exact: true });
		expect(commonTimescale([rational(1, 2147483647), rational(1, 3)]).exact).toBe(false);
	});

	it('refuses frames that last nothing', () => {
		const timeline = timelineOf([FRAME, FRAME]);
		expect(() => videoClock([timeline[0]!, { ...timeline[1]!, pts: rational(0) }])).toThrow(/frame 0 lasts 0/);
	});

	it('decodes in time whatever the reordering', () => {
		const clock = videoClock(timelineOf([1, 3, 1, 2, 5, 1].map((n) => rational(n, 24))));
		const places = [0, 4, 2, 1, 3, 5];
		const { durations, offsets, delay } = decodeOrder(places, clock);
		let decode = 0;
		places.forEach((place, i) => {
			expect(offsets[i]).toBeGreaterThanOrEqual(0);
			expect(decode + offsets[i]! - delay).toBe(clock.pts[place]);
			expect(durations[i]).toBeGreaterThan(0);
			decode += durations[i]!;
		});
	});

	it('takes the coarsest Matroska tick that is exact', () => {
		const scale = (n: number, d: number): number =>
			timestampScale(videoClock(timelineOf([rational(n, d), rational(n, d)])));
		expect([scale(1, 25), scale(1, 48000 / 24), scale(1, 24), scale(1, 80000)]).toEqual([1e6, 1e5, 1e4, 1e4]);
	});
});

describe('reading back what was laid out', () => {
	it('Matroska blocks come back in order, with their bytes, however the stream is cut', async () => {
		const input = film('mkv', 30, 16, undefined);
		const layout = layoutMatroska(input);
		const all: number[] = [];
		for await (const block of readLayout(layout)) all.push(...block);
		const times: number[] = [];
		let sizes = 0;
		const reader = new MatroskaReader({
			onTrack: (track) => {
				expect(track.codecId).toBe('V_FFV1');
			},
			onBlock: (block) => {
				times.push(block.time);
				sizes += block.data.length;
			},
		});
		for (let at = 0; at < all.length; at += 7) reader.push(Uint8Array.from(all.slice(at, at + 7)));
		expect(reader.complete).toBe(true);
		expect(sizes).toBe(30 * 16);
		times.forEach((t, i) => {
			expect(Math.abs(t * 1e-5 - i * toNumber(FRAME))).toBeLessThanOrEqual(5e-6);
		});
	});
});
