/** Small helpers that every op uses. */

import type { Block, Compute, Picture, UniformValue } from '../contracts/compute.ts';
import { EmulsionError } from '../core/errors.ts';

/** Side of the square workgroups of picture kernels: `@workgroup_size(8, 8)`. */
const SIDE = 8;

/** A float scalar of a uniform block. */
export const f32 = (value: number): UniformValue => ({ f32: value });
/** An unsigned scalar of a uniform block. */
export const u32 = (value: number): UniformValue => ({ u32: value });
/** A signed scalar of a uniform block. */
export const i32 = (value: number): UniformValue => ({ i32: value });

/** Workgroups of a kernel with `@workgroup_size(8, 8)` and one z layer a channel. */
export function groups(width: number, height: number, channels = 1): readonly [number, number, number] {
	return [Math.ceil(width / SIDE), Math.ceil(height / SIDE), channels];
}

/** Workgroups along one long line of `count` items, folded into x and y: a dimension holds at most 65535. */
export function lineGroups(count: number, groupSize: number): readonly [number, number, number] {
	const total = Math.max(1, Math.ceil(count / groupSize));
	const x = Math.min(total, 32768);
	return [x, Math.ceil(total / x), 1];
}

/** Clamps to lo…hi. */
export function clamp(value: number, lo: number, hi: number): number {
	return value < lo ? lo : value > hi ? hi : value;
}

/** Throws `internal` unless all pictures have the size of the first. */
export function sameSize(op: string, ...pictures: readonly Picture[]): void {
	const [first] = pictures;
	for (const p of pictures) {
		if (first !== undefined && (p.width !== first.width || p.height !== first.height)) {
			throw new EmulsionError(
				'internal',
				`${op}: sizes differ: ${first.width}×${first.height} and ${p.width}×${p.height}.`,
			);
		}
	}
}

/** Makes a picture, fills it by `work`, and releases it again when that throws. */
export function produce(
	compute: Compute,
	width: number,
	height: number,
	channels: number,
	work: (output: Picture) => void,
): Picture {
	const output = compute.picture(width, height, channels);
	try {
		work(output);
		return output;
	} catch (error) {
		output.release();
		throw error;
	}
}

/** Runs `work` with temporary blocks and releases them whatever happens. */
export function using<T>(blocks: readonly Block[], work: () => T): T {
	try {
		return work();
	} finally {
		for (const block of blocks) block.release();
	}
}

/** Like {@link using} for asynchronous work. */
export async function usingAsync<T>(blocks: readonly Block[], work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} finally {
		for (const block of blocks) block.release();
	}
}
