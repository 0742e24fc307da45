/** Packed source planes → working R′G′B′. */

import type { Block, Compute, Op, Picture } from '../../contracts/compute.ts';
import { frameBytes, planeLayouts } from '../../core/color.ts';
import type { ColorTags, PixelFormat, Size } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { clamp, f32, groups, produce, u32 } from '../op.ts';
import { codeMap } from './matrix.ts';
import type { Matrix3 } from './matrix.ts';
import { sitingOf, upTaps } from './siting.ts';
import type { AxisSiting, Siting } from './siting.ts';
import wgsl from './planes-to-rgb.wgsl?raw';

/** What the planes are. */
export interface PlanesParams {
	readonly format: PixelFormat;
	readonly size: Size;
	readonly tags: ColorTags;
}

/** Geometry of a packed frame, as both directions need it. */
export interface FrameGeometry {
	readonly chromaWidth: number;
	readonly chromaHeight: number;
	/** First sample of planes 1 and 2. */
	readonly offset1: number;
	readonly offset2: number;
	/** 0: u8, 1: u16, 2: f32. */
	readonly sample: number;
	/** Color planes: 1 or 3. */
	readonly planes: number;
	readonly siting: Siting;
}

/** See {@link FrameGeometry}. */
export function frameGeometry({ format, size, tags }: PlanesParams): FrameGeometry {
	const layouts = planeLayouts(format, size);
	const gray = format.chroma === 'gray';
	const one = gray ? undefined : layouts[1];
	return {
		chromaWidth: one?.width ?? 0,
		chromaHeight: one?.height ?? 0,
		offset1: one?.offset ?? 0,
		offset2: gray ? 0 : (layouts[2]?.offset ?? 0),
		sample: format.sample === 'u8' ? 0 : format.sample === 'u16' ? 1 : 2,
		planes: gray ? 1 : 3,
		siting: sitingOf(format.chroma, tags.chromaLocation),
	};
}

/** Columns divided by what a unit spans, so that codes can be multiplied directly. */
function scaledMatrix(params: PlanesParams): { m: Matrix3; zero: readonly [number, number, number] } {
	const map = codeMap(params.format, params.tags, params.size);
	const m = map.toRgb.map((value, index) => value / (map.span[index % 3] as number));
	return { m: m as unknown as Matrix3, zero: map.zero };
}

/** Views of the packed samples, whatever their type, over a 32-bit block. */
export function sampleView(block: Float32Array, sample: number): Uint8Array | Uint16Array | Float32Array {
	if (sample === 0) return new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
	if (sample === 1) return new Uint16Array(block.buffer, block.byteOffset, block.byteLength >> 1);
	return block;
}

interface AxisTaps {
	readonly indices: Int32Array;
	readonly weights: Float64Array;
}

/** Taps of a whole axis with clamped indices, four a pixel. */
function axisTaps(pixels: number, samples: number, axis: AxisSiting): AxisTaps {
	const indices = new Int32Array(pixels * 4);
	const weights = new Float64Array(pixels * 4);
	for (let p = 0; p < pixels; p++) {
		const tap = upTaps(p, pixels, axis);
		for (let k = 0; k < 4; k++) {
			indices[p * 4 + k] = clamp(tap.first + k, 0, samples - 1);
			weights[p * 4 + k] = tap.weights[k] as number;
		}
	}
	return { indices, weights };
}

/** Upsamples one row of one chroma plane: vertically into `column`, then horizontally into `row`. */
function chromaRow(
	samples: Uint8Array | Uint16Array | Float32Array,
	plane: { readonly offset: number; readonly width: number },
	y: number,
	vertical: AxisTaps,
	horizontal: AxisTaps,
	column: Float64Array,
	row: Float64Array,
): void {
	const { offset, width } = plane;
	column.fill(0);
	for (let k = 0; k < 4; k++) {
		const weight = vertical.weights[y * 4 + k] as number;
		if (weight === 0) continue;
		const start = offset + (vertical.indices[y * 4 + k] as number) * width;
		for (let x = 0; x < width; x++) column[x] = (column[x] as number) + weight * (samples[start + x] as number);
	}
	const { indices, weights } = horizontal;
	for (let x = 0, k = 0; x < row.length; x++, k += 4) {
		row[x] =
			(weights[k] as number) * (column[indices[k] as number] as number) +
			(weights[k + 1] as number) * (column[indices[k + 1] as number] as number) +
			(weights[k + 2] as number) * (column[indices[k + 2] as number] as number) +
			(weights[k + 3] as number) * (column[indices[k + 3] as number] as number);
	}
}

function cpuPlanesToRgb(input: Float32Array, output: Float32Array, params: PlanesParams): void {
	const { width, height } = params.size;
	const g = frameGeometry(params);
	const { m, zero } = scaledMatrix(params);
	const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = m;
	const [zero0, zero1, zero2] = zero;
	const samples = sampleView(input, g.sample);
	const area = width * height;
	const gray = g.planes === 1;
	const subsampled = g.siting.x.factor > 1 || g.siting.y.factor > 1;
	const vertical = axisTaps(height, Math.max(1, g.chromaHeight), g.siting.y);
	const horizontal = axisTaps(width, Math.max(1, g.chromaWidth), g.siting.x);
	const column = new Float64Array(Math.max(1, g.chromaWidth));
	const rows = [new Float64Array(width), new Float64Array(width)] as const;
	for (let y = 0; y < height; y++) {
		[g.offset1, g.offset2].forEach((offset, plane) => {
			const row = rows[plane] as Float64Array;
			if (gray) return;
			if (subsampled) {
				chromaRow(samples, { offset, width: g.chromaWidth }, y, vertical, horizontal, column, row);
			} else {
				for (let x = 0; x < width; x++) row[x] = samples[offset + y * width + x] as number;
			}
		});
		const [first, second] = rows;
		for (let x = 0, i = y * width; x < width; x++, i++) {
			const a = (samples[i] as number) - zero0;
			const b = gray ? 0 : (first[x] as number) - zero1;
			const c = gray ? 0 : (second[x] as number) - zero2;
			output[i] = m0 * a + m1 * b + m2 * c;
			output[area + i] = m3 * a + m4 * b + m5 * c;
			output[2 * area + i] = m6 * a + m7 * b + m8 * c;
		}
	}
}

/** Input: the packed planes; output: a 3-channel picture. */
export const planesToRgbOp: Op<PlanesParams> = {
	id: 'color/planes-to-rgb',
	wgsl,
	uniforms: (params) => {
		const g = frameGeometry(params);
		const { m, zero } = scaledMatrix(params);
		const { x, y } = g.siting;
		return [
			...[params.size.width, params.size.height, g.chromaWidth, g.chromaHeight, g.offset1, g.offset2].map(u32),
			...[g.sample, g.planes, x.factor, x.cosited ? 1 : 0, y.factor, y.cosited ? 1 : 0].map(u32),
			...m.map(f32),
			...zero.map(f32),
		];
	},
	dispatch: ({ size }) => groups(size.width, size.height),
	cpu: ([input], [output], params) => {
		if (input !== undefined && output !== undefined) cpuPlanesToRgb(input, output, params);
	},
};

/**
 * Converts packed planes (as in `PlanarFrame.data`, uploaded with `Compute.upload`) to R′G′B′, source-referred: the
 * transfer is not touched, log codes become code ÷ 1023. Gray gives three equal channels; alpha is not read. An unknown
 * matrix is taken as {@link assumedMatrix} says. The caller owns the result.
 */
export function planesToRgb(compute: Compute, planes: Block, params: PlanesParams): Picture {
	const needed = frameBytes(params.format, params.size);
	if (planes.words * 4 < needed) {
		throw new EmulsionError('internal', `A frame of ${needed} bytes is needed, got ${planes.words * 4}.`);
	}
	return produce(compute, params.size.width, params.size.height, 3, (output) => {
		compute.run(planesToRgbOp, [planes], [output], params);
	});
}
