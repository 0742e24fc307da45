/** Whole pictures between coded values and light. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import type { Transfer } from '../../core/color.ts';
import { f32, lineGroups, produce, u32 } from '../op.ts';
import { CINEON, fromLinear, toLinear, TRANSFER_IDS } from './transfer.ts';
import type { CineonScale } from './transfer.ts';
import shared from './transfer.wgsl?raw';
import kernel from './transfer-op.wgsl?raw';

/** Parameters of {@link transferOp}. */
export interface TransferParams {
	/** Number of values. */
	readonly count: number;
	readonly transfer: Transfer;
	readonly direction: 'toLinear' | 'fromLinear';
	readonly cineon: CineonScale;
}

const SIDE = 64;

/** `input` → `output`, value by value. */
export const transferOp: Op<TransferParams> = {
	id: 'color/transfer',
	wgsl: `${shared}\n${kernel}`,
	uniforms: ({ count, transfer, direction, cineon }) => [
		u32(count),
		u32(lineGroups(count, SIDE)[0] * SIDE),
		u32(TRANSFER_IDS[transfer]),
		u32(direction === 'fromLinear' ? 1 : 0),
		f32(cineon.black),
		f32(cineon.white),
		f32(cineon.density),
		f32(cineon.gamma),
	],
	dispatch: ({ count }) => lineGroups(count, SIDE),
	cpu: ([input], [output], { count, transfer, direction, cineon }) => {
		if (input === undefined || output === undefined) return;
		const map = direction === 'toLinear' ? toLinear : fromLinear;
		for (let i = 0; i < count; i++) output[i] = map(transfer, input[i] as number, cineon);
	},
};

/** A picture in linear light. The caller owns the result. */
export function linearize(
	compute: Compute,
	picture: Picture,
	transfer: Transfer,
	cineon: CineonScale = CINEON,
): Picture {
	return apply(compute, picture, { transfer, direction: 'toLinear', cineon });
}

/** A picture of light in coded values. The caller owns the result. */
export function delinearize(
	compute: Compute,
	picture: Picture,
	transfer: Transfer,
	cineon: CineonScale = CINEON,
): Picture {
	return apply(compute, picture, { transfer, direction: 'fromLinear', cineon });
}

function apply(compute: Compute, picture: Picture, params: Omit<TransferParams, 'count'>): Picture {
	return produce(compute, picture.width, picture.height, picture.channels, (output) => {
		compute.run(transferOp, [picture], [output], { ...params, count: picture.words });
	});
}
