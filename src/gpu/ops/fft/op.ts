/**
 * Two-dimensional Fourier transforms of pictures. A complex field is two channels, real and imaginary part; a picture with 2n
 * channels is n fields. Two real planes in one field are filtered together, as a real filter keeps them apart.
 */

import type { Block, Compute, Op, Picture } from '../../../contracts/compute.ts';
import { EmulsionError } from '../../../core/errors.ts';
import { f32, produce, u32, using } from '../../op.ts';
import wgsl from './fft.wgsl?raw';

/** Longest line: what 16 KiB of workgroup memory hold, which every device has. */
export const FFT_LONGEST = 2048;

/** Parameters of {@link fftOp}. */
export interface FftParams {
	readonly width: number;
	readonly height: number;
	/** Complex fields: half of the channels. */
	readonly fields: number;
	/** 0: along rows, 1: along columns. */
	readonly axis: 0 | 1;
	readonly inverse: boolean;
}

const lengthOf = ({ width, height, axis }: FftParams): number => (axis === 0 ? width : height);
const countOf = ({ width, height, axis }: FftParams): number => (axis === 0 ? height : width);
const linesOf = (params: FftParams): number => Math.max(1, Math.floor(FFT_LONGEST / lengthOf(params)));

/** exp(−2πik ÷ length) for k < length ÷ 2, real and imaginary part in turn, rounded from float64. */
export function twiddles(length: number): Float32Array<ArrayBuffer> {
	const values = new Float32Array(Math.max(2, length));
	for (let k = 0; k < length / 2; k++) {
		values[2 * k] = Math.cos((2 * Math.PI * k) / length);
		values[2 * k + 1] = -Math.sin((2 * Math.PI * k) / length);
	}
	return values;
}

/** One line in place of `from`, by way of `to`; returns the array that holds the answer. */
function transformLine(from: Float64Array, to: Float64Array, length: number, table: Float32Array, sign: number) {
	const half = length / 2;
	for (let span = 1; span < length; span *= 2) {
		const step = half / span;
		for (let block = 0; block < half; block += span) {
			for (let i = 0; i < span; i++) {
				const low = 2 * (block + i);
				const high = low + length;
				const [wr, wi] = [table[2 * i * step] as number, sign * (table[2 * i * step + 1] as number)];
				const [hr, hi] = [from[high] as number, from[high + 1] as number];
				const [br, bi] = [hr * wr - hi * wi, hr * wi + hi * wr];
				const target = 2 * (2 * block + i);
				to[target] = (from[low] as number) + br;
				to[target + 1] = (from[low + 1] as number) + bi;
				to[target + 2 * span] = (from[low] as number) - br;
				to[target + 2 * span + 1] = (from[low + 1] as number) - bi;
			}
		}
		[from, to] = [to, from];
	}
	return from;
}

function cpuFft(input: Float32Array, table: Float32Array, output: Float32Array, params: FftParams): void {
	const { width, height, fields, axis, inverse } = params;
	const area = width * height;
	const length = lengthOf(params);
	const [step, next] = axis === 0 ? [1, width] : [width, 1];
	const scale = inverse ? 1 / length : 1;
	const a = new Float64Array(2 * length);
	const b = new Float64Array(2 * length);
	for (let field = 0; field < fields; field++) {
		for (let line = 0; line < countOf(params); line++) {
			const start = 2 * field * area + line * next;
			for (let i = 0, p = start; i < length; i++, p += step) {
				a[2 * i] = input[p] as number;
				a[2 * i + 1] = input[p + area] as number;
			}
			const done = transformLine(a, b, length, table, inverse ? -1 : 1);
			for (let i = 0, p = start; i < length; i++, p += step) {
				output[p] = scale * (done[2 * i] as number);
				output[p + area] = scale * (done[2 * i + 1] as number);
			}
		}
	}
}

/** Inputs: fields, {@link twiddles} of the line's length; output: the fields transformed along one axis. The inverse divides by the length. */
export const fftOp: Op<FftParams> = {
	id: 'ops/fft',
	wgsl,
	uniforms: (p) => [
		...[p.width, p.height, lengthOf(p), linesOf(p), p.axis].map(u32),
		f32(p.inverse ? -1 : 1),
		f32(p.inverse ? 1 / lengthOf(p) : 1),
	],
	dispatch: (p) => [Math.ceil(countOf(p) / linesOf(p)), p.fields, 1],
	cpu: ([input, table], [output], params) => {
		if (input !== undefined && table !== undefined && output !== undefined) cpuFft(input, table, output, params);
	},
};

/** What transforms of one size share; {@link FftPlan.release} it. */
export interface FftPlan {
	/** From values to spectra (zero frequency first). The caller owns the result. */
	forward(fields: Picture): Picture;
	/** From spectra to values. The caller owns the result. */
	inverse(fields: Picture): Picture;
	release(): void;
}

const isPower = (n: number): boolean => n >= 2 && n <= FFT_LONGEST && (n & (n - 1)) === 0;

/** Prepares transforms of pictures of this size: sides are powers of two, 2…{@link FFT_LONGEST}; else `internal`. */
export function fftPlan(compute: Compute, width: number, height: number): FftPlan {
	if (!isPower(width) || !isPower(height)) {
		throw new EmulsionError(
			'internal',
			`A transform's sides are powers of two up to ${FFT_LONGEST}, got ${width}×${height}.`,
		);
	}
	const tables: [Block, Block] = [compute.upload(twiddles(width)), compute.upload(twiddles(height))];
	const along = (fields: Picture, axis: 0 | 1, inverse: boolean): Picture =>
		produce(compute, width, height, fields.channels, (output) => {
			const params = { width, height, fields: fields.channels / 2, axis, inverse };
			compute.run(fftOp, [fields, tables[axis]], [output], params);
		});
	const transform = (fields: Picture, inverse: boolean): Picture => {
		if (fields.width !== width || fields.height !== height || fields.channels % 2 !== 0) {
			const got = `${fields.width}×${fields.height}×${fields.channels}`;
			throw new EmulsionError(
				'internal',
				`A transform of ${width}×${height} needs pairs of planes of that size, got ${got}.`,
			);
		}
		const rows = along(fields, 0, inverse);
		return using([rows], () => along(rows, 1, inverse));
	};
	return {
		forward: (fields) => transform(fields, false),
		inverse: (fields) => transform(fields, true),
		release: () => tables.forEach((table) => table.release()),
	};
}
