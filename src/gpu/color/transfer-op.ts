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

/** Table range and size of the CPU twin: powers are slow, and interpolating these curves is off by less than 2e-7. */
const TABLE = { min: -0.25, max: 1.25 };
const TABLE_SIZE = 32768;
/** Curves without a vertical tangent in that range. */
const TABULATED: Readonly<Record<TransferParams['direction'], ReadonlySet<Transfer>>> = {
	toLinear: new Set<Transfer>([
		'bt709',
		'smpte170m',
		'bt2020-10',
		'bt2020-12',
		'unknown',
		'smpte240m',
		'srgb',
		'gamma22',
	]),
	fromLinear: new Set<Transfer>(['bt709', 'smpte170m', 'bt2020-10', 'bt2020-12', 'unknown', 'smpte240m', 'srgb']),
};

function tabulated(input: Float32Array, output: Float32Array, count: number, map: (v: number) => number): void {
	const { min, max } = TABLE;
	const step = (max - min) / TABLE_SIZE;
	const table = Float64Array.from({ length: TABLE_SIZE + 2 }, (_, i) => map(min + i * step));
	for (let i = 0; i < count; i++) {
		const v = input[i] as number;
		if (!(v >= min && v < max)) {
			output[i] = map(v);
			continue;
		}
		const place = (v - min) / step;
		const index = Math.floor(place);
		const low = table[index] as number;
		output[i] = low + (place - index) * ((table[index + 1] as number) - low);
	}
}

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
		const exact = direction === 'toLinear' ? toLinear : fromLinear;
		const map = (v: number): number => exact(transfer, v, cineon);
		if (TABULATED[direction].has(transfer) && count > TABLE_SIZE) tabulated(input, output, count, map);
		else for (let i = 0; i < count; i++) output[i] = map(input[i] as number);
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
