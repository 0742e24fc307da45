import { expect, it } from 'vitest';
import { liveCoreWorkers, runCore } from '../../src/media/ffmpeg/core/core.ts';

it('runs many short jobs in a row: address space comes back later than the next start', async () => {
	for (let i = 0; i < 80; i++) {
		const { code } = await runCore({ tool: 'ffmpeg', args: ['-hide_banner', '-version'], inputs: [], outputs: [] });
		expect(code).toBe(0);
	}
	expect(liveCoreWorkers()).toBe(0);
});
