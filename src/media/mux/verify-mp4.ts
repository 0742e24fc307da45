/** Reads the times that an MP4 or QuickTime header states for its tracks: edit lists and durations. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type Rational, add, rational } from '../../core/rational.ts';
import type { ByteReader } from '../sinks/files.ts';

/** When a track is presented. */
export interface PresentedTrack {
	/** `vide`, `soun`, `tmcd`… */
	readonly handler: string;
	/** Seconds of empty edits before the media. */
	readonly start: Rational;
	/** Seconds of media shown. */
	readonly duration: Rational;
}

interface Box {
	readonly type: string;
	readonly data: DataView;
}

const MAX_HEADER = 512 << 20;

function* boxes(data: DataView): Generator<Box> {
	let at = 0;
	while (at + 8 <= data.byteLength) {
		const size = data.getUint32(at);
		if (size < 8 || at + size > data.byteLength) return;
		yield { type: typeAt(data, at + 4), data: new DataView(data.buffer, data.byteOffset + at + 8, size - 8) };
		at += size;
	}
}

function typeAt(data: DataView, at: number): string {
	return String.fromCharCode(...[0, 1, 2, 3].map((i) => data.getUint8(at + i)));
}

function find(data: DataView, ...path: string[]): DataView | undefined {
	let current: DataView | undefined = data;
	for (const type of path) {
		if (!current) return undefined;
		current = [...boxes(current)].find((b) => b.type === type)?.data;
	}
	return current;
}

/** Timescale of `mvhd` or `mdhd`. */
function timescaleOf(header: DataView): number {
	return header.getUint8(0) === 1 ? header.getUint32(20) : header.getUint32(12);
}

function readTrack(track: DataView, movieScale: number): PresentedTrack {
	const handler = find(track, 'mdia', 'hdlr');
	const edits = find(track, 'edts', 'elst');
	let start = rational(0);
	let duration = rational(0);
	if (edits) {
		const wide = edits.getUint8(0) === 1;
		const step = wide ? 20 : 12;
		for (let i = 0; i < edits.getUint32(4); i++) {
			const at = 8 + i * step;
			const length = rational(wide ? Number(edits.getBigUint64(at)) : edits.getUint32(at), movieScale);
			const mediaTime = wide ? Number(edits.getBigInt64(at + 8)) : edits.getInt32(at + 4);
			if (mediaTime < 0) start = add(start, length);
			else duration = add(duration, length);
		}
	}
	return { handler: handler ? typeAt(handler, 8) : '', start, duration };
}

/** Presented times of all tracks. Throws `invariant-failed` where there is no movie header. */
export async function presentedTracks(reader: ByteReader): Promise<PresentedTrack[]> {
	let at = 0;
	while (at + 16 <= reader.size) {
		const head = await reader.read(at, at + 16);
		const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
		const small = view.getUint32(0);
		const size = small === 1 ? Number(view.getBigUint64(8)) : small;
		if (size < 8) break;
		if (typeAt(view, 4) === 'moov' && size <= MAX_HEADER) {
			const bytes = await reader.read(at + 8, at + size);
			const moov = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			const header = find(moov, 'mvhd');
			if (!header) break;
			const scale = timescaleOf(header);
			return [...boxes(moov)].filter((b) => b.type === 'trak').map((b) => readTrack(b.data, scale));
		}
		at += size;
	}
	throw new EmulsionError('invariant-failed', phrase('written-header'));
}
