import { describe, expect, it } from 'vitest';
import type { ExportProgress, ExportRequest, PlanRequest } from '../../contracts/workers.ts';
import type { ClipProgress, ClipSettings } from '../../contracts/review.ts';
import { EmulsionError } from '../../core/errors.ts';
import { renderClips, stillFrames, type VersionToRender } from './render.ts';
import { type ClipEngine, type ClipPlace, isReviewFile, reviewFile } from './work.ts';

describe('stills', () => {
	it.each([
		[10, 0, []],
		[10, 1, [4]],
		[10, 2, [0, 9]],
		[10, 3, [0, 5, 9]],
		[2, 3, [0, 1]],
		[1, 3, [0]],
		[1000, 99, 16],
	])('of %i frames, %i of them', (frames, count, wanted) => {
		const found = stillFrames(frames, count);
		if (typeof wanted === 'number') expect(found).toHaveLength(wanted);
		else expect(found).toEqual(wanted);
		expect(new Set(found).size).toBe(found.length);
	});
});

it('files of a review are told from exports', () => {
	expect(isReviewFile(reviewFile(0, 1, '.mp4'))).toBe(true);
	expect(isReviewFile('review-0-1.mp4')).toBe(false);
});

/** Plans and exports of a film of 24 frames, by the numbers that a request has; what is asked for beyond is an error. */
function counting(change: Partial<Record<string, number>> = {}): { engine: ClipEngine; exported: ExportRequest[] } {
	const exported: ExportRequest[] = [];
	const refused = (): never => {
		throw new TypeError('not asked for here');
	};
	const engine = {
		plan: (request: PlanRequest) => {
			const frames = (request.range!.end - request.range!.start) * (change[request.source] ?? 1);
			const one = { num: 1, den: 1 };
			const timeline = { frames: new Array(frames).fill({}), timebase: one };
			return Promise.resolve({
				timeline,
				size: { width: 63, height: 48 },
				sampleAspect: one,
				rate: { num: 24, den: 1 },
			});
		},
		export: (request: ExportRequest, onProgress: (progress: ExportProgress) => void) => {
			exported.push(request);
			const frames = request.range!.end - request.range!.start;
			const rest = { framesPerSecond: 1, remainingSeconds: null };
			for (const [phase, done] of [
				['plan', 0],
				['render', 3],
				['render', frames],
				['mux', 0],
				['verify', 1],
			] as const) {
				onProgress({ phase, done, total: frames, ...rest });
			}
			return Promise.resolve({ output: { frames, bytes: 7 } });
		},
		open: () => Promise.resolve({ id: 'clip' }),
		close: () => Promise.resolve(),
		still: refused,
		measure: refused,
		codecLoss: refused,
		cropPlace: refused,
	} as unknown as ClipEngine;
	return { engine, exported };
}

const place: ClipPlace = {
	target: () => ({ kind: 'opfs', folder: 'x' }),
	written: () => undefined,
	read: () => Promise.resolve(new Blob()),
	put: () => Promise.resolve(),
};
const settings: ClipSettings = { codec: 'h264', stills: 0, cropFrames: 0, judge: false };

function version(label: string): VersionToRender {
	const info = { frames: new Array(24).fill({}), rotation: 0, rate: { num: 24, den: 1 }, format: { depth: 8 } };
	const recipe = { version: 1, stages: [] };
	return { label, request: { source: label, info, shots: [], recipe } as unknown as VersionToRender['request'] };
}

const never = new AbortController().signal;
const SHOTS = [
	{ start: 0, end: 10 },
	{ start: 10, end: 24 },
];

describe('rendering', () => {
	it('asks for clips without sound, timecode or name, and its progress never goes back', async () => {
		const { engine, exported } = counting();
		const seen: ClipProgress[] = [];
		const versions = [version('A'), version('B')];
		const shots = await renderClips(engine, versions, SHOTS, settings, place, (p) => seen.push(p), never);
		expect(exported).toHaveLength(4);
		for (const request of exported) {
			expect(request).toMatchObject({ audio: 'none', timecode: 'none', keyframes: 12, depth: 8, chroma: '420' });
			expect(JSON.stringify([request.name, request.target])).not.toMatch(/[AB]"/);
		}
		const counted = seen.filter(({ phase }) => phase !== 'check').map(({ done }) => done);
		expect(counted).toEqual([...counted].sort((a, b) => a - b));
		expect(seen.at(-1)).toMatchObject({ done: 48, total: 48 });
		// Odd sides are padded by the encoder: such clips are not compared.
		expect(shots.map(({ size, frames, clips }) => [size, frames, clips.map((c) => c.grainKept)])).toEqual([
			[{ width: 64, height: 48 }, 10, [null, null]],
			[{ width: 64, height: 48 }, 14, [null, null]],
		]);
	});

	it('renders nothing where one version has other frames', async () => {
		const { engine, exported } = counting({ B: 2 });
		const run = renderClips(engine, [version('A'), version('B')], SHOTS, settings, place, () => undefined, never);
		const error = await run.then(
			() => undefined,
			(thrown: unknown) => thrown,
		);
		expect(error).toBeInstanceOf(EmulsionError);
		expect((error as EmulsionError).said).toMatchObject({
			code: 'making-frames',
			values: { version: 'B', frame: 0, got: 20, want: 10 },
		});
		expect(exported).toEqual([]);
	});
});
