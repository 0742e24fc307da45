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

/** The index of the frame that is shown for an index. */
function see(reader: SourceReader, index: number, signal = NEVER): Promise<number> {
	return reader.use(index, signal, (frame) => frame.index);
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
		for (const index of [0, 1, 2, 1, 0, 3, 1, 4]) expect(await see(reader, index)).toBe(index);
		expect(reader.opened).toBe(1);
		expect(log.decoded).toEqual([0, 1, 2, 3, 4]);
		await reader.close();
		expect(log.open).toBe(0);
	});

	it('reads through a short gap and jumps over a long one', async () => {
		const { log, reader } = readerOver(100);
		await see(reader, 0);
		await see(reader, 4);
		expect(log.ranges).toHaveLength(1);
		await see(reader, 50);
		expect(log.ranges.map((r) => r.start)).toEqual([0, 50]);
		await see(reader, 2);
		expect(log.ranges.map((r) => r.start)).toEqual([0, 50, 2]);
		await reader.close();
	});

	it('never holds more than its budget, nor less than the frame asked for', async () => {
		const { log, reader } = readerOver(20, { budget: 1 });
		for (const index of [0, 1, 2]) await see(reader, index);
		await see(reader, 1);
		expect(log.ranges).toHaveLength(2);
		await reader.close();
	});

	it('reads on beyond the end it was given where it is asked to', async () => {
		const { log, reader } = readerOver(20, { end: 6 });
		for (const index of [4, 5, 6, 7]) expect(await see(reader, index)).toBe(index);
		expect(log.ranges).toEqual([
			{ start: 4, end: 6 },
			{ start: 6, end: 20 },
		]);
		await reader.close();
	});

	it('serves concurrent requests one after another', async () => {
		const { log, reader } = readerOver(20);
		const frames = await Promise.all([0, 1, 2].map((i) => see(reader, i)));
		expect(frames).toEqual([0, 1, 2]);
		expect(log.ranges).toHaveLength(1);
		await reader.close();
	});

	it('stops at its end unless asked beyond it', async () => {
		const { log, reader } = readerOver(20, { end: 5 });
		await see(reader, 0);
		expect(log.ranges).toEqual([{ start: 0, end: 5 }]);
		await see(reader, 6);
		expect(log.ranges[1]).toEqual({ start: 6, end: 20 });
		await reader.close();
	});

	it('says which frame is missing, and goes on with others', async () => {
		const { reader } = readerOver(3, { frames: 10, open: (range) => short(range, 3) });
		await expect(see(reader, 5)).rejects.toMatchObject({ code: 'input-truncated', details: { frame: 5 } });
		expect(await see(reader, 1)).toBe(1);
		await reader.close();
	});

	it('gives buffers back when frames have left the window and nobody looks at them', async () => {
		const back: number[] = [];
		const buffers = new Map<ArrayBuffer, number>();
		const { reader } = readerOver(0, {
			frames: 10,
			open(range) {
				const frames = short(range, 10, (frame) => buffers.set(frame.data, frame.index));
				return Object.assign(frames, { recycle: (data: ArrayBuffer) => back.push(buffers.get(data)!) });
			},
		});
		let done = (): void => undefined;
		await see(reader, 0);
		const looking = reader.use(1, NEVER, () => new Promise<void>((resolve) => (done = resolve)));
		for (const index of [2, 3, 4]) await see(reader, index);
		// Three fit. Frame 1 was dropped too, but somebody still looks at it.
		expect(back).toEqual([0]);
		done();
		await looking;
		expect(back).toEqual([0, 1]);
		// From 1 on once more; on the way to 4, the kept 3 is replaced by the new one.
		for (const index of [1, 3, 2, 4]) await see(reader, index);
		expect(back.slice(2)).toEqual([2, 4, 3, 1]);
		await reader.close();
	});

	it('is done with a frame when looking at it fails', async () => {
		const back: ArrayBuffer[] = [];
		const { reader } = readerOver(0, {
			frames: 10,
			budget: 1,
			open: (range) => Object.assign(short(range, 10), { recycle: (data: ArrayBuffer) => back.push(data) }),
		});
		await expect(reader.use(0, NEVER, () => Promise.reject(new Error('blind')))).rejects.toThrow('blind');
		await see(reader, 1);
		expect(back).toHaveLength(1);
		await reader.close();
	});

	it('aborts', async () => {
		const { reader } = readerOver(10);
		const controller = new AbortController();
		controller.abort();
		await expect(see(reader, 0, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
		expect(await see(reader, 0)).toBe(0);
		await reader.close();
	});
});

/** A stream that ends before its range does. */
async function* short(
	range: FrameRange,
	end: number,
	onFrame?: (frame: PlanarFrame) => void,
): AsyncGenerator<PlanarFrame> {
	for (let i = range.start; i < end; i++) {
		await Promise.resolve();
		const frame = frameAt(i);
		onFrame?.(frame);
		yield frame;
	}
}
