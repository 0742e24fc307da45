import { describe, expect, it } from 'vitest';
import { BytePipe, FrameRing } from './rings.ts';

describe('FrameRing', () => {
	it('holds two to sixteen frames within its budget', () => {
		expect(FrameRing.create(100, 350).slots).toBe(3);
		expect(FrameRing.create(100, 10).slots).toBe(2);
		expect(FrameRing.create(100, 1e6).slots).toBe(16);
	});

	it('hands slots out in turn as they are released', () => {
		const ring = FrameRing.create(4, 12);
		expect([0, 1, 2].map((count) => ring.acquire(count))).toEqual([0, 1, 2]);
		ring.slot(1).fill(7);
		expect([...new FrameRing(ring.buffer, 4).slot(1)]).toEqual([7, 7, 7, 7]);
		ring.release();
		expect(ring.acquire(3)).toBe(0);
	});
});

describe('BytePipe', () => {
	it('carries bytes across its end and tells where they stop', async () => {
		const pipe = BytePipe.create(1);
		const reader = new BytePipe(pipe.buffer);
		const sent = Uint8Array.from({ length: 150_000 }, (_, i) => i % 251);
		const got: number[] = [];
		const buffer = new Uint8Array(40_000);
		let done = false;
		const writing = pipe.write(sent).then(() => {
			pipe.end();
			done = true;
		});
		while (!done || got.length < sent.length) {
			got.push(...buffer.subarray(0, reader.readInto(buffer)));
			await new Promise((resolve) => setTimeout(resolve, 0));
			if (got.length >= sent.length) break;
		}
		await writing;
		expect(reader.readInto(buffer)).toBe(0);
		expect(Uint8Array.from(got)).toEqual(sent);
	});

	it('rejects a write that is aborted while the pipe is full', async () => {
		const pipe = BytePipe.create(1);
		const controller = new AbortController();
		setTimeout(() => {
			controller.abort();
		}, 10);
		await expect(pipe.write(new Uint8Array(100_000), controller.signal)).rejects.toMatchObject({ code: 'aborted' });
	});
});
