/** Target sizes. */

import type { Size } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';

/** The parameters that decide the size. */
export interface SizeParams {
	readonly factor: number;
	readonly size: string;
}

const NAMED: Readonly<Record<string, Size>> = {
	'1080p': { width: 1920, height: 1080 },
	'2160p': { width: 3840, height: 2160 },
	'4k': { width: 3840, height: 2160 },
	uhd: { width: 3840, height: 2160 },
};
/** Longest side that an output may have: what codecs and GPUs can hold. */
export const LONGEST_SIDE = 16384;

function box(size: string): Size {
	const named = NAMED[size];
	if (named) return named;
	const [width = 0, height = 0] = size.split('x').map(Number);
	if (width >= 2 && height >= 2 && width <= LONGEST_SIDE && height <= LONGEST_SIDE) return { width, height };
	throw new EmulsionError(
		'recipe-invalid',
		phrase('expected', { path: 'size', expected: phrase('kind-size', { max: LONGEST_SIDE }), got: `"${size}"` }),
	);
}

/** The nearest even number that fits, at least 2. */
function even(value: number, most: number): number {
	return Math.max(2, Math.min(2 * Math.round(value / 2), 2 * Math.floor(most / 2)));
}

/**
 * The output's size: a multiple of the input's, or the largest even size of the input's shape that fits into the target.
 * Throws `recipe-invalid` for a target that no picture fits into or that is too large.
 */
export function outputSize(input: Size, { factor, size }: SizeParams): Size {
	if (size === '') {
		const result = { width: input.width * factor, height: input.height * factor };
		if (Math.max(result.width, result.height) <= LONGEST_SIDE) return result;
		throw new EmulsionError(
			'recipe-invalid',
			phrase('too-large', { factor, width: result.width, height: result.height, max: LONGEST_SIDE }),
		);
	}
	const target = box(size);
	const scale = Math.min(target.width / input.width, target.height / input.height);
	return { width: even(input.width * scale, target.width), height: even(input.height * scale, target.height) };
}
