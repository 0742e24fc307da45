/** What subsampling chroma costs: measured, so that the report can state it. */

import type { Compute, Picture } from '../../contracts/compute.ts';
import { chromaShift, layoutText } from '../../core/color.ts';
import type { PixelFormat } from '../../core/color.ts';
import { type Phrase, phrase } from '../../core/phrases.ts';
import { usingAsync } from '../op.ts';
import { stats } from '../ops/stats/op.ts';
import { planesToRgb } from './planes-to-rgb.ts';
import type { PlanesParams } from './planes-to-rgb.ts';
import { rgbToPlanes } from './rgb-to-planes.ts';

/** Error of a picture that went through a format and back, R′G′B′ 0…1. */
export interface ChromaError {
	/** Root mean square over all channels. */
	readonly rms: number;
	/** Largest, over all pixels and channels. */
	readonly max: number;
	/** In dB; Infinity when nothing changed. */
	readonly psnr: number;
}

/** True when a format stores chroma at less than full resolution. */
export function isSubsampled(format: PixelFormat): boolean {
	const shift = chromaShift(format.chroma);
	return shift.x > 0 || shift.y > 0;
}

/**
 * Sends a full-resolution picture through `params.format` (quantization included, without dither) and back, and
 * measures what is left. A picture that came from the same format loses nothing: only what stages changed can.
 */
export async function measureChromaError(
	compute: Compute,
	picture: Picture,
	params: PlanesParams,
): Promise<ChromaError> {
	const planes = rgbToPlanes(compute, picture, params, { dither: false });
	return usingAsync([planes], async () => {
		const back = planesToRgb(compute, planes, params);
		return usingAsync([back], async () => {
			const channels = await stats(compute, picture, back);
			const square = channels.reduce((sum, c) => sum + c.meanSquare, 0) / channels.length;
			const max = Math.max(...channels.map((c) => Math.max(Math.abs(c.min), Math.abs(c.max))));
			return { rms: Math.sqrt(square), max, psnr: square === 0 ? Infinity : -10 * Math.log10(square) };
		});
	});
}

/** One sentence for the report. */
export function chromaStatement(format: PixelFormat, error: ChromaError): Phrase {
	if (!isSubsampled(format)) return phrase('chroma-none');
	const layout = layoutText(format.chroma);
	if (error.psnr === Infinity) return phrase('chroma-same', { layout });
	const [decibels, percent] = [error.psnr.toFixed(1), (error.max * 100).toFixed(1)];
	return phrase('chroma-loss', { layout, decibels, percent });
}
