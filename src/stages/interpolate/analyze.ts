/** What a shot's neighboring frames have in common, and how noisy they are at the size at which motion is estimated. */

import { shotNoise } from '../../analysis/noise/shot.ts';
import { flowSize } from '../../analysis/flow/flow.ts';
import type { Picture } from '../../contracts/compute.ts';
import type { ShotAccess, StageEnv } from '../../contracts/stage.ts';
import { using, usingAsync } from '../../gpu/op.ts';
import { absoluteDifference, add } from '../../gpu/ops/difference/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { stats } from '../../gpu/ops/stats/op.ts';
import type { PairStatistics } from './pairs.ts';

/** Artifact of `interpolate`. */
export interface ShotStatistics extends PairStatistics {
	/** Noise of the frames at the size of the motion estimation (σ in 8-bit codes ÷ 255); 0 where it was not asked for. */
	readonly sigma: number;
}

/** Longest side at which neighbors are compared. */
const COMPARE_SIDE = 256;
/** Cells in which a local change is looked for: a mouth that speaks moves, though the mean hardly does. */
const CELLS = { width: 16, height: 12 };
/** The strongest cell counts by this fraction. */
const LOCAL = 8;
/** A common gain outside of these is a change of the picture, not flicker. */
const FLICKER = { min: 0.8, max: 1.25 };

async function own(access: ShotAccess, index: number): Promise<Picture> {
	const { picture, sides } = await access.frame(index);
	for (const side of Object.values(sides)) side.release();
	return picture;
}

async function loadReduced(access: ShotAccess, env: StageEnv, index: number, side: number): Promise<Picture> {
	const picture = await own(access, index);
	const size = flowSize(picture, side);
	if (size.width === picture.width && size.height === picture.height) return picture;
	return using([picture], () => resize(env.compute, picture, size.width, size.height));
}

/** Mean absolute difference in 8-bit codes, a common gain removed; a change in one place counts as well. */
async function difference({ compute }: StageEnv, a: Picture, b: Picture): Promise<number> {
	const mean = async (p: Picture): Promise<number> =>
		(await stats(compute, p)).reduce((sum, channel) => sum + channel.mean, 0) / 3;
	const [before, after] = [await mean(a), await mean(b)];
	const ratio = after > 1e-4 ? before / after : 1;
	const gain = ratio > FLICKER.min && ratio < FLICKER.max ? ratio : 1;
	const leveled = add(compute, b, b, gain - 1);
	const change = using([leveled], () => absoluteDifference(compute, a, leveled));
	const cells = using([change], () => resize(compute, change, CELLS.width, CELLS.height));
	const channels = await usingAsync([cells], () => stats(compute, cells));
	const overall = channels.reduce((sum, channel) => sum + channel.mean, 0) / 3;
	const strongest = Math.max(...channels.map((channel) => channel.max));
	return Math.max(overall, strongest / LOCAL) * 255;
}

/** What {@link analyzeShot} is to find out. */
export interface Wanted {
	/** Compare neighbors: every frame of the shot is rendered for it. */
	readonly pairs: boolean;
	/** Longest side at which noise is measured; 0 for not at all. */
	readonly noiseSide: number;
}

/** Looks at a shot. Where nothing is wanted, nothing is rendered. */
export async function analyzeShot(access: ShotAccess, wanted: Wanted, env: StageEnv): Promise<ShotStatistics> {
	const differences = wanted.pairs ? await compareNeighbors(access, env) : [];
	const sigma = wanted.noiseSide === 0 ? 0 : (await noiseAt(access, wanted.noiseSide, env)).sigma;
	return { start: access.range.start, differences, sigma };
}

async function compareNeighbors(access: ShotAccess, env: StageEnv): Promise<number[]> {
	const { start, end } = access.range;
	const differences: number[] = [];
	let before = await loadReduced(access, env, start, COMPARE_SIDE);
	try {
		for (let index = start + 1; index < end; index++) {
			await env.breathe();
			const after = await loadReduced(access, env, index, COMPARE_SIDE);
			try {
				differences.push(await difference(env, before, after));
			} finally {
				before.release();
				before = after;
			}
			env.onProgress({ phase: 'analyze', done: index - start, total: end - start });
		}
	} finally {
		before.release();
	}
	return differences;
}

function noiseAt(access: ShotAccess, side: number, env: StageEnv): ReturnType<typeof shotNoise> {
	const picture = (index: number): Promise<Picture> => loadReduced(access, env, index, side);
	return shotNoise({ compute: env.compute, range: access.range, picture, breathe: env.breathe, pairs: 3 });
}
