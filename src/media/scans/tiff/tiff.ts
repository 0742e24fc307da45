/**
 * TIFF 6.0 and BigTIFF: first page, strips or tiles, both byte orders, gray, RGB, palette, alpha, chunky or planar; 8 and 16 bit and
 * 32-bit float in, uncompressed, PackBits, LZW and deflate. Out: 8 and 16 bit, uncompressed or deflate.
 */
import { type ColorTags, formatPhrase } from '../../../core/color.ts';
import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import {
	allocatePicture,
	checkSize,
	rgbFormat,
	scatterRow,
	truncated,
	unreadable,
	unsupported,
	UNTAGGED,
	type ScanPicture,
} from '../picture.ts';
import { parseColorText, primariesFromChromaticities } from '../tags.ts';
import { checkCompression, checkSegment, expandSegment } from './compression.ts';
import { TiffDirectory, type FileRegion } from './directory.ts';

/** What the tags of a page say. */
export interface TiffHeader {
	readonly width: number;
	readonly height: number;
	/** 8, 16, or 32 (float). */
	readonly depth: 8 | 16 | 32;
	/** Planes it decodes to. */
	readonly components: 1 | 2 | 3 | 4;
	readonly color: ColorTags;
	readonly compression: number;
	/** 1–8 as in TIFF 6.0; 1 is upright. Pictures are kept as stored. */
	readonly orientation: number;
	readonly icc: boolean;
}

/** How samples lie in strips or tiles. */
interface TiffLayout extends TiffHeader {
	readonly littleEndian: boolean;
	/** Bits a stored sample: those of a palette's index where there is one. */
	readonly stored: 8 | 16 | 32;
	readonly samples: number;
	readonly photometric: number;
	readonly planar: boolean;
	readonly predictor: number;
	readonly palette: readonly number[];
	readonly tiled: boolean;
	readonly segmentWidth: number;
	readonly segmentHeight: number;
	readonly offsets: readonly number[];
	readonly counts: readonly number[];
}

/** True when the bytes begin like a TIFF file. */
export function isTiff(bytes: Uint8Array): boolean {
	const [a, b, c, d] = bytes;
	return (
		(a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0) ||
		(a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43))
	);
}

/**
 * Reads the tags of a file of `fileLength` bytes and checks that its strips lie inside. `regions` are the parts of the file
 * that were read; `input-truncated` means that a tag's value lies in none of them.
 */
export function probeTiff(regions: readonly FileRegion[], fileLength: number, what = 'TIFF'): TiffHeader {
	const layout = readLayout(regions, what);
	layout.offsets.forEach((offset, i) => {
		const end = offset + (layout.counts[i] ?? 0);
		if (end > fileLength) throw truncated(what, end, fileLength);
	});
	return layout;
}

/** Decodes a whole file. Strips and tiles are checked against the file before anything is allocated. */
export function decodeTiff(bytes: Uint8Array, what = 'TIFF'): ScanPicture {
	const layout = readLayout([{ at: 0, bytes }], what);
	const { width, height, segmentWidth, segmentHeight, planar, samples } = layout;
	const across = Math.ceil(width / segmentWidth);
	const down = Math.ceil(height / segmentHeight);
	const layers = planar ? samples : 1;
	if (layout.offsets.length < across * down * layers || layout.counts.length < across * down * layers) {
		throw unreadable(what, `${layout.offsets.length} strips or tiles where ${across * down * layers} are needed`);
	}
	for (let i = 0; i < across * down * layers; i++)
		segmentBytes(bytes, layout, i, Math.floor((i / across) % down), what);
	const picture = allocatePicture(rgbFormat(layout.components, layout.depth), { width, height }, layout.color);
	for (let i = 0; i < across * down * layers; i++) {
		const layer = Math.floor(i / (across * down));
		const row = Math.floor((i % (across * down)) / across);
		const data = segmentBytes(bytes, layout, i, row, what);
		const raw = expandSegment(layout.compression, data, segmentSize(layout, row), what);
		placeSegment(picture, layout, raw, { x: (i % across) * segmentWidth, y: row * segmentHeight, layer }, what);
	}
	return picture;
}

/** Rows that strip or tile row `row` holds: the last strip is short, tiles are always whole. */
function segmentRows(layout: TiffLayout, row: number): number {
	return layout.tiled
		? layout.segmentHeight
		: Math.min(layout.segmentHeight, layout.height - row * layout.segmentHeight);
}

function segmentSize(layout: TiffLayout, row: number): number {
	const samples = layout.planar ? 1 : layout.samples;
	return segmentRows(layout, row) * layout.segmentWidth * samples * (layout.stored / 8);
}

function segmentBytes(bytes: Uint8Array, layout: TiffLayout, index: number, row: number, what: string): Uint8Array {
	const offset = layout.offsets[index] ?? 0;
	const count = layout.counts[index] ?? 0;
	if (offset + count > bytes.length) throw truncated(what, offset + count, bytes.length);
	checkSegment(layout.compression, count, segmentSize(layout, row), what);
	return bytes.subarray(offset, offset + count);
}

function readLayout(regions: readonly FileRegion[], what: string): TiffLayout {
	const tags = new TiffDirectory(regions, what);
	const width = tags.number('width', 0);
	const height = tags.number('height', 0);
	checkSize(width, height, what);
	const compression = tags.number('compression', 1);
	checkCompression(compression, what);
	const samples = tags.number('samplesPerPixel', 1);
	const photometric = tags.number('photometric', 1);
	if (samples < 1 || samples > 8) throw unsupported(what, `TIFF with ${samples} samples a pixel`);
	if (photometric > 3)
		throw unsupported(what, `TIFF of photometric interpretation ${photometric} (gray, RGB and palette are read)`);
	if (tags.number('fillOrder', 1) !== 1) throw unsupported(what, 'TIFF with reversed bits');
	const depth = depthOf(tags, what);
	const components = componentsOf(photometric, samples, what);
	if (photometric === 3 && depth === 32) throw unreadable(what, 'a palette of float samples');
	const predictor = tags.number('predictor', 1);
	if (predictor !== 1 && (predictor !== 2 || depth === 32)) throw unsupported(what, `TIFF predictor ${predictor}`);
	return {
		width,
		height,
		depth: photometric === 3 ? 16 : depth,
		components,
		color: colorOf(tags),
		compression,
		orientation: tags.number('orientation', 1),
		icc: tags.has('iccProfile'),
		littleEndian: tags.littleEndian,
		stored: depth,
		samples,
		photometric,
		planar: tags.number('planarConfiguration', 1) === 2 && samples > 1,
		predictor,
		palette: photometric === 3 ? tags.numbers('colorMap') : [],
		...segmentsOf(tags, width, height, what),
	};
}

function depthOf(tags: TiffDirectory, what: string): 8 | 16 | 32 {
	const bits = tags.has('bitsPerSample') ? tags.numbers('bitsPerSample') : [1];
	const depth = bits[0] ?? 1;
	if (bits.some((b) => b !== depth)) throw unsupported(what, 'TIFF whose samples differ in depth');
	const sampleFormat = tags.number('sampleFormat', 1);
	const float = sampleFormat === 3 && depth === 32;
	if (!float && (sampleFormat !== 1 || (depth !== 8 && depth !== 16))) {
		throw unsupported(
			what,
			`TIFF of ${depth}-bit ${sampleFormat === 3 ? 'float' : sampleFormat === 2 ? 'signed' : 'integer'} samples`,
		);
	}
	return float ? 32 : depth === 16 ? 16 : 8;
}

function componentsOf(photometric: number, samples: number, what: string): 1 | 2 | 3 | 4 {
	if (photometric === 3) return 3;
	const base = photometric === 2 ? 3 : 1;
	if (samples < base) throw unreadable(what, `RGB with ${samples} samples a pixel`);
	return (base + (samples > base ? 1 : 0)) as 1 | 2 | 3 | 4;
}

function segmentsOf(
	tags: TiffDirectory,
	width: number,
	height: number,
	what: string,
): Pick<TiffLayout, 'tiled' | 'segmentWidth' | 'segmentHeight' | 'offsets' | 'counts'> {
	const tiled = tags.has('tileWidth');
	const segmentWidth = tiled ? tags.number('tileWidth', 0) : width;
	const rows = tiled ? tags.number('tileHeight', 0) : tags.number('rowsPerStrip', height);
	const segmentHeight = tiled ? rows : Math.min(rows, height);
	checkSize(segmentWidth, segmentHeight, `${what} (strip or tile)`);
	// A tile may stick out of a small picture, but not by more than tiles are large.
	if (segmentWidth > width + 4096 || segmentHeight > height + 4096) {
		throw unreadable(what, `tiles of ${segmentWidth} × ${segmentHeight} for a picture of ${width} × ${height}`);
	}
	const offsets = tags.numbers(tiled ? 'tileOffsets' : 'stripOffsets');
	const counts = tags.numbers(tiled ? 'tileByteCounts' : 'stripByteCounts');
	return { tiled, segmentWidth, segmentHeight, offsets, counts };
}

function colorOf(tags: TiffDirectory): ColorTags {
	const text = parseColorText(tags.text('description'));
	if (text) return { ...UNTAGGED, ...text };
	const xy = [...tags.numbers('whitePoint'), ...tags.numbers('primaryChromaticities')];
	return { ...UNTAGGED, primaries: primariesFromChromaticities(xy) };
}

function placeSegment(
	picture: ScanPicture,
	layout: TiffLayout,
	raw: Uint8Array,
	at: { readonly x: number; readonly y: number; readonly layer: number },
	what: string,
): void {
	const { segmentWidth, width, height, planar, samples, components } = layout;
	const inRow = planar ? 1 : samples;
	const rows = Math.min(raw.length / (segmentWidth * inRow * (layout.stored / 8)), height - at.y);
	const visible = Math.min(segmentWidth, width - at.x);
	const values = layout.stored === 32 ? new Float32Array(segmentWidth * inRow) : new Uint16Array(segmentWidth * inRow);
	const order = planar ? [at.layer] : Array.from({ length: components }, (_, i) => i);
	if (planar && at.layer >= components) return;
	const rowBytes = values.length * (layout.stored / 8);
	for (let y = 0; y < rows; y++) {
		readRow(new DataView(raw.buffer, raw.byteOffset + y * rowBytes, rowBytes), layout, values, inRow);
		const to = (at.y + y) * width + at.x;
		if (layout.photometric === 3) paletteRow(picture, layout.palette, values, visible, to, what);
		else if (inRow === order.length) scatterRow(values, picture.planes, order, to, visible);
		else scatterStrided(values, inRow, picture, components, to, visible);
	}
}

function readRow(view: DataView, layout: TiffLayout, row: Uint16Array | Float32Array, step: number): void {
	const le = layout.littleEndian;
	const { stored: depth, predictor } = layout;
	for (let i = 0; i < row.length; i++) {
		row[i] = depth === 8 ? view.getUint8(i) : depth === 16 ? view.getUint16(i * 2, le) : view.getFloat32(i * 4, le);
	}
	if (predictor === 2) {
		const mask = 2 ** depth - 1;
		for (let i = step; i < row.length; i++) row[i] = ((row[i] as number) + (row[i - step] as number)) & mask;
	}
	if (layout.photometric === 0) {
		const max = depth === 32 ? 1 : 2 ** depth - 1;
		for (let i = 0; i < row.length; i += step) row[i] = max - (row[i] as number);
	}
}

/** More samples a pixel than are kept: the rest is left out. */
function scatterStrided(
	row: ArrayLike<number>,
	step: number,
	picture: ScanPicture,
	components: number,
	to: number,
	width: number,
): void {
	for (let c = 0; c < components; c++) {
		const plane = picture.planes[c];
		if (!plane) continue;
		for (let x = 0; x < width; x++) plane[to + x] = row[x * step + c] as number;
	}
}

function paletteRow(
	picture: ScanPicture,
	palette: readonly number[],
	row: ArrayLike<number>,
	width: number,
	to: number,
	what: string,
): void {
	const colors = palette.length / 3;
	for (let x = 0; x < width; x++) {
		const index = row[x] as number;
		if (index >= colors) throw unreadable(what, `palette has no color ${index}`);
		for (let c = 0; c < 3; c++) (picture.planes[c] as Uint16Array)[to + x] = palette[c * colors + index] as number;
	}
}

/** Refuses formats TIFF is not written in. */
export function checkTiffFormat(picture: ScanPicture): void {
	const { chroma, depth } = picture.format;
	if ((chroma !== 'rgb' && chroma !== 'gray') || (depth !== 8 && depth !== 16)) {
		const legal = phrase('legal-bits', { layouts: ['RGB', phrase('layout-gray')], depths: '8, 16' });
		throw new EmulsionError('usage', phrase('takes', { format: 'TIFF', legal, found: formatPhrase(picture.format) }));
	}
}
