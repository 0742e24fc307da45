/** Reads from a Matroska file what says which audio samples are not presented: codec delay, and padding at the end. */

import type { ByteReader } from '../sinks/files.ts';
import { EBML, type ElementHead, child, children, readHead, readInt, readUint } from './ebml.ts';

/** Nanoseconds not presented. */
export interface AudioTrim {
	/** At the start. */
	readonly delayNs: number;
	/** At the end. */
	readonly discardNs: number;
}

const HEAD_BYTES = 16;
const AUDIO_TRACK = 2;
/** Bytes within which a track list begins and ends: attachments come later. */
const MAX_FRONT = 4 << 20;

interface Placed extends ElementHead {
	readonly at: number;
	readonly size: number;
}

async function elementAt(reader: ByteReader, at: number): Promise<Placed | undefined> {
	if (at >= reader.size) return undefined;
	const head = readHead(await reader.read(at, Math.min(reader.size, at + HEAD_BYTES)), 0);
	return head?.size === undefined ? undefined : { ...head, size: head.size, at };
}

function content(reader: ByteReader, element: Placed): Promise<Uint8Array> {
	return reader.read(element.at + element.headBytes, element.at + element.headBytes + element.size);
}

function delaysOf(tracks: Uint8Array): number[] {
	const delays: number[] = [];
	for (const { id, data } of children(tracks)) {
		const type = id === EBML.TrackEntry ? child(data, EBML.TrackType) : undefined;
		if (type && readUint(type) === AUDIO_TRACK) delays.push(readUint(child(data, EBML.CodecDelay) ?? new Uint8Array()));
	}
	return delays;
}

/**
 * CodecDelay of every audio track in nanoseconds, in the order of the file. Empty where the track list is not found in front of
 * the first cluster, as everywhere it is written; never throws for what the bytes say.
 */
export async function codecDelays(reader: ByteReader): Promise<number[]> {
	try {
		const bytes = await reader.read(0, Math.min(reader.size, MAX_FRONT));
		const header = readHead(bytes, 0);
		const segment = header?.size === undefined ? undefined : readHead(bytes, header.headBytes + header.size);
		if (header?.size === undefined || segment?.id !== EBML.Segment) return [];
		// A live recording's segment has no size: only its children do.
		const tracks = child(bytes.subarray(header.headBytes + header.size + segment.headBytes), EBML.Tracks);
		return tracks ? delaysOf(tracks) : [];
	} catch {
		return [];
	}
}

function lastCue(cues: Uint8Array): number | undefined {
	let position: number | undefined;
	for (const { data } of children(cues)) {
		const place = child(data, EBML.CueTrackPositions);
		const cluster = place && child(place, EBML.CueClusterPosition);
		if (cluster) position = readUint(cluster);
	}
	return position;
}

function discardOf(cluster: Uint8Array): number {
	let discard = 0;
	for (const { id, data } of children(cluster)) {
		const padding = id === EBML.BlockGroup ? child(data, EBML.DiscardPadding) : undefined;
		if (padding) discard = readInt(padding);
	}
	return discard;
}

/** Finds the trims; zeros where the file states none. */
export async function audioTrim(reader: ByteReader): Promise<AudioTrim> {
	const header = await elementAt(reader, 0);
	const segment = header && (await elementAt(reader, header.headBytes + header.size));
	if (!segment) return { delayNs: 0, discardNs: 0 };
	const base = segment.at + segment.headBytes;
	let delayNs = 0;
	let discardNs = 0;
	let next = base;
	for (;;) {
		const element = await elementAt(reader, next);
		if (!element) return { delayNs, discardNs };
		next = element.at + element.headBytes + element.size;
		if (element.id === EBML.Tracks) [delayNs = 0] = delaysOf(await content(reader, element));
		else if (element.id === EBML.Cues) {
			// Only what follows the last cue can be the end: jump there, never back (cues may stand behind the clusters).
			const position = lastCue(await content(reader, element));
			if (position !== undefined) next = Math.max(next, base + position);
		} else if (element.id === EBML.Cluster) discardNs = discardOf(await content(reader, element)) || discardNs;
	}
}
