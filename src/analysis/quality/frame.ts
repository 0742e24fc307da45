/** From planes as they cross threads to what the metrics take. */

import type { PlanarFrame } from '../../contracts/frames.ts';
import type { QualityFrame } from '../../contracts/quality.ts';
import { frameBytes } from '../../core/color.ts';
import { planesToRgbOp } from '../../gpu/color/planes-to-rgb.ts';

/** A decoded or rendered frame as the metrics take it: the same conversion as the pipeline's, on the CPU. */
export function qualityFrame(frame: PlanarFrame): QualityFrame {
	const { format, size, color, data } = frame;
	const bytes = frameBytes(format, size);
	const packed = new Float32Array(Math.ceil(bytes / 4));
	new Uint8Array(packed.buffer).set(new Uint8Array(data, 0, bytes));
	const output = new Float32Array(3 * size.width * size.height);
	planesToRgbOp.cpu([packed], [output], { format, size, tags: color });
	return { data: output, ...size };
}
