/**
 * A decoded still: tightly packed planes in one buffer, at the file's own depth, with the color tags the file states.
 * Every codec of this folder reads to it and writes from it; nothing here converts samples.
 */
import type { ColorTags, PixelFormat, SampleType, Size } from '../../core/color.ts';
import { frameBytes, planeLayouts } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';

/** Samples of one plane; the array type follows `PixelFormat.sample`. */
export type PlaneSamples = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** A picture in memory. Planes are views of `data`, in R, G, B(, A) or gray(, A) order. */
export interface ScanPicture {
	readonly size: Size;
	readonly format: PixelFormat;
	/** All planes, tightly packed as `planeLayouts` says. */
	readonly data: ArrayBuffer;
	readonly planes: readonly PlaneSamples[];
	/** What the file says about its color; `unknown` where it says nothing. */
	readonly color: ColorTags;
}

/** Largest picture this folder will allocate (16384 × 8192 pixels). */
export const MAX_PIXELS = 16384 * 8192;

/** Tags of an RGB (or gray) picture about which nothing is known. */
export const UNTAGGED: ColorTags = {
	primaries: 'unknown',
	transfer: 'unknown',
	matrix: 'rgb',
	range: 'full',
	chromaLocation: 'unspecified',
};

/** A planar RGB or gray format. `depth` is in significant bits; 32 means float. */
export function rgbFormat(components: 1 | 2 | 3 | 4, depth: number): PixelFormat {
	const sample: SampleType = depth === 32 ? 'f32' : depth > 8 ? 'u16' : 'u8';
	return { chroma: components < 3 ? 'gray' : 'rgb', depth, sample, alpha: components === 2 || components === 4 };
}

/** Refuses sizes that are empty or larger than {@link MAX_PIXELS}; call it before allocating anything. */
export function checkSize(width: number, height: number, what: string): void {
	if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
		throw new EmulsionError('input-unreadable', phrase('scan-size', { what, width, height }));
	}
	if (width * height > MAX_PIXELS) {
		throw new EmulsionError('unsupported-format', phrase('scan-large', { what, width, height, max: MAX_PIXELS }));
	}
}

/** An empty picture with its planes laid out; the caller has checked the size against the file's length. */
export function allocatePicture(format: PixelFormat, size: Size, color: ColorTags): ScanPicture {
	const data = new ArrayBuffer(frameBytes(format, size));
	return pictureOver(data, format, size, color);
}

/** A picture over an existing tightly packed buffer (no copy). */
export function pictureOver(data: ArrayBuffer, format: PixelFormat, size: Size, color: ColorTags): ScanPicture {
	const planes = planeLayouts(format, size).map((p): PlaneSamples => {
		const length = p.width * p.height;
		if (format.sample === 'u8') return new Uint8Array(data, p.offset, length);
		if (format.sample === 'u16') return new Uint16Array(data, p.offset * 2, length);
		return new Float32Array(data, p.offset * 4, length);
	});
	return { size, format, data, planes, color };
}

/** Splits rows of interleaved samples into planes: `row` holds `width × order.length` samples, `order[i]` names the plane of component i. */
export function scatterRow(
	row: ArrayLike<number>,
	planes: readonly PlaneSamples[],
	order: readonly number[],
	at: number,
	width: number,
): void {
	const n = order.length;
	for (let c = 0; c < n; c++) {
		const plane = planes[order[c] as number] as PlaneSamples;
		for (let x = 0, i = c; x < width; x++, i += n) plane[at + x] = row[i] as number;
	}
}

/** The reverse of {@link scatterRow}: interleaves one row of planes into `row`. */
export function gatherRow(
	row: Uint8Array | Uint16Array,
	planes: readonly PlaneSamples[],
	order: readonly number[],
	at: number,
	width: number,
): void {
	const n = order.length;
	for (let c = 0; c < n; c++) {
		const plane = planes[order[c] as number] as PlaneSamples;
		for (let x = 0, i = c; x < width; x++, i += n) row[i] = plane[at + x] as number;
	}
}

/** A truncated file, in the words all codecs use. */
export function truncated(what: string, needed: number, present: number): EmulsionError {
	return new EmulsionError('input-truncated', phrase('scan-truncated', { what, present, needed }), {
		data: { needed, present },
	});
}

/** A damaged header or stream, in the words all codecs use. */
export function unreadable(what: string, problem: string, cause?: unknown): EmulsionError {
	return new EmulsionError('input-unreadable', phrase('scan-unreadable', { what, problem }), { cause });
}

/** A legal file of a kind that is not read here. */
export function unsupported(what: string, kind: string): EmulsionError {
	return new EmulsionError('unsupported-format', phrase('scan-unsupported', { what, kind }));
}
