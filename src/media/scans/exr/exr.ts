/**
 * OpenEXR files (the OpenEXR project's "OpenEXR File Layout" and "Technical Introduction"): scanlines and tiles of half and
 * float samples. Samples come as float32 planes, which hold every half exactly, so that half pictures leave with the bits
 * they came with. Of levels of detail the finest is read, of several parts the first picture.
 */
import { allocatePicture, rgbFormat, truncated, unsupported, type ScanPicture } from '../picture.ts';
import { blockAt, blockOffset, prefixBytes, storedBlock, tableEnd, type ExrBlock, type StoredBlock } from './blocks.ts';
import { checkBlock, expandBlock } from './compression.ts';
import { halfTable } from './half.ts';
import { parseExrHeader, type ExrHeader } from './header.ts';
import { sampleBytes, shapeBytes } from './shape.ts';

/** Most bytes that one block may expand to: 256 lines of RGBA, float, 16384 wide, four times. */
const MAX_BLOCK_BYTES = 2 ** 28;

/** Decodes a whole file; the format is float with 1 to 4 planes. Every block is checked before the picture is allocated. */
export function decodeExr(bytes: Uint8Array, what = 'EXR'): ScanPicture {
	const header = parseExrHeader(bytes, what);
	const { width, height, channels, compression } = header;
	if (header.dataAt > bytes.length) throw truncated(what, header.dataAt, bytes.length);
	if (shapeBytes({ ...blockAt(header, 0), channels }) > MAX_BLOCK_BYTES) {
		throw unsupported(what, `an EXR of ${channels.length} channels in blocks of ${MAX_BLOCK_BYTES} bytes and more`);
	}
	const blocks = locateBlocks(bytes, header, what);
	for (const block of blocks) checkBlock(compression, block.size, { ...block, channels }, what);
	const expand = ({ at, size, ...shape }: StoredBlock): Uint8Array =>
		expandBlock(compression, bytes.subarray(at, at + size), { ...shape, channels }, what);
	// DWA may promise much in few bytes: a first block that holds what it promises comes before the picture's memory.
	let raw = expand(blocks[0] as StoredBlock);
	const picture = allocatePicture(rgbFormat(header.components, 32), { width, height }, header.color);
	blocks.forEach((block, i) => {
		if (i > 0) raw = expand(block);
		placeBlock(raw, block, header, picture);
	});
	return picture;
}

function locateBlocks(bytes: Uint8Array, header: ExrHeader, what: string): StoredBlock[] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const table = new DataView(view.buffer, view.byteOffset + header.tableAt, tableEnd(header) - header.tableAt);
	return Array.from({ length: header.blocks }, (_, i) => {
		const offset = blockOffset(table, i, header, bytes.length, what);
		const prefix = new DataView(view.buffer, view.byteOffset + offset, prefixBytes(header));
		return storedBlock(prefix, offset, i, header, bytes.length, what);
	});
}

/** Spreads an expanded block over the planes. */
function placeBlock(raw: Uint8Array, block: ExrBlock, header: ExrHeader, picture: ScanPicture): void {
	const halves = halfTable();
	const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
	const { width } = block;
	let at = 0;
	for (let y = 0; y < block.height; y++) {
		const to = (block.y + y) * header.width + block.x;
		for (const channel of header.channels) {
			const plane = channel.plane === undefined ? undefined : picture.planes[channel.plane];
			const size = sampleBytes(channel);
			if (plane && size === 2) {
				for (let x = 0; x < width; x++) plane[to + x] = halves[view.getUint16(at + x * 2, true)] as number;
			} else if (plane) {
				for (let x = 0; x < width; x++) plane[to + x] = view.getFloat32(at + x * 4, true);
			}
			at += width * size;
		}
	}
}
