/** Luma and chroma apart: an orthonormal opponent space, so that white noise of R′G′B′ stays white and equally strong. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import type { Matrix3 } from '../../color/matrix.ts';
import { f32, lineGroups, produce, u32 } from '../../op.ts';
import wgsl from './opponent.wgsl?raw';

/** Parameters of {@link matrixOp}. */
export interface MatrixParams {
	/** Pixels a channel. */
	readonly area: number;
	readonly matrix: Matrix3;
}

const SIDE = 64;
const [S3, S2, S6] = [1 / Math.sqrt(3), 1 / Math.sqrt(2), 1 / Math.sqrt(6)];

/** R′G′B′ → (r+g+b)/√3, (r−b)/√2, (r−2g+b)/√6. */
export const TO_OPPONENT: Matrix3 = [S3, S3, S3, S2, 0, -S2, S6, -2 * S6, S6];
/** The inverse, which is the transpose. */
export const FROM_OPPONENT: Matrix3 = [S3, S2, S6, S3, 0, -2 * S6, S3, -S2, S6];

/** Input: a 3-channel picture; output: the matrix applied to every pixel. */
export const matrixOp: Op<MatrixParams> = {
	id: 'ops/matrix',
	wgsl,
	uniforms: ({ area, matrix }) => [u32(area), u32(lineGroups(area, SIDE)[0] * SIDE), ...matrix.map(f32)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([input], [output], { area, matrix: m }) => {
		if (input === undefined || output === undefined) return;
		for (let i = 0; i < area; i++) {
			const a = input[i] as number;
			const b = input[area + i] as number;
			const c = input[2 * area + i] as number;
			output[i] = m[0] * a + m[1] * b + m[2] * c;
			output[area + i] = m[3] * a + m[4] * b + m[5] * c;
			output[2 * area + i] = m[6] * a + m[7] * b + m[8] * c;
		}
	},
};

/** A matrix on the three channels of every pixel. The caller owns the result. */
export function applyMatrix(compute: Compute, picture: Picture, matrix: Matrix3): Picture {
	return produce(compute, picture.width, picture.height, 3, (output) => {
		compute.run(matrixOp, [picture], [output], { area: picture.width * picture.height, matrix });
	});
}

/** R′G′B′ → luma and two chroma channels ({@link TO_OPPONENT}). The caller owns the result. */
export function toOpponent(compute: Compute, picture: Picture): Picture {
	return applyMatrix(compute, picture, TO_OPPONENT);
}

/** The inverse of {@link toOpponent}. The caller owns the result. */
export function fromOpponent(compute: Compute, picture: Picture): Picture {
	return applyMatrix(compute, picture, FROM_OPPONENT);
}
