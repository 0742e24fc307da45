import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { everyVisible, LONGEST_WAIT_MS } from './clock.ts';

describe('questions to a service', () => {
	let listeners: Record<string, () => void>;
	beforeEach(() => {
		vi.useFakeTimers();
		listeners = {};
		const target = {
			hidden: false,
			addEventListener: (type: string, heard: () => void) => (listeners[type] = heard),
			removeEventListener: (type: string) => delete listeners[type],
		};
		vi.stubGlobal('document', target);
		vi.stubGlobal('window', target);
	});
	afterEach(() => {
		vi.useRealTimers();
		vi.unstubAllGlobals();
	});

	it('come less often the longer it does not answer, and at once when the network is back', async () => {
		let offline = false;
		let asked = 0;
		const stop = everyVisible(
			4000,
			() => {
				asked++;
				return Promise.resolve();
			},
			() => offline,
		);
		const within = async (ms: number): Promise<number> => {
			const before = asked;
			await vi.advanceTimersByTimeAsync(ms);
			return asked - before;
		};
		await within(0);
		expect(asked).toBe(1);
		expect(await within(40_000)).toBe(10);
		offline = true;
		await within(4000);
		// Then after 8, 16, 30, 30, … seconds.
		expect(await within(7900)).toBe(0);
		expect(await within(200)).toBe(1);
		expect(await within(15_800)).toBe(0);
		expect(await within(200)).toBe(1);
		expect(await within(10 * LONGEST_WAIT_MS)).toBe(10);
		offline = false;
		listeners['online']!();
		await within(0);
		expect(await within(8000)).toBe(2);
		stop();
		expect(await within(60_000)).toBe(0);
		expect(listeners).toEqual({});
	});
});
