/** Code points of ITU-T H.273 for the tags that stills do not carry; the others are in `scans/tags.ts`. */

import type { Matrix } from '../../core/color.ts';

const MATRIX: Readonly<Record<Matrix, number>> = {
	rgb: 0,
	bt709: 1,
	unknown: 2,
	fcc: 4,
	bt470bg: 5,
	smpte170m: 6,
	smpte240m: 7,
	ycgco: 8,
	bt2020nc: 9,
};

/** H.273 code of matrix coefficients. */
export function matrixCode(matrix: Matrix): number {
	return MATRIX[matrix];
}
