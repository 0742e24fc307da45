/** Packed source planes → working R′G′B′. */

import type { Block, Compute, Op, Picture } from '../../contracts/compute.ts';
import { frameBytes, planeLayouts } from '../../core/color.ts';
import type { ColorTags, PixelFormat, Size } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { f32, groups, produce, u32 } from '../op.ts';
import { codeMap } from './matrix.ts';
import type { Matrix3 } from './matrix.ts';
import { axisTaps, ChromaRows } from './rows.ts';
import type { Samples } from './rows.ts';
import { sitingOf } from './siting.ts';
import type { Siting } from './siting.ts';
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
export function sampleView(block: Float32Array, sample: number): Samples {
	if (sample === 0) return new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
	if (sample === 1) return new Uint16Array(block.buffer, block.byteOffset, block.byteLength >> 1);
	return block;
}

/** Rows of one chroma plane, or null where there is none. */
function chromaReader(
	samples: Samples,
	offset: number,
	g: FrameGeometry,
	{ width, height }: Size,
): ((y: number, row: Float64Array) => void) | null {
	if (g.planes === 1) return null;
	if (g.siting.x.factor === 1 && g.siting.y.factor === 1) {
		return (y, row) => row.set(samples.subarray(offset + y * width, offset + (y + 1) * width));
	}
	const vertical = axisTaps(height, Math.max(1, g.chromaHeight), g.siting.y);
	const horizontal = axisTaps(width, Math.max(1, g.chromaWidth), g.siting.x);
	const rows = new ChromaRows(samples, offset, g.chromaWidth, vertical, horizontal);
	return (y, row) => rows.read(y, row);
}

function cpuPlanesToRgb(input: Float32Array, output: Float32Array, params: PlanesParams): void {
	const { width, height } = params.size;
	const g = frameGeometry(params);
	const { m, zero } = scaledMatrix(params);
	const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = m;
	const [zero0, zero1, zero2] = zero;
	const samples = sampleView(input, g.sample);
	const area = width * height;
	const readFirst = chromaReader(samples, g.offset1, g, params.size);
	const readSecond = chromaReader(samples, g.offset2, g, params.size);
	const luma = new Float64Array(width);
	// Gray: chroma at its zero, so that nothing is added.
	const first = new Float64Array(width).fill(zero1);
	const second = new Float64Array(width).fill(zero2);
	for (let y = 0; y < height; y++) {
		const start = y * width;
		luma.set(samples.subarray(start, start + width));
		readFirst?.(y, first);
		readSecond?.(y, second);
		for (let x = 0, i = start; x < width; x++, i++) {
			const a = (luma[x] as number) - zero0;
			const b = (first[x] as number) - zero1;
			const c = (second[x] as number) - zero2;
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
