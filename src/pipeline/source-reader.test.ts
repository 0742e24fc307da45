import { describe, expect, it } from 'vitest';
import type { FrameRange, PlanarFrame } from '../contracts/frames.ts';
import { rational } from '../core/rational.ts';
import { SourceReader, type SourceReaderOptions } from './source-reader.ts';

const NEVER = new AbortController().signal;
const BYTES = 4;

function frameAt(index: number): PlanarFrame {
	return {
		format: { chroma: 'gray', depth: 8, sample: 'u8', alpha: false },
		size: { width: 2, height: 2 },
		data: new ArrayBuffer(BYTES),
		color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'full', chromaLocation: 'unspecified' },
		fields: 'progressive',
		pts: rational(index),
		duration: rational(1),
		index,
	};
}

function readerOver(frames: number, rest: Partial<SourceReaderOptions> = {}) {
	const log = { ranges: [] as FrameRange[], decoded: [] as number[], open: 0 };
	async function* open(range: FrameRange): AsyncGenerator<PlanarFrame> {
		log.ranges.push(range);
		log.open++;
		try {
			for (let i = range.start; i < range.end; i++) {
				await Promise.resolve();
				log.decoded.push(i);
				yield frameAt(i);
			}
		} finally {
			log.open--;
		}
	}
	return { log, reader: new SourceReader({ open, frames, budget: 3 * BYTES, readThrough: 4, ...rest }) };
}

describe('source reader', () => {
	it('reads forward through one stream, and backward within its window', async () => {
		const { log, reader } = readerOver(20);
		for (const index of [0, 1, 2, 1, 0, 3, 1, 4]) expect((await reader.frame(index, NEVER)).index).toBe(index);
		expect(reader.opened).toBe(1);
		expect(log.decoded).toEqual([0, 1, 2, 3, 4]);
		await reader.close();
		expect(log.open).toBe(0);
	});

	it('reads through a short gap and jumps over a long one', async () => {
		const { log, reader } = readerOver(100);
		await reader.frame(0, NEVER);
		await reader.frame(4, NEVER);
		expect(log.ranges).toHaveLength(1);
		await reader.frame(50, NEVER);
		expect(log.ranges.map((r) => r.start)).toEqual([0, 50]);
		await reader.frame(2, NEVER);
		expect(log.ranges.map((r) => r.start)).toEqual([0, 50, 2]);
		await reader.close();
	});

	it('never holds more than its budget, nor less than the frame asked for', async () => {
		const { log, reader } = readerOver(20, { budget: 1 });
		for (const index of [0, 1, 2]) await reader.frame(index, NEVER);
		await reader.frame(1, NEVER);
		expect(log.ranges).toHaveLength(2);
		await reader.close();
	});

	it('reads on beyond the end it was given where it is asked to', async () => {
		const { log, reader } = readerOver(20, { end: 6 });
		for (const index of [4, 5, 6, 7]) expect((await reader.frame(index, NEVER)).index).toBe(index);
		expect(log.ranges).toEqual([
			{ start: 4, end: 6 },
			{ start: 6, end: 20 },
		]);
		await reader.close();
	});

	it('serves concurrent requests one after another', async () => {
		const { log, reader } = readerOver(20);
		const frames = await Promise.all([0, 1, 2].map((i) => reader.frame(i, NEVER)));
		expect(frames.map((f) => f.index)).toEqual([0, 1, 2]);
		expect(log.ranges).toHaveLength(1);
		await reader.close();
	});

	it('stops at its end unless asked beyond it', async () => {
		const { log, reader } = readerOver(20, { end: 5 });
		await reader.frame(0, NEVER);
		expect(log.ranges).toEqual([{ start: 0, end: 5 }]);
		await reader.frame(6, NEVER);
		expect(log.ranges[1]).toEqual({ start: 6, end: 20 });
		await reader.close();
	});

	it('says which frame is missing, and goes on with others', async () => {
		const { reader } = readerOver(3, { frames: 10, open: (range) => short(range, 3) });
		await expect(reader.frame(5, NEVER)).rejects.toMatchObject({ code: 'input-truncated', details: { frame: 5 } });
		expect((await reader.frame(1, NEVER)).index).toBe(1);
		await reader.close();
	});

	it('aborts', async () => {
		const { reader } = readerOver(10);
		const controller = new AbortController();
		controller.abort();
		await expect(reader.frame(0, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
		expect((await reader.frame(0, NEVER)).index).toBe(0);
		await reader.close();
	});
});

/** A stream that ends before its range does. */
async function* short(range: FrameRange, end: number): AsyncGenerator<PlanarFrame> {
	for (let i = range.start; i < end; i++) {
		await Promise.resolve();
		yield frameAt(i);
	}
}
