/**
 * Frame thumbnails for shot detection: small luma and chroma pictures, averaged from the source's planes.
 * The average removes most grain, dust and coding noise, which is why nothing else in this folder denoises.
 */

/** One plane of samples as it leaves a decoder; `stride` is in elements of `data`, not in bytes. */
export interface SourcePlane {
	readonly data: Uint8Array | Uint16Array;
	readonly stride: number;
	readonly width: number;
	readonly height: number;
}

/**
 * A decoded frame, told structurally so that any engine's frame fits.
 * `depth` is the bits a sample uses (8…16, low-aligned); `planes` are Y, Cb, Cr (any subsampling), R, G, B when `isRgb`, or a single
 * plane of luma; further planes (alpha) are ignored.
 */
export interface SourceFrame {
	readonly width: number;
	readonly height: number;
	readonly depth: number;
	readonly planes: readonly SourcePlane[];
	readonly isRgb: boolean;
}

/**
 * A reduced frame: three planes of `width × height` samples, row by row.
 * `luma` is 0…1 (a fraction of the code range, whatever the source's range and matrix: only differences matter here);
 * `cb` and `cr` are −0.5…0.5, all zero for a source without color.
 */
export interface FrameThumbnail {
	readonly width: number;
	readonly height: number;
	readonly luma: Float32Array;
	readonly cb: Float32Array;
	readonly cr: Float32Array;
}

/** Samples on a thumbnail's longer side, unless told otherwise: enough for 8×8 blocks to carry structure, small enough to search. */
export const DEFAULT_THUMBNAIL_SIDE = 96;

/** Smallest side a thumbnail can have, so that one matching block fits. */
export const MIN_THUMBNAIL_SIDE = 8;

/** A plane of any kind of numbers: a source's codes or a thumbnail's own samples. */
export type SamplePlane = Omit<SourcePlane, 'data'> & { readonly data: ArrayLike<number> };

/** The columns or rows of a plane that one thumbnail sample averages. */
interface Bins {
	readonly starts: Int32Array;
	readonly ends: Int32Array;
}

function makeBins(source: number, target: number): Bins {
	const starts = new Int32Array(target);
	const ends = new Int32Array(target);
	for (let i = 0; i < target; i++) {
		const start = Math.min(source - 1, Math.floor((i * source) / target));
		starts[i] = start;
		ends[i] = Math.max(start + 1, Math.floor(((i + 1) * source) / target));
	}
	return { starts, ends };
}

/** Box-averages one plane to `width × height`, scaled by `1 / maxCode` to 0…1; smaller planes are enlarged by repetition. */
export function averagePlane(plane: SamplePlane, width: number, height: number, maxCode: number): Float32Array {
	const columns = makeBins(plane.width, width);
	const rows = makeBins(plane.height, height);
	const out = new Float32Array(width * height);
	const { data, stride } = plane;
	for (let y = 0; y < height; y++) {
		const top = rows.starts[y]!;
		const bottom = rows.ends[y]!;
		for (let x = 0; x < width; x++) {
			const left = columns.starts[x]!;
			const right = columns.ends[x]!;
			let sum = 0;
			for (let v = top; v < bottom; v++) {
				const base = v * stride;
				for (let u = left; u < right; u++) sum += data[base + u]!;
			}
			out[y * width + x] = sum / ((bottom - top) * (right - left) * maxCode);
		}
	}
	return out;
}

/** R′G′B′ 0…1 to luma and color differences with the BT.709 weights, in place: (r, g, b) become (luma, cb, cr). */
function rgbToLumaChroma(r: Float32Array, g: Float32Array, b: Float32Array): void {
	for (let i = 0; i < r.length; i++) {
		const luma = 0.2126 * r[i]! + 0.7152 * g[i]! + 0.0722 * b[i]!;
		const cb = (b[i]! - luma) / 1.8556;
		const cr = (r[i]! - luma) / 1.5748;
		r[i] = luma;
		g[i] = cb;
		b[i] = cr;
	}
}

function checkFrame(frame: SourceFrame): void {
	const { depth, planes, isRgb } = frame;
	if (!Number.isInteger(depth) || depth < 8 || depth > 16)
		throw new RangeError(`makeThumbnail: depth must be 8 to 16, got ${depth}`);
	const needed = isRgb ? 3 : 1;
	if (planes.length < needed)
		throw new RangeError(`makeThumbnail: planes must hold at least ${needed}, got ${planes.length}`);
	planes.slice(0, 3).forEach((plane, index) => {
		const { width, height, stride, data } = plane;
		const sound =
			Number.isInteger(width) &&
			Number.isInteger(height) &&
			Number.isInteger(stride) &&
			width >= 1 &&
			height >= 1 &&
			stride >= width &&
			data.length >= (height - 1) * stride + width;
		if (!sound)
			throw new RangeError(
				`makeThumbnail: planes[${index}] must be at least 1×1 and fit its data, got ${width}×${height} with stride ${stride} in ${data.length} elements`,
			);
	});
}

/** The thumbnail's size for a frame: the longer side is `side`, the shorter keeps the proportion, neither is under 8. */
export function thumbnailSize(
	width: number,
	height: number,
	side: number = DEFAULT_THUMBNAIL_SIDE,
): { width: number; height: number } {
	const scale = side / Math.max(width, height);
	return {
		width: Math.max(MIN_THUMBNAIL_SIDE, Math.round(width * scale)),
		height: Math.max(MIN_THUMBNAIL_SIDE, Math.round(height * scale)),
	};
}

/**
 * Reduces a decoded frame of any depth (8…16 bit), chroma sampling or color model to a thumbnail by box average.
 * Smaller sources are enlarged by repetition. Pure: the frame is read, never kept.
 * @param side samples on the longer side (default 96, at least 8).
 * @throws RangeError naming the field when depth, planes or side cannot be used.
 */
export function makeThumbnail(frame: SourceFrame, side: number = DEFAULT_THUMBNAIL_SIDE): FrameThumbnail {
	checkFrame(frame);
	if (!Number.isInteger(side) || side < MIN_THUMBNAIL_SIDE)
		throw new RangeError(`makeThumbnail: side must be an integer of at least ${MIN_THUMBNAIL_SIDE}, got ${side}`);
	const first = frame.planes[0]!;
	const { width, height } = thumbnailSize(first.width, first.height, side);
	const maxCode = 2 ** frame.depth - 1;
	const luma = averagePlane(first, width, height, maxCode);
	const second = frame.planes[1];
	const third = frame.planes[2];
	if (second === undefined || third === undefined) {
		return {
			width,
			height,
			luma,
			cb: new Float32Array(luma.length),
			cr: new Float32Array(luma.length),
		};
	}
	const cb = averagePlane(second, width, height, maxCode);
	const cr = averagePlane(third, width, height, maxCode);
	if (frame.isRgb) {
		rgbToLumaChroma(luma, cb, cr);
	} else {
		const neutral = 2 ** (frame.depth - 1) / maxCode;
		for (let i = 0; i < cb.length; i++) {
			cb[i] = cb[i]! - neutral;
			cr[i] = cr[i]! - neutral;
		}
	}
	return { width, height, luma, cb, cr };
}

/** Resamples a thumbnail by box average or repetition; returns the same object where the size is right already. */
export function resizeThumbnail(thumb: FrameThumbnail, width: number, height: number): FrameThumbnail {
	if (thumb.width === width && thumb.height === height) return thumb;
	const resize = (samples: Float32Array): Float32Array =>
		averagePlane({ data: samples, stride: thumb.width, width: thumb.width, height: thumb.height }, width, height, 1);
	return { width, height, luma: resize(thumb.luma), cb: resize(thumb.cb), cr: resize(thumb.cr) };
}
