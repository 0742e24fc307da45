/** Regions by mattes, through the terminal: a stage acts where its matte is white and nowhere else. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulsionError, exitCode } from '../../src/core/errors.ts';
import { ffmpeg, Lab, nativePlanes, type Scratch, scratch } from '../helpers/cli.ts';

const [WIDTH, HEIGHT, FRAMES] = [64, 48, 6];
const AREA = WIDTH * HEIGHT;
let lab: Lab;
let tmp: Scratch;
let film: string;
let source: Buffer;

beforeAll(async () => {
	tmp = scratch();
	film = tmp.path('film.mkv');
	const picture = `testsrc2=size=${WIDTH}x${HEIGHT}:rate=24,trim=end_frame=${FRAMES},format=gbrp,noise=alls=25:allf=t`;
	ffmpeg('-f', 'lavfi', '-i', picture, '-c:v', 'ffv1', '-level', '3', film);
	source = nativePlanes(film, 'gbrp');
	lab = await Lab.open();
});
afterAll(async () => {
	await lab.close();
	tmp.remove();
});

/** A matte from ffmpeg's `geq`: luma as a function of X, Y, W, H and frame N. */
function matte(
	name: string,
	luma: string,
	frames: number = FRAMES,
	size = `${WIDTH}x${HEIGHT}`,
	format = 'gray',
): string {
	const path = tmp.path(name);
	const picture = `color=black:size=${size}:rate=24,trim=end_frame=${frames},format=gray,geq=lum='${luma}',format=${format}`;
	ffmpeg('-f', 'lavfi', '-i', picture, ...(name.endsWith('.png') ? ['-frames:v', '1'] : ['-c:v', 'ffv1']), path);
	return path;
}

const degrain = (region: string) => ({ stage: 'degrain', region, params: { sigma: 25 } });
const recipeOf = (...stages: object[]) => ({ version: 1, stages });

/** Renders, and tells of each pixel of each frame whether it differs from the film. */
async function changed(name: string, recipe: object, mattes: readonly string[]) {
	const output = tmp.path(name);
	const argv = [film, '-o', output, ...mattes.flatMap((m) => ['--matte', m])];
	const report = await lab.run(argv, { recipe });
	const planes = nativePlanes(output, 'gbrp');
	expect(planes.length).toBe(source.length);
	const at = (frame: number, x: number, y: number): boolean =>
		[0, 1, 2].some((c) => {
			const i = (frame * 3 + c) * AREA + y * WIDTH + x;
			return planes[i] !== source[i];
		});
	const share = (frame: number, from: number, to: number): number => {
		let count = 0;
		for (let y = 0; y < HEIGHT; y++) for (let x = from; x < to; x++) count += at(frame, x, y) ? 1 : 0;
		return count / (HEIGHT * (to - from));
	};
	return { report, share, planes };
}

describe('regions', () => {
	it('a matte that moves: each frame is treated where its own matte is white, and is the film’s bit by bit elsewhere', async () => {
		const moving = matte('moving.mkv', '255*lt(X,8*(N+1))');
		const { report, share } = await changed('moving-out.mkv', recipeOf(degrain('left')), [`left=${moving}`]);
		for (let frame = 0; frame < FRAMES; frame++) {
			const edge = 8 * (frame + 1);
			expect(share(frame, 0, edge), `inside, frame ${frame}`).toBeGreaterThan(0.9);
			expect(share(frame, edge, WIDTH), `outside, frame ${frame}`).toBe(0);
		}
		// 8 + 16 + … + 48 columns: provenance is written where the matte reaches.
		expect(report.provenance).toMatchObject({ copiedFrames: 0, repaired: 168 / WIDTH });
		expect(report.mattes).toEqual([{ id: 'left', frames: FRAMES, fingerprint: expect.stringMatching(/./) as string }]);
	});

	it('inside and outside of one matte are two treatments of one picture', async () => {
		const half = matte('half.mkv', '255*lt(X,W/2)');
		const inside = await changed('inside.mkv', recipeOf(degrain('half')), [`half=${half}`]);
		const outside = await changed('outside.mkv', recipeOf(degrain('outside:half')), [`half=${half}`]);
		const whole = await changed('whole.mkv', recipeOf(degrain('all')), []);
		expect(inside.share(2, 32, WIDTH)).toBe(0);
		expect(outside.share(2, 0, 32)).toBe(0);
		const sides = [inside.planes, outside.planes];
		const joined = whole.planes.map((_v, i) => sides[i % WIDTH < 32 ? 0 : 1]![i]!);
		expect(Buffer.compare(joined, whole.planes)).toBe(0);
	});

	it('a still of half the size holds for the whole film; limited-range gray is read as its levels', async () => {
		const still = matte('still.png', '255*gte(X,W/2)', 1, `${WIDTH / 2}x${HEIGHT / 2}`);
		const { share } = await changed('still-out.mkv', recipeOf(degrain('right')), [`right=${still}`]);
		// ffmpeg turns full-range gray into limited-range luma here.
		const video = matte('video.mkv', '255*gte(X,W/2)', FRAMES, `${WIDTH}x${HEIGHT}`, 'yuv420p');
		const limited = await changed('limited-out.mkv', recipeOf(degrain('right')), [`right=${video}`]);
		for (const frame of [0, FRAMES - 1]) {
			expect(share(frame, 0, 30)).toBe(0);
			expect(share(frame, 34, WIDTH)).toBeGreaterThan(0.9);
			expect(limited.share(frame, 0, 30)).toBe(0);
			expect(limited.share(frame, 34, WIDTH)).toBeGreaterThan(0.9);
		}
	});

	it('a stage that enlarges comes after: the matte grows with the picture', async () => {
		const half = matte('grow.mkv', '255*lt(X,W/2)');
		const enlarge = { stage: 'upscale', params: { character: 'exact' } };
		const run = (name: string, ...stages: object[]) =>
			lab.run([film, '-o', tmp.path(name), '--matte', `half=${half}`], { recipe: recipeOf(...stages) });
		await run('plain-2x.mkv', enlarge);
		await run('treated-2x.mkv', enlarge, degrain('half'));
		const [plain, treated] = ['plain-2x.mkv', 'treated-2x.mkv'].map((name) => nativePlanes(tmp.path(name), 'gbrp'));
		const differs = (from: number, to: number): number => {
			let count = 0;
			for (let i = 0; i < AREA * 4; i++) {
				const x = i % (WIDTH * 2);
				if (x >= from && x < to && plain![i] !== treated![i]) count++;
			}
			return count;
		};
		expect(differs(0, WIDTH - 2)).toBeGreaterThan((AREA * 4) / 4);
		expect(differs(WIDTH + 2, WIDTH * 2)).toBe(0);
	});
});

describe('mattes that do not fit', () => {
	const fails = (mattes: readonly string[], region = 'face'): Promise<EmulsionError> =>
		lab
			.run([film, '-o', tmp.path('no.mkv'), ...mattes.flatMap((m) => ['--matte', m])], {
				recipe: recipeOf(degrain(region)),
			})
			.then(
				() => {
					throw new Error('was accepted');
				},
				(error: unknown) => error as EmulsionError,
			);

	it.each<[string, () => readonly string[], number, RegExp]>([
		['none at all', () => [], 4, /stages\[0\]\.region: expected "all" \(no matte is open\), got "face"/],
		['of another name', () => [`sky=${matte('sky.mkv', '255')}`], 4, /"all" or one of sky/],
		['shorter than the film', () => [`face=${matte('short.mkv', '255', 3)}`], 2, /has 3 frames; expected 6/],
		['of other proportions', () => [`face=${matte('square.mkv', '255', FRAMES, '64x64')}`], 2, /64×64.*64×48/],
		['that is no picture', () => [`face=${tmp.json('x.json', {})}`], 3, /--matte face: /],
		['that is not there', () => ['face=/nowhere/matte.mkv'], 3, /no such file/],
		['without an id', () => ['/nowhere/matte.mkv'], 2, /--matte: expected ID=PATH/],
		['given twice', () => [`a=${film}`, `a=${film}`], 2, /a is given twice/],
	])('%s', async (_what, mattes, code, message) => {
		const error = await fails(mattes());
		expect(error.message).toMatch(message);
		expect(exitCode(error)).toBe(code);
		expect(tmp.names().filter((name) => name.startsWith('no.mkv'))).toEqual([]);
	});
});
