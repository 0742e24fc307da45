/** Planes of a browser's VideoFrame, without any conversion of samples. */

import { frameBytes, type PixelFormat, planeLayouts, sampleBytes, type Size } from '../../core/color.ts';
import { unpackSemiPlanar } from '../ffmpeg/pixel-formats.ts';

const PLANAR: Readonly<Record<string, readonly [PixelFormat['chroma'], number]>> = {
	I420: ['420', 8],
	I420P10: ['420', 10],
	I420P12: ['420', 12],
	I422: ['422', 8],
	I422P10: ['422', 10],
	I422P12: ['422', 12],
	I444: ['444', 8],
	I444P10: ['444', 10],
	I444P12: ['444', 12],
	NV12: ['420', 8],
};

/** Our name of a `VideoFrame.format`; undefined for RGB, alpha and opaque frames, whose samples are not the stream's own. */
export function planarFormat(format: string | null): PixelFormat | undefined {
	const entry = PLANAR[format ?? ''];
	return entry && { chroma: entry[0], depth: entry[1], sample: entry[1] > 8 ? 'u16' : 'u8', alpha: false };
}

/**
 * Copies a frame's visible planes, tightly packed; NV12's chroma is pulled apart. The frame stays open.
 * @param data where to: `frameBytes(format, size)` bytes, all of which are written.
 */
export async function copyPlanes(
	frame: VideoFrame,
	format: PixelFormat,
	size: Size,
	data = new ArrayBuffer(frameBytes(format, size)),
): Promise<ArrayBuffer> {
	const bytes = sampleBytes(format);
	const planes = planeLayouts(format, size);
	if (frame.format !== 'NV12') {
		await frame.copyTo(data, {
			layout: planes.map((plane) => ({ offset: plane.offset * bytes, stride: plane.stride * bytes })),
		});
		return data;
	}
	const interleaved = new Uint8Array(data.byteLength);
	const [luma, chroma] = planes;
	await frame.copyTo(interleaved, {
		layout: [
			{ offset: 0, stride: luma!.stride },
			{ offset: chroma!.offset, stride: 2 * chroma!.stride },
		],
	});
	unpackSemiPlanar(interleaved, new Uint8Array(data), format, size);
	return data;
}
