/** Both pictures always show the same frame number, and it is the number that is said: read from the painted pixels. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { indexClip } from '../../src/services/review-player/clip-index.ts';
import { Lockstep } from '../../src/services/review-player/lockstep.ts';
import { openClips } from '../../src/services/review-player/open-clips.ts';
import { layoutOf, Painter, type View, type ViewMode } from '../../src/services/review-player/paint.ts';
import { PictureClip } from '../../src/services/review-player/picture-clip.ts';
import type { EngineName, FrameSource } from '../../src/services/review-player/source.ts';
import { VideoClip } from '../../src/services/review-player/video-clip.ts';
import {
	BITS,
	BLOCK,
	COUNTER_HEIGHT,
	COUNTER_INPUT,
	COUNTER_WIDTH,
	counterFrames,
	H264,
	VP9,
} from '../helpers/counter-clips.ts';
import { runNative, writeNative } from '../helpers/native.ts';

const FRAMES = 96;
let vp9: Blob;
let h264: Blob;

async function take(name: string, type: string): Promise<Blob> {
	return new Blob([Uint8Array.from(atob(await commands.nativeTake(name)), (c) => c.charCodeAt(0))], { type });
}

beforeAll(async () => {
	await writeNative('count-a.gray', new Blob([counterFrames(FRAMES, 96)]));
	await writeNative('count-b.gray', new Blob([counterFrames(FRAMES, 160)]));
	await runNative('ffmpeg', [...COUNTER_INPUT('count-a.gray'), ...VP9, 'count-a.webm']);
	await runNative('ffmpeg', [...COUNTER_INPUT('count-b.gray'), ...H264, 'count-b.mp4']);
	vp9 = await take('count-a.webm', 'video/webm');
	h264 = await take('count-b.mp4', 'video/mp4');
	for (const name of ['count-a.gray', 'count-b.gray']) await take(name, '');
});

const view = (mode: ViewMode, change: Partial<View> = {}): View => ({
	...{ mode, a: 0, b: 1, shown: 'a', wipe: 0.5, gain: 1, loupe: 0, at: { x: 0.5, y: 0.5 } },
	...change,
});

/** A player with a canvas that is painted on every frame, and a log of what its pixels say. */
class Bench {
	readonly canvas = document.createElement('canvas');
	readonly #painter = new Painter(this.canvas);
	readonly player: Lockstep;
	readonly seen: { index: number; numbers: readonly number[] }[] = [];
	readonly errors: unknown[] = [];
	view = view('side');
	passes = 0;
	#wake: (() => void)[] = [];

	constructor(sources: readonly FrameSource[]) {
		this.player = new Lockstep(sources, 24, {
			frame: (index) => {
				this.paint();
				this.seen.push({ index, numbers: this.numbers() });
				this.#wake.splice(0).forEach((wake) => wake());
			},
			state: () => undefined,
			pass: () => this.passes++,
			error: (error) => this.errors.push(error),
		});
	}

	readonly size = { width: COUNTER_WIDTH * 2 + 4, height: COUNTER_HEIGHT };

	paint(): void {
		const layout = layoutOf(this.view.mode, this.size.width, this.size.height, COUNTER_WIDTH / COUNTER_HEIGHT);
		this.#painter.paint(this.player.pictures, this.view, layout, this.size, 1);
	}

	pixel(x: number, y: number): readonly [number, number, number] {
		const [r, g, b] = this.canvas.getContext('2d')!.getImageData(Math.round(x), Math.round(y), 1, 1).data;
		return [r!, g!, b!];
	}

	/** Numbers in the painted canvas: of both pictures side by side, of the one picture otherwise. */
	numbers(): readonly number[] {
		const layout = layoutOf(this.view.mode, this.size.width, this.size.height, COUNTER_WIDTH / COUNTER_HEIGHT);
		return layout.map((rect) => {
			let number = 0;
			for (let bit = 0; bit < BITS; bit++) {
				const x = rect.x + ((bit + 0.5) * rect.width) / BITS;
				number = number * 2 + (this.pixel(x, rect.y + (BLOCK * rect.height) / COUNTER_HEIGHT)[1] > 128 ? 1 : 0);
			}
			return number;
		});
	}

	/** Waits for a frame. */
	async until(index: number): Promise<void> {
		while (this.player.index !== index) await new Promise<void>((resolve) => this.#wake.push(resolve));
	}

	async seek(index: number): Promise<void> {
		const arrived = this.until(index);
		this.player.seek(index);
		await arrived;
	}
}

const benches: Bench[] = [];
async function bench(engine: EngineName): Promise<Bench> {
	const clips = [
		{ blob: vp9, codec: 'vp09.00.10.08' },
		{ blob: h264, codec: 'avc1.64000a' },
	];
	const sources =
		engine === 'video'
			? await Promise.all(clips.map(async (c) => VideoClip.open(c.blob, await indexClip(c.blob, FRAMES), c.codec)))
			: (await openClips(clips, FRAMES)).sources;
	expect(sources.map((s) => s.engine)).toEqual([engine, engine]);
	const made = new Bench(sources);
	benches.push(made);
	return made;
}
afterEach(() => {
	for (const made of benches.splice(0)) {
		made.player.close();
		expect(made.errors).toEqual([]);
	}
	expect(document.querySelectorAll('video')).toHaveLength(0);
});

const wrong = (made: Bench): unknown[] => made.seen.filter((s) => s.numbers.some((n) => n !== s.index));

const CALLBACK = 'requestVideoFrameCallback';
const callback = Object.getOwnPropertyDescriptor(HTMLVideoElement.prototype, CALLBACK)!;

for (const [engine, name] of [
	['webcodecs', 'WebCodecs'],
	['video', 'video elements'],
	['video', 'video elements without frame callbacks'],
] as const) {
	describe(`two clips of other codecs and key frames, by ${name}`, () => {
		beforeAll(() => {
			if (name.includes('without')) Reflect.deleteProperty(HTMLVideoElement.prototype, CALLBACK);
		});
		afterAll(() => {
			Object.defineProperty(HTMLVideoElement.prototype, CALLBACK, callback);
		});

		it('are at the same frame, forward, backward, at jumps, and at both ends', async () => {
			const made = await bench(engine);
			for (const index of [0, 1, 2, 24, 25, 26, 25, 24, 39, 40, 41, 90, FRAMES - 1, FRAMES - 2, 10, 0]) {
				await made.seek(index);
				expect(made.numbers()).toEqual([index, index]);
			}
			expect(wrong(made)).toEqual([]);
		});

		it('stay at the same frame while playing, looping and changing speed; what is dropped is dropped on both and counted', async () => {
			const made = await bench(engine);
			made.player.setRange(20, 34);
			await made.seek(20);
			made.seen.length = 0;
			made.player.play();
			const enough = async (passes: number): Promise<void> => {
				while (made.passes < passes) await new Promise((resolve) => setTimeout(resolve, 20));
			};
			await enough(2);
			made.player.setSpeed(2);
			await enough(3);
			const { dropped } = made.player;
			made.player.pause();
			expect(wrong(made)).toEqual([]);
			const shown = made.seen.map((s) => s.index);
			expect(Math.min(...shown)).toBeGreaterThanOrEqual(20);
			expect(Math.max(...shown)).toBe(34);
			const gaps = shown.slice(1).reduce((sum, n, i) => sum + Math.max(0, n - shown[i]! - 1), 0);
			expect(dropped).toBe(gaps);
		});

		it('quick steps add up, however many are asked for before the first is shown', async () => {
			const made = await bench(engine);
			await made.seek(10);
			for (let i = 0; i < 7; i++) made.player.seek(made.player.aim + 1);
			await made.until(17);
			for (let i = 0; i < 5; i++) {
				made.player.seek(made.player.aim - 2);
				// The one before is being decoded.
				await Promise.resolve();
			}
			await made.until(7);
			expect(made.player.aim).toBe(7);
		});

		it('a burst of seeks ends at the last one, and never shows two numbers at once', async () => {
			const made = await bench(engine);
			for (let i = 0; i < 30; i++) made.player.seek((i * 37) % FRAMES);
			await made.until((29 * 37) % FRAMES);
			expect(wrong(made)).toEqual([]);
		});
	});
}

describe('views', () => {
	it('wipe shows one frame from two clips: high bits of one, low bits of the other', async () => {
		const made = await bench('webcodecs');
		made.view = view('wipe');
		for (const index of [5, 37, 93]) {
			await made.seek(index);
			expect(made.numbers()).toEqual([index]);
			const y = (BLOCK * 3 * made.size.height) / COUNTER_HEIGHT;
			const rect = layoutOf('wipe', made.size.width, made.size.height, COUNTER_WIDTH / COUNTER_HEIGHT)[0]!;
			expect(made.pixel(rect.x + rect.width * 0.3, y)[1]).toBeLessThan(128);
			expect(made.pixel(rect.x + rect.width * 0.7, y)[1]).toBeGreaterThan(128);
		}
	});

	it('toggle shows one, then the other, in the same place', async () => {
		const made = await bench('webcodecs');
		await made.seek(50);
		const grounds = (['a', 'b'] as const).map((shown) => {
			made.view = view('toggle', { shown });
			made.paint();
			expect(made.numbers()).toEqual([50]);
			return made.pixel(made.size.width / 2, made.size.height - 4)[1];
		});
		expect(grounds[1]! - grounds[0]!).toBeGreaterThan(40);
	});

	it('difference is |a − b| times the gain in 8 bits, exactly', async () => {
		const made = await bench('webcodecs');
		await made.seek(50);
		const [a, b] = made.player.pictures.map(
			(p) => p.getContext('2d')!.getImageData(0, 0, COUNTER_WIDTH, COUNTER_HEIGHT).data,
		);
		for (const gain of [1, 4, 16]) {
			made.view = view('difference', { gain });
			made.paint();
			const rect = layoutOf('difference', made.size.width, made.size.height, COUNTER_WIDTH / COUNTER_HEIGHT)[0]!;
			for (const [x, y] of [
				[10, 60],
				[100, 50],
				[200, 10],
				[255, 63],
			] as const) {
				const at = (y * COUNTER_WIDTH + x) * 4;
				const expected = [0, 1, 2].map((c) => Math.min(255, Math.abs(a![at + c]! - b![at + c]!) * gain));
				expect([...made.pixel(rect.x + x, rect.y + y)]).toEqual(expected);
			}
		}
	});

	it.for([1, 2])('the loupe shows single pixels of both pictures at the same place, %d:1', async (loupe) => {
		const made = await bench('webcodecs');
		await made.seek(0b1010101);
		made.view = view('side', { loupe, at: { x: 0.5, y: 0.25 } });
		made.paint();
		// One picture pixel is 1 × 1 or 2 × 2 device pixels, the same value in all of them.
		const layout = layoutOf('side', made.size.width, made.size.height, COUNTER_WIDTH / COUNTER_HEIGHT);
		for (const [i, rect] of layout.entries()) {
			const picture = made.player.pictures[i]!.getContext('2d')!.getImageData(0, 0, COUNTER_WIDTH, COUNTER_HEIGHT);
			const side = Math.round(Math.min(220, made.canvas.width * 0.44, made.canvas.height * 0.6));
			const left = Math.round(rect.x + rect.width / 2 - side / 2);
			const top = Math.round(rect.y + rect.height / 4 - side / 2);
			const x0 = Math.round(COUNTER_WIDTH / 2 - Math.round(side / loupe) / 2);
			const y0 = Math.round(COUNTER_HEIGHT / 4 - Math.round(side / loupe) / 2);
			for (const [dx, dy] of [
				[4, 6],
				[8, 8],
				[10, 4],
			] as const) {
				const want = picture.data[((y0 + dy) * COUNTER_WIDTH + x0 + dx) * 4]!;
				for (let at = 0; at < loupe * loupe; at++) {
					const [px, py] = [at % loupe, Math.floor(at / loupe)];
					expect(made.pixel(left + loupe * dx + px, top + loupe * dy + py)[0]).toBe(want);
				}
			}
		}
	});

	it('crops of lossless pictures are in step as well', async () => {
		const png = async (n: number): Promise<Blob> => {
			const canvas = document.createElement('canvas');
			canvas.width = COUNTER_WIDTH;
			canvas.height = COUNTER_HEIGHT;
			const context = canvas.getContext('2d')!;
			for (let bit = 0; bit < BITS; bit++) {
				context.fillStyle = (n >> (BITS - 1 - bit)) & 1 ? '#fff' : '#000';
				context.fillRect(bit * BLOCK, 0, BLOCK, COUNTER_HEIGHT);
			}
			return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob!), 'image/png'));
		};
		const pictures = await Promise.all(Array.from({ length: 40 }, (_, n) => png(n)));
		const made = new Bench([new PictureClip(pictures), new PictureClip(pictures)]);
		benches.push(made);
		made.player.setLoop(false);
		await made.seek(0);
		made.player.play();
		await made.until(39);
		await made.seek(7);
		expect(wrong(made)).toEqual([]);
	});
});

describe('bad clips', () => {
	it('another number of frames, a cut file and no film are told apart from a broken program', async () => {
		await expect(indexClip(h264, FRAMES + 1)).rejects.toMatchObject({ code: 'review-invalid', message: /96.*97/s });
		await expect(indexClip(new Blob(['nothing of a film'.repeat(99)]), 1)).rejects.toMatchObject({
			code: 'review-invalid',
		});
		const cut = vp9.slice(0, vp9.size / 2);
		await expect(openClips([{ blob: cut, codec: 'vp09' }], FRAMES)).rejects.toMatchObject({ code: 'review-invalid' });
	});
});

afterAll(() => {
	expect(document.querySelectorAll('video')).toHaveLength(0);
});
