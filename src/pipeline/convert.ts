/**
 * The two conversions of the pipeline: source planes to working frames, working frames to output planes. Frames that no stage
 * touches are not converted when source and output hold the same samples.
 */

import type { PlanarFrame } from '../contracts/frames.ts';
import type { Compute } from '../contracts/compute.ts';
import type { EncodeConfig } from '../contracts/media.ts';
import type { WorkingFrame } from '../contracts/stage.ts';
import {
	type ColorTags,
	frameBytes,
	type PixelFormat,
	planeLayouts,
	sameFormat,
	sampleBytes,
	type Size,
} from '../core/color.ts';
import type { BufferPool } from '../media/buffers.ts';
import { planesToRgb } from '../gpu/color/planes-to-rgb.ts';
import { rgbToPlanes } from '../gpu/color/rgb-to-planes.ts';
import { linearize } from '../gpu/color/transfer-op.ts';

/** Uploads source planes and converts them once. The caller owns the frame. */
export function toWorking(compute: Compute, frame: PlanarFrame): WorkingFrame {
	const planes = compute.upload(frame.data);
	try {
		const { format, size, color } = frame;
		return { picture: planesToRgb(compute, planes, { format, size, tags: color }), sides: {}, color };
	} finally {
		planes.release();
	}
}

/** True when the output holds linear light (OpenEXR) and the picture does not. */
function needsLinear(from: ColorTags, to: ColorTags): boolean {
	return to.transfer === 'linear' && from.transfer !== 'linear';
}

/** True when source planes are the output's planes, bit by bit. */
export function copiesPlanes(
	from: { readonly format: PixelFormat; readonly color: ColorTags },
	to: Pick<EncodeConfig, 'format' | 'color'>,
): boolean {
	return (
		sameFormat(from.format, to.format) &&
		from.color.matrix === to.color.matrix &&
		from.color.range === to.color.range &&
		!needsLinear(from.color, to.color)
	);
}

/** Alpha is not restored: the source's own plane goes on where it fits the output. */
function copyAlpha(target: ArrayBuffer, format: PixelFormat, size: Size, source: PlanarFrame | undefined): void {
	if (!format.alpha || !source?.format.alpha) return;
	if (source.format.depth !== format.depth || source.format.sample !== format.sample) return;
	const from = planeLayouts(source.format, source.size).at(-1);
	const to = planeLayouts(format, size).at(-1);
	if (!from || !to || from.width !== to.width || from.height !== to.height) return;
	const bytes = sampleBytes(format);
	const count = from.width * from.height * bytes;
	new Uint8Array(target, to.offset * bytes, count).set(new Uint8Array(source.data, from.offset * bytes, count));
}

/** What a conversion to planes may use. */
export interface ToPlanesOptions {
	/** The source's own frame: lends its alpha plane. */
	readonly lender?: PlanarFrame;
	/** Buffers to fill again; default: a new one for each frame. */
	readonly buffers?: BufferPool;
}

/**
 * Converts and reads back one frame's planes in the encoder's format (dithered at 8 bit; `seed` is the frame's index in the whole
 * film's timeline).
 */
export async function toPlanes(
	compute: Compute,
	frame: WorkingFrame,
	config: Pick<EncodeConfig, 'format' | 'color'>,
	seed: number,
	{ lender, buffers }: ToPlanesOptions = {},
): Promise<ArrayBuffer> {
	const size = { width: frame.picture.width, height: frame.picture.height };
	const { format, color } = config;
	const linear = needsLinear(frame.color, color) ? linearize(compute, frame.picture, frame.color.transfer) : undefined;
	let block;
	try {
		block = rgbToPlanes(compute, linear ?? frame.picture, { format, size, tags: color }, { seed });
	} finally {
		linear?.release();
	}
	try {
		const data = await compute.readback(block, buffers?.take(block.words * 4));
		const bytes = frameBytes(format, size);
		const exact = data.byteLength === bytes ? data : data.slice(0, bytes);
		copyAlpha(exact, format, size, lender);
		return exact;
	} finally {
		block.release();
	}
}
