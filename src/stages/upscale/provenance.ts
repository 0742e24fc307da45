/** Provenance at the new size: labels are never interpolated, the nearest one counts. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import type { Size } from '../../core/color.ts';
import { f32, groups, produce, u32 } from '../../gpu/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import wgsl from './provenance.wgsl?raw';

/** Parameters of {@link provenanceOp}. */
export interface ProvenanceParams {
	readonly inWidth: number;
	readonly inHeight: number;
	readonly width: number;
	readonly height: number;
	/** Least value of the result. */
	readonly level: number;
}

/** Input: a plane; output: its nearest values at another size, nowhere below `level`. */
export const provenanceOp: Op<ProvenanceParams> = {
	id: 'upscale/provenance',
	wgsl,
	uniforms: (p) => [...[p.inWidth, p.inHeight, p.width, p.height].map(u32), f32(p.level)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([input], [output], { inWidth, inHeight, width, height, level }) => {
		if (!input || !output) return;
		for (let y = 0, pixel = 0; y < height; y++) {
			const row = Math.floor(((2 * y + 1) * inHeight) / (2 * height)) * inWidth;
			for (let x = 0; x < width; x++, pixel++) {
				output[pixel] = Math.max(input[row + Math.floor(((2 * x + 1) * inWidth) / (2 * width))]!, level);
			}
		}
	},
};

/** The plane at another size, raised to `level`; `level` everywhere where there was none. The caller owns the result. */
export function provenanceAt(compute: Compute, input: Picture | undefined, size: Size, level: number): Picture {
	const { width, height } = size;
	if (!input) return filled(compute, width, height, 1, level);
	return produce(compute, width, height, 1, (output) => {
		const params = { inWidth: input.width, inHeight: input.height, width, height, level };
		compute.run(provenanceOp, [input], [output], params);
	});
}
