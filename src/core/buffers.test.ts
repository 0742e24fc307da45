import { describe, expect, it } from 'vitest';
import { isZero } from './buffers.ts';

describe('isZero', () => {
	it('looks at every byte, wherever the view begins and ends', () => {
		const bytes = new Uint8Array(64);
		for (let from = 0; from < 9; from++) {
			for (let to = from; to < 24; to++) {
				expect(isZero(bytes.subarray(from, to))).toBe(true);
				for (let at = 0; at < 24; at++) {
					bytes[at] = 1;
					expect(isZero(bytes.subarray(from, to)), `${at} in ${from}…${to}`).toBe(at < from || at >= to);
					bytes[at] = 0;
				}
			}
		}
		expect(isZero(new Uint8Array())).toBe(true);
	});
});
