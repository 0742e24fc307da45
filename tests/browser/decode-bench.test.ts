/** The decode bench runs, and its figures are sane. (Whether they meet their targets is the bench's business: this machine may be busy.) */

import { expect, it } from 'vitest';
import { benchDecode } from '../bench/decode-bench.ts';
import { fixtureFile } from '../helpers/browser-files.ts';

it('measures both engines against bare decoding', async () => {
	const rates = await benchDecode(await fixtureFile('d-h264-640.mp4'), 1);
	expect(rates.frames).toBe(240);
	for (const rate of Object.values(rates)) expect(rate).toBeGreaterThan(0.1);
});
