/** The watchdog against a worker whose thread is really blocked. */

import { expect, it } from 'vitest';
import { wrapWorker } from '../../src/comms/bridge.ts';
import { watchRuns } from '../../src/comms/watch.ts';
import type { HangingApi } from './watch.worker.ts';

function start() {
	const worker = new Worker(new URL('./watch.worker.ts', import.meta.url), { type: 'module' });
	const bridge = wrapWorker<HangingApi>(worker, 'restore');
	const { port1, port2 } = new MessageChannel();
	const stop = watchRuns(port1, (error) => bridge.terminate(error));
	return { bridge, watch: () => bridge.api.watch(port2), stop };
}

it('ends a worker that blocks its thread, soon after the allowance, and all that waits on it hears why', async () => {
	const { bridge, watch, stop } = start();
	await watch();
	const started = performance.now();
	const hung = bridge.api.hang(400);
	const behind = bridge.api.work(10_000);
	await expect(hung).rejects.toMatchObject({ code: 'timeout', details: { retryable: true } });
	await expect(behind).rejects.toMatchObject({ code: 'timeout' });
	const took = performance.now() - started;
	expect(took).toBeGreaterThanOrEqual(400);
	expect(took).toBeLessThan(10_000);
	await expect(bridge.ended).resolves.toMatchObject({ code: 'timeout' });
	await expect(bridge.api.work(1000)).rejects.toMatchObject({ code: 'timeout' });
	stop();
});

it('leaves a worker alone whose run ended in time, however long ago', async () => {
	const { bridge, watch, stop } = start();
	await watch();
	expect(await bridge.api.work(100)).toBe('done');
	await new Promise((resolve) => setTimeout(resolve, 300));
	expect(await bridge.api.work(100)).toBe('done');
	stop();
	bridge.terminate();
});
