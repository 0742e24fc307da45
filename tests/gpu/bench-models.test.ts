/** The measuring half of `npm run bench -- gpu`, on the software adapter that the bench itself refuses: it works, its figures mean nothing. */

import { expect, it } from 'vitest';
import { measureModels } from '../bench/page/gpu.ts';
import { makeGpu } from './kit.ts';

it('the GPU bench measures a model in both layouts, with its canary’s error', async () => {
	const compute = await makeGpu();
	const results = await measureModels(compute, [{ model: 'ffdnet', width: 32, height: 16 }], 2);
	expect(results.map((r) => [r.model, r.width, r.height, r.layout])).toEqual([
		['ffdnet', 32, 16, 'NCHW'],
		['ffdnet', 32, 16, 'NHWC'],
	]);
	for (const { seconds, canaryError } of results) {
		expect(seconds).toBeGreaterThan(0);
		expect(canaryError).toBeLessThan(1e-3);
	}
	expect(compute.live).toBe(0);
	compute.destroy();
});
