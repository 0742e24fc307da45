/** What a recipe file may leave out, and how far its stages reach. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';
import { ffmpeg, Lab, nativeFrameMd5, type Scratch, scratch } from '../helpers/cli.ts';

const FRAMES = 6;
let lab: Lab;
let tmp: Scratch;
let film: string;

beforeAll(async () => {
	tmp = scratch();
	film = tmp.path('film.mkv');
	const picture = `testsrc2=size=64x48:rate=24,trim=end_frame=${FRAMES},noise=alls=30:allf=t`;
	ffmpeg('-f', 'lavfi', '-i', picture, '-pix_fmt', 'yuv444p', '-c:v', 'ffv1', '-level', '3', film);
	lab = await Lab.open();
});
afterAll(async () => {
	await lab.close();
	tmp.remove();
});

it('a stage named without parameters estimates what it needs; the report names its model by the hash of the shipped file', async () => {
	const output = tmp.path('degrained.mkv');
	const recipe = tmp.json('degrain.json', { version: 1, stages: [{ stage: 'degrain' }] });
	const report = await lab.run([film, '-o', output, '--recipe', recipe]);
	const [before, after] = [nativeFrameMd5(film), nativeFrameMd5(output)];
	expect(after).toHaveLength(FRAMES);
	expect(after.filter((md5, i) => md5 === before[i])).toEqual([]);
	const { models } = JSON.parse(readFileSync(join(ROOT, 'public', 'models', 'models.json'), 'utf8')) as {
		models: { id: string; sha256: string }[];
	};
	const ffdnet = models.find(({ id }) => id === 'ffdnet');
	expect(report.models.find(({ id }) => id === 'ffdnet')).toMatchObject({
		sha256: ffdnet?.sha256,
		runs: expect.any(Number) as number,
	});
	const [time] = report.seconds.stages.filter(({ stage }) => stage === 'degrain');
	expect(time?.computeSeconds).toBeGreaterThan(0);
	expect(report.recipe).toMatchObject({ version: 1, stages: [{ stage: 'degrain', enabled: true, scope: 'all' }] });
});

it.each([
	['a range', { scope: { range: { start: 2, end: 4 } } }, [2, 3]],
	['a shot', { scope: { shots: [0] } }, [0, 1, 2, 3, 4, 5]],
	['a shot that is not there', { scope: { shots: [1] } }, []],
	['nothing (it is disabled)', { enabled: false }, []],
])('a stage that reaches %s leaves all other frames bit by bit', async (what, entry, touched) => {
	const output = tmp.path(`${what.replaceAll(/\W+/g, '-')}.mkv`);
	const recipe = { version: 1, stages: [{ stage: 'degrain', params: { sigma: 30 }, ...entry }] };
	const report = await lab.run([film, '-o', output], { recipe });
	const [before, after] = [nativeFrameMd5(film), nativeFrameMd5(output)];
	expect(after.flatMap((md5, i) => (md5 === before[i] ? [] : [i]))).toEqual(touched);
	expect(report.provenance.copiedFrames).toBe(FRAMES - touched.length);
});
