/** A range of a film: the frames that the whole film’s export has, at the cost of the range’s own shots. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportFile } from '../../src/contracts/report.ts';
import { ffmpeg, Lab, nativeFrameMd5, type Scratch, scratch } from '../helpers/cli.ts';

/** Where the shots begin: a long one, the one of interest, and a long one again. */
const CUTS = [300, 330];
const FRAMES = 440;
let lab: Lab;
let tmp: Scratch;
let film: string;

beforeAll(async () => {
	tmp = scratch();
	film = tmp.path('film.mkv');
	const shot = (source: string, frames: number): string =>
		`${source},trim=end_frame=${frames},format=yuv420p,noise=alls=16:allf=t,setpts=PTS-STARTPTS`;
	const graph = [
		`${shot('testsrc2=size=64x48:rate=24', CUTS[0]!)}[a]`,
		`${shot('testsrc=size=64x48:rate=24', CUTS[1]! - CUTS[0]!)}[b]`,
		`${shot('smptehdbars=size=64x48:rate=24', FRAMES - CUTS[1]!)}[c]`,
		'[a][b][c]concat=n=3[v]',
	].join(';');
	ffmpeg('-filter_complex', graph, '-map', '[v]', '-c:v', 'ffv1', '-level', '3', '-g', '24', film);
	lab = await Lab.open();
});
afterAll(async () => {
	await lab.close();
	tmp.remove();
});

interface Run {
	readonly report: ReportFile;
	readonly md5: string[];
	readonly notices: string[];
}

let runs = 0;
async function restore(recipe: unknown, ...args: string[]): Promise<Run> {
	const output = tmp.path(`out-${runs++}.mkv`);
	const notices: string[] = [];
	const report = await lab.run([film, '-o', output, ...args], {
		recipe,
		onEvent: (event) => {
			if (event.type === 'notice') notices.push(event.message);
		},
	});
	return { report, md5: nativeFrameMd5(output), notices };
}

/** Frames that were looked at for shots, by the notice; undefined where all of the film was. */
function looked({ notices }: Run): { frames: number; known: string } | undefined {
	const match = /looked for shots in (\d+) of 440 frames: those of the range are (\d+:\d+)/.exec(notices.join('\n'));
	return match ? { frames: Number(match[1]), known: match[2] ?? '' } : undefined;
}

// The strength is estimated from the whole shot, and neighbors outside of the range are fused.
const degrain = (scope: unknown) => ({ version: 1, stages: [{ stage: 'degrain', scope }] });

describe('a range', () => {
	it('has the frames of the whole export, in one part or in two, and looks for shots only around itself', async () => {
		const scope = { range: { start: 310, end: 316 } };
		const whole = await restore(degrain(scope));
		expect(looked(whole)).toBeUndefined();
		expect(whole.md5).toHaveLength(FRAMES);
		expect(whole.report.provenance.copiedFrames).toBe(FRAMES - 6);
		const expected = whole.md5.slice(308, 318);
		const part = await restore(degrain(scope), '--range', '308:318');
		expect(part.md5).toEqual(expected);
		const [first, second] = [
			await restore(degrain(scope), '--range', '308:313'),
			await restore(degrain(scope), '--range', '313:318'),
		];
		expect([...first.md5, ...second.md5]).toEqual(expected);
		for (const run of [part, first, second]) {
			expect(looked(run)?.known).toBe('300:330');
			// 240 frames before the range, its own shot to the cut after it, and a few to judge that.
			expect(looked(run)?.frames).toBeLessThanOrEqual(240 + 22 + 20);
			expect(run.notices.join('\n')).toContain('1 shot (cuts at 300)');
		}
	});

	it('looks at all of the film where the recipe names shots by number', async () => {
		const run = await restore(degrain({ shots: [1] }), '--range', '299:301');
		expect(looked(run)).toBeUndefined();
		expect(run.notices.join('\n')).toContain('3 shots (cuts at 300, 330)');
		const source = nativeFrameMd5(film).slice(299, 301);
		expect(run.md5[0]).toBe(source[0]);
		expect(run.md5[1]).not.toBe(source[1]);
	});
});
