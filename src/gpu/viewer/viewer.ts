/** The viewer that fits a backend. */

import type { Compute } from '../../contracts/compute.ts';
import { WebGpuCompute } from '../webgpu-compute.ts';
import { CpuViewer } from './cpu-viewer.ts';
import { GpuViewer } from './gpu-viewer.ts';
import type { Viewer } from './view.ts';

/** A viewer on a canvas that has no context yet. Throws `capability-missing` when the canvas gives none. */
export function createViewer(compute: Compute, canvas: OffscreenCanvas): Viewer {
	return compute instanceof WebGpuCompute ? new GpuViewer(compute, canvas) : new CpuViewer(canvas);
}
