/**
 * A film of more than 4 GiB that takes almost no disk: an MP4 or MOV with a huge, sparse `free` box before its media data, and
 * chunk offsets of 64 bits.
 */

import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

interface Box {
	readonly type: string;
	readonly bytes: Buffer;
}

const CONTAINERS = ['moov', 'trak', 'mdia', 'minf', 'stbl'];

function boxes(bytes: Buffer): Box[] {
	const found: Box[] = [];
	for (let at = 0; at < bytes.length;) {
		const short = bytes.readUInt32BE(at);
		const size = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short;
		if (size < 8) throw new Error(`a box of ${size} bytes at ${at}`);
		found.push({ type: bytes.toString('latin1', at + 4, at + 8), bytes: bytes.subarray(at, at + size) });
		at += size;
	}
	return found;
}

function box(type: string, payload: Buffer): Buffer {
	const head = Buffer.alloc(8);
	head.writeUInt32BE(8 + payload.length, 0);
	head.write(type, 4, 'latin1');
	return Buffer.concat([head, payload]);
}

/** `stco` as `co64`, every offset moved on. */
function farOffsets(stco: Buffer, shift: number): Buffer {
	const count = stco.readUInt32BE(12);
	const payload = Buffer.alloc(8 + 8 * count);
	payload.writeUInt32BE(count, 4);
	for (let i = 0; i < count; i++) {
		payload.writeBigUInt64BE(BigInt(stco.readUInt32BE(16 + 4 * i) + shift), 8 + 8 * i);
	}
	return box('co64', payload);
}

function moved({ type, bytes }: Box, shift: number): Buffer {
	if (type === 'stco') return farOffsets(bytes, shift);
	if (!CONTAINERS.includes(type)) return bytes;
	return box(type, Buffer.concat(boxes(bytes.subarray(8)).map((inner) => moved(inner, shift))));
}

/** Writes `target`: the film of `source` (its `moov` last, as ffmpeg writes it) with `gap` empty bytes before the media data. */
export function writeSparseMovie(source: string, target: string, gap: number): void {
	const parts = boxes(readFileSync(source));
	const at = parts.findIndex((part) => part.type === 'mdat');
	if (at < 0 || parts.at(-1)?.type !== 'moov') throw new Error(`${source}: expected mdat, then moov`);
	const free = Buffer.alloc(16);
	free.writeUInt32BE(1, 0);
	free.write('free', 4, 'latin1');
	free.writeBigUInt64BE(BigInt(gap), 8);
	const before = Buffer.concat([...parts.slice(0, at).map((part) => part.bytes), free]);
	const after = Buffer.concat(parts.slice(at).map((part) => moved(part, gap)));
	const file = openSync(target, 'w');
	try {
		const start = before.length - free.length + gap;
		ftruncateSync(file, start + after.length);
		writeSync(file, before, 0, before.length, 0);
		writeSync(file, after, 0, after.length, start);
	} finally {
		closeSync(file);
	}
}
