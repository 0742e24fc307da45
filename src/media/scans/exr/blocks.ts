/** The blocks of an OpenEXR file: which part of the picture each holds, where it lies, and the checks before it is expanded. */
import { truncated, unreadable } from '../picture.ts';
import type { ExrHeader } from './header.ts';

/** The part of the picture that a block holds, in pixels from the data window's corner. */
export interface ExrBlock {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** A block found in the file: its data lie from `at` on, `size` bytes as stored. */
export interface StoredBlock extends ExrBlock {
	readonly at: number;
	readonly size: number;
}

/** Block `index` of the offset table: rows of tiles, or groups of lines, from the top. Those at the edges are smaller. */
export function blockAt(header: ExrHeader, index: number): ExrBlock {
	const { width, height, tile } = header;
	const across = Math.ceil(width / tile.width);
	const x = (index % across) * tile.width;
	const y = Math.floor(index / across) * tile.height;
	return { x, y, width: Math.min(tile.width, width - x), height: Math.min(tile.height, height - y) };
}

/** Where the offset table ends. */
export function tableEnd(header: ExrHeader): number {
	return header.tableAt + header.blocks * 8;
}

/** Bytes before a block's data: its part in files of several, its line, or its tile and level, and its size. */
export function prefixBytes(header: ExrHeader): number {
	return (header.part === undefined ? 0 : 4) + (header.tiled ? 20 : 8);
}

/**
 * The offset of block `index`, out of the table's bytes. Writers fill the table last: an offset before the data means that
 * writing was interrupted, and the file ends early.
 */
export function blockOffset(
	table: DataView,
	index: number,
	header: ExrHeader,
	fileLength: number,
	what: string,
): number {
	const offset = Number(table.getBigUint64(index * 8, true));
	const start = offset + prefixBytes(header);
	if (offset < header.dataAt || start > fileLength) throw truncated(what, Math.max(start, fileLength + 1), fileLength);
	return offset;
}

/** Reads what stands before a block's data, and checks that it is the block that the table promised and lies in the file. */
export function storedBlock(
	prefix: DataView,
	offset: number,
	index: number,
	header: ExrHeader,
	fileLength: number,
	what: string,
): StoredBlock {
	const block = blockAt(header, index);
	const words = Array.from({ length: prefixBytes(header) / 4 }, (_, i) => prefix.getInt32(i * 4, true));
	const part = header.part === undefined ? [] : [header.part];
	const place = header.tiled
		? [Math.floor(block.x / header.tile.width), Math.floor(block.y / header.tile.height), 0, 0]
		: [header.top + block.y];
	const expected = [...part, ...place];
	if (expected.some((value, i) => words[i] !== value)) {
		throw unreadable(what, `block ${index} claims to be ${words.slice(0, -1).join(', ')}, not ${expected.join(', ')}`);
	}
	const at = offset + prefixBytes(header);
	const size = prefix.getUint32(prefixBytes(header) - 4, true);
	if (at + size > fileLength) throw truncated(what, at + size, fileLength);
	return { ...block, at, size };
}
