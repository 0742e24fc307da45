import { afterEach, describe, expect, it } from 'vitest';
import type { PlanarFrame } from '../contracts/frames.ts';
import { EmulsionError } from '../core/errors.ts';
import { rational } from '../core/rational.ts';
import { serve, wrapPort } from './bridge.ts';
import { receiveFrames, sendFrames } from './frame-port.ts';
import { watchRuns, reportRuns } from './watch.ts';

const ports: MessagePort[] = [];
function channel(): MessageChannel {
	const made = new MessageChannel();
	ports.push(made.port1, made.port2);
	return made;
}
afterEach(() => {
	for (const port of ports.splice(0)) port.close();
});

function frameAt(index: number): PlanarFrame {
	return {
		format: { chroma: 'gray', depth: 8, sample: 'u8', alpha: false },
		size: { width: 2, height: 1 },
		data: new Uint8Array([index, index + 1]).buffer,
		color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'full', chromaLocation: 'unspecified' },
		fields: 'progressive',
		pts: rational(index, 24),
		duration: rational(1, 24),
		index,
	};
}

/** A producer that remembers what it made and whether it was ended. */
function producer(count: number, fail?: number) {
	const state = { made: 0, ended: false, frames: [] as PlanarFrame[] };
	async function* frames(): AsyncGenerator<PlanarFrame> {
		try {
			for (let i = 0; i < count; i++) {
				if (i === fail) throw new EmulsionError('input-truncated', 'The file ends here.', { frame: i });
				const frame = frameAt(i);
				state.frames.push(frame);
				state.made++;
				yield frame;
			}
		} finally {
			state.ended = true;
		}
	}
	return { state, stream: frames() };
}

const pause = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));

describe('frame port', () => {
	it('carries frames in order and transfers their buffers', async () => {
		const { port1, port2 } = channel();
		const { state, stream } = producer(10);
		const sending = sendFrames(stream, port1);
		const seen: number[] = [];
		for await (const frame of receiveFrames(port2, { credits: 3 })) {
			expect(new Uint8Array(frame.data)).toEqual(new Uint8Array([frame.index, frame.index + 1]));
			seen.push(frame.index);
		}
		await sending;
		expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
		expect(state.frames.every((f) => f.data.byteLength === 0)).toBe(true);
	});

	it('gives buffers back when the next frame is asked for, except those that were transferred on', async () => {
		const { port1, port2 } = channel();
		const back: number[][] = [];
		const sending = sendFrames(producer(4).stream, port1, undefined, (data) => back.push([...new Uint8Array(data)]));
		for await (const frame of receiveFrames(port2, { credits: 1, recycle: true })) {
			if (frame.index === 2) structuredClone(frame.data, { transfer: [frame.data] });
		}
		await sending;
		expect(back).toEqual([
			[0, 1],
			[1, 2],
			[3, 4],
		]);
	});

	it('takes buffers back when the consumer says so, to the stream itself', async () => {
		const { port1, port2 } = channel();
		const back: number[] = [];
		const { stream } = producer(4);
		const sending = sendFrames(
			Object.assign(stream, { recycle: (data: ArrayBuffer) => back.push(new Uint8Array(data)[0]!) }),
			port1,
		);
		const frames = receiveFrames(port2, { credits: 1 });
		const kept: ArrayBuffer[] = [];
		for await (const frame of frames) {
			kept.push(frame.data);
			if (kept.length === 3) frames.recycle(kept[0]!);
		}
		await sending;
		expect(back).toEqual([0]);
		expect(kept.map((data) => data.byteLength)).toEqual([0, 2, 2, 2]);
		// After the end there is nobody to take it; nothing happens.
		frames.recycle(kept[1]!);
	});

	it('makes no more frames than there are credits', async () => {
		const { port1, port2 } = channel();
		const { state, stream } = producer(100);
		const sending = sendFrames(stream, port1);
		const frames = receiveFrames(port2, { credits: 3 });
		await frames.next();
		await pause();
		// One is with the consumer, three may be on their way or asked for.
		expect(state.made).toBeLessThanOrEqual(4);
		await frames.return(undefined);
		await sending;
		expect(state.ended).toBe(true);
	});

	it('passes the producer’s error on, typed', async () => {
		const { port1, port2 } = channel();
		const { stream } = producer(10, 4);
		const sending = sendFrames(stream, port1);
		// Looked at below; until then it must not count as unhandled.
		sending.catch(() => undefined);
		const seen: number[] = [];
		const reading = (async () => {
			for await (const frame of receiveFrames(port2)) seen.push(frame.index);
		})();
		await expect(reading).rejects.toMatchObject({ code: 'input-truncated', details: { frame: 4 } });
		await expect(sending).rejects.toMatchObject({ code: 'input-truncated' });
		expect(seen).toEqual([0, 1, 2, 3]);
	});

	it('ends both sides when the consumer aborts', async () => {
		const { port1, port2 } = channel();
		const { state, stream } = producer(100);
		const sending = sendFrames(stream, port1);
		const controller = new AbortController();
		const frames = receiveFrames(port2, { signal: controller.signal });
		await frames.next();
		controller.abort();
		await expect(frames.next()).rejects.toMatchObject({ code: 'aborted' });
		await sending;
		expect(state.ended).toBe(true);
	});

	it('does not wait for ever for a producer that died', async () => {
		const { port2 } = channel();
		const died = Promise.reject(new EmulsionError('worker-crashed', 'gone'));
		await expect(receiveFrames(port2, { producer: died }).next()).rejects.toMatchObject({ code: 'worker-crashed' });
	});
});

interface TestApi {
	add(a: number, b: number): number;
	fail(): void;
	wait(signal: AbortSignal): Promise<string>;
	count(to: number, onProgress: (done: number, total: number) => void): Promise<number>;
	never(): Promise<void>;
	echo(port: MessagePort): Promise<void>;
}

const implementation: TestApi = {
	add: (a, b) => a + b,
	fail() {
		const cause = new EmulsionError('device-lost', 'inner', { retryable: true });
		throw new EmulsionError('internal', 'outer', { stage: 'degrain-0', frame: 7, cause });
	},
	wait: (signal) =>
		new Promise((resolve, reject) => {
			if (signal.aborted) reject(new EmulsionError('aborted', 'at once'));
			signal.addEventListener('abort', () => resolve('told'));
		}),
	count: async (to, onProgress) => {
		for (let i = 1; i <= to; i++) onProgress(i, to);
		await pause(1);
		return to;
	},
	never: () => new Promise(() => undefined),
	echo: (port) => Promise.resolve(port.postMessage('hello')),
};

function bridge() {
	const { port1, port2 } = channel();
	serve(implementation, port1);
	return wrapPort<TestApi>(port2, 'test');
}

describe('bridge', () => {
	it('calls, and carries errors with all they hold', async () => {
		const { api } = bridge();
		expect(await api.add(2, 3)).toBe(5);
		const error = await api.fail().catch((e: unknown) => e);
		expect(error).toBeInstanceOf(EmulsionError);
		expect(error).toMatchObject({ code: 'internal', message: 'outer', details: { stage: 'degrain-0', frame: 7 } });
		expect((error as EmulsionError).details.cause).toMatchObject({ code: 'device-lost', retryable: true });
	});

	it('carries an abort during a call and one that came before', async () => {
		const { api } = bridge();
		const controller = new AbortController();
		const waiting = api.wait(controller.signal);
		await pause();
		controller.abort();
		expect(await waiting).toBe('told');
		await expect(api.wait(controller.signal)).rejects.toMatchObject({ code: 'aborted' });
	});

	it('takes its listener off the signal when the call has settled', async () => {
		const { api } = bridge();
		const controller = new AbortController();
		let listeners = 0;
		const { signal } = controller;
		const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
		signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
		signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
		for (let i = 0; i < 5; i++) await (api as unknown as { add(...a: unknown[]): Promise<number> }).add(i, 1, signal);
		expect(listeners).toBe(0);
	});

	it('reports progress in order', async () => {
		const { api } = bridge();
		const seen: number[] = [];
		expect(await api.count(5, (done) => seen.push(done))).toBe(5);
		await pause();
		expect(seen).toEqual([1, 2, 3, 4, 5]);
	});

	it('transfers ports', async () => {
		const { api } = bridge();
		const { port1, port2 } = channel();
		const heard = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
		await api.echo(port2);
		expect(await heard).toBe('hello');
	});

	it('rejects what is pending when the connection closes, and everything after', async () => {
		const made = bridge();
		const pending = made.api.never();
		made.close();
		await expect(pending).rejects.toMatchObject({ code: 'worker-crashed', retryable: true });
		await expect(made.api.add(1, 2)).rejects.toMatchObject({ code: 'worker-crashed' });
	});
});

describe('watch', () => {
	it('tells of a run past its allowance, and of none that ended in time', async () => {
		const { port1, port2 } = channel();
		const overdue: string[] = [];
		const stop = watchRuns(port1, (error) => overdue.push(error.code));
		const report = reportRuns(port2);
		report({ what: 'Model a', deadline: performance.now() + 30 });
		await pause(5);
		report(undefined);
		await pause(60);
		expect(overdue).toEqual([]);
		report({ what: 'Model a', deadline: performance.now() + 10 });
		await pause(60);
		expect(overdue).toEqual(['timeout']);
		stop();
	});
});
