/** The decode bench runs, and its figures are sane. (Whether they meet their targets is the bench's business: this machine may be busy.) */

import { expect, it } from 'vitest';
import { decodeRates } from '../bench/page/media.ts';
import { fixtureFile } from '../helpers/browser-files.ts';

it('measures both engines against bare decoding', async () => {
	const file = await fixtureFile('d-h264-640.mp4');
	const noClock = () => Promise.resolve(null);
	const ffmpeg = await decodeRates(file, 'ffmpeg', 1, noClock);
	const webcodecs = await decodeRates(file, 'webcodecs', 1, noClock);
	for (const rates of [
		ffmpeg.ring,
		ffmpeg.ours,
		ffmpeg.oursFresh,
		ffmpeg.bare,
		webcodecs.ours,
		webcodecs.bareCopying,
	]) {
		expect(rates).toHaveLength(1);
		expect(rates![0]).toBeGreaterThan(0.1);
	}
	expect([ffmpeg.refused, webcodecs.refused]).toEqual([undefined, undefined]);
});
