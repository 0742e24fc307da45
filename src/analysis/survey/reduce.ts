/**
 * Source planes to a small R′G′B′ picture, on the CPU and without the working format between: averaging and the matrix are
 * both linear, so the order does not matter, and a film is surveyed at little more than the cost of decoding it.
 */

import type { PlanarFrame } from '../../contracts/frames.ts';
import type { SurveyFrame } from '../../contracts/stage.ts';
import { planeLayouts, sampleBytes } from '../../core/color.ts';
import { codeMap } from '../../gpu/color/matrix.ts';
import { flowSize } from '../flow/flow.ts';
import { averagePlane } from '../shots/thumbnail.ts';

function samplesOf(
	{ data, format }: PlanarFrame,
	offset: number,
	count: number,
): Uint8Array | Uint16Array | Float32Array {
	const at = offset * sampleBytes(format);
	if (format.sample === 'u8') return new Uint8Array(data, at, count);
	return format.sample === 'u16' ? new Uint16Array(data, at, count) : new Float32Array(data, at, count);
}

/** A frame reduced to at most `side` pixels on its longer side by box average; smaller ones keep their size. Alpha is not read. */
export function reduceFrame(frame: PlanarFrame, side: number): SurveyFrame {
	const { format, size, color } = frame;
	const { width, height } = flowSize(size, side);
	const { toRgb, zero, span } = codeMap(format, color, size);
	const colors = format.chroma === 'gray' ? 1 : 3;
	const planes = planeLayouts(format, size)
		.slice(0, colors)
		.map((plane, k) => {
			const data = samplesOf(frame, plane.offset, plane.stride * plane.height);
			const mean = averagePlane({ ...plane, data }, width, height, 1);
			return mean.map((code) => (code - zero[k]!) / span[k]!);
		});
	const area = width * height;
	const rgb = new Float32Array(3 * area);
	for (let c = 0; c < 3; c++) {
		planes.forEach((plane, k) => {
			const weight = toRgb[c * 3 + k]!;
			if (weight === 0) return;
			for (let i = 0; i < area; i++) rgb[c * area + i]! += weight * plane[i]!;
		});
	}
	return { width, height, rgb };
}

/** The mean of two pictures of one size; `share` (0…1) is the second one's. */
export function mixFrames(a: SurveyFrame, b: SurveyFrame, share: number): SurveyFrame {
	return { ...a, rgb: a.rgb.map((v, i) => v + (b.rgb[i]! - v) * share) };
}
