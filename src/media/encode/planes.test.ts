import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FrameHasher } from './frame-md5.ts';
import { pixelFormat } from './formats.ts';
import { ffmpegPlanes, packPixels, padPlanes } from './planes.ts';

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

describe('planes on the way into an encoder', () => {
	it('repeats the last column and row, chroma in step', () => {
		const from = { width: 3, height: 1 };
		const to = { width: 4, height: 2 };
		// Y 1 2 3, U 7 8, V 9 10.
		const padded = padPlanes(bytes(1, 2, 3, 7, 8, 9, 10), pixelFormat('420', 8), from, to);
		expect([...padded]).toEqual([1, 2, 3, 3, 1, 2, 3, 3, 7, 8, 9, 10]);
		const wide = padPlanes(
			bytes(1, 1, 2, 2),
			pixelFormat('gray', 10),
			{ width: 2, height: 1 },
			{ width: 3, height: 1 },
		);
		expect([...wide]).toEqual([1, 1, 2, 2, 2, 2]);
		const same = bytes(1);
		expect(padPlanes(same, pixelFormat('gray', 8), { width: 1, height: 1 }, { width: 1, height: 1 })).toBe(same);
		expect(() => padPlanes(same, pixelFormat('gray', 8), { width: 2, height: 1 }, { width: 1, height: 1 })).toThrow();
	});

	it('orders RGB as ffmpeg does', () => {
		const size = { width: 1, height: 1 };
		expect([...ffmpegPlanes(bytes(1, 2, 3, 4), pixelFormat('rgb', 8, true), size)]).toEqual([2, 3, 1, 4]);
		expect([...ffmpegPlanes(bytes(1, 0, 2, 0, 3, 0), pixelFormat('rgb', 16), size)]).toEqual([2, 0, 3, 0, 1, 0]);
		expect([...packPixels(bytes(1, 2, 3, 4), size, 'bgra')]).toEqual([3, 2, 1, 4]);
		expect([...packPixels(bytes(1, 2, 3), size, 'bgr0')]).toEqual([3, 2, 1, 0]);
		expect([...packPixels(bytes(1, 2, 9, 8), { width: 2, height: 1 }, 'ya8')]).toEqual([1, 9, 2, 8]);
	});

	it('hashes what ffmpeg would', async () => {
		const hasher = await FrameHasher.create();
		const md5 = (data: Uint8Array): string => createHash('md5').update(data).digest('hex');
		const size = { width: 1, height: 1 };
		expect(hasher.hash(bytes(1, 2, 3), pixelFormat('rgb', 8), size)).toBe(md5(bytes(2, 3, 1)));
		expect(hasher.hash(bytes(1, 2, 3), pixelFormat('444', 8), size)).toBe(md5(bytes(1, 2, 3)));
	});
});
