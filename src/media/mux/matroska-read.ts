/**
 * Reads the Matroska that ffmpeg.wasm writes to its output device, as it comes: tracks, then packets in decoding order.
 * Only what that muxer produces is understood (no lacing, no encryption); everything else is skipped.
 */

import { EmulsionError } from '../../core/errors.ts';
import { EBML, child, children, readFloat, readHead, readInt, readUint } from './ebml.ts';

/** A track entry. */
export interface MatroskaTrack {
	readonly number: number;
	readonly codecId: string;
	readonly codecPrivate: Uint8Array<ArrayBuffer>;
	readonly codecDelayNs: number;
	readonly sampleRate?: number;
	readonly channels?: number;
	readonly bitDepth?: number;
}

/** A block, in the order of the file. */
export interface MatroskaBlock {
	readonly track: number;
	/** Ticks of `timestampScale` nanoseconds. */
	readonly time: number;
	readonly key: boolean;
	readonly data: Uint8Array<ArrayBuffer>;
	/** Nanoseconds to drop at the end of this block. */
	readonly discardNs: number;
}

/** What is called as elements are complete. */
export interface MatroskaHandlers {
	onTrack(track: MatroskaTrack): void;
	onBlock(block: MatroskaBlock): void;
}

function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
	return new Uint8Array(bytes);
}

function parseTrack(entry: Uint8Array): MatroskaTrack {
	const audio = child(entry, EBML.Audio);
	const rate = audio && child(audio, EBML.SamplingFrequency);
	const channels = audio && child(audio, EBML.Channels);
	const bits = audio && child(audio, EBML.BitDepth);
	return {
		number: readUint(child(entry, EBML.TrackNumber) ?? new Uint8Array()),
		codecId: new TextDecoder().decode(child(entry, EBML.CodecId)),
		codecPrivate: copy(child(entry, EBML.CodecPrivate) ?? new Uint8Array()),
		codecDelayNs: readUint(child(entry, EBML.CodecDelay) ?? new Uint8Array()),
		...(audio ? { sampleRate: rate ? readFloat(rate) : 8000, channels: channels ? readUint(channels) : 1 } : {}),
		...(bits ? { bitDepth: readUint(bits) } : {}),
	};
}

/** A push parser: give it bytes in any pieces. */
export class MatroskaReader {
	readonly #handlers: MatroskaHandlers;
	#buffer = new Uint8Array(1 << 16);
	#start = 0;
	#end = 0;
	#skip = 0;
	#clusterTime = 0;
	#timestampScale = 1_000_000;

	constructor(handlers: MatroskaHandlers) {
		this.#handlers = handlers;
	}

	/** Nanoseconds a tick of block times. */
	get timestampScale(): number {
		return this.#timestampScale;
	}

	/** Takes the next bytes. Throws `internal` when they are not Matroska. */
	push(bytes: Uint8Array): void {
		this.#append(bytes);
		try {
			while (this.#step());
		} catch (cause) {
			if (cause instanceof EmulsionError) throw cause;
			throw new EmulsionError('internal', 'The encoder’s output could not be read.', { cause });
		}
	}

	/** True when nothing is left that is not a whole element. */
	get complete(): boolean {
		return this.#start === this.#end && this.#skip === 0;
	}

	#append(bytes: Uint8Array): void {
		const skipped = Math.min(this.#skip, bytes.length);
		this.#skip -= skipped;
		const rest = bytes.subarray(skipped);
		const length = this.#end - this.#start;
		if (this.#end + rest.length > this.#buffer.length) {
			const needed = length + rest.length;
			const target = needed > this.#buffer.length ? new Uint8Array(2 * needed) : this.#buffer;
			target.set(this.#buffer.subarray(this.#start, this.#end));
			this.#buffer = target;
			this.#start = 0;
			this.#end = length;
		}
		this.#buffer.set(rest, this.#end);
		this.#end += rest.length;
	}

	#step(): boolean {
		const view = this.#buffer.subarray(this.#start, this.#end);
		const head = readHead(view, 0);
		if (!head) return false;
		if (head.id === EBML.Segment || head.id === EBML.Cluster) {
			this.#start += head.headBytes;
			return true;
		}
		if (head.size === undefined) throw new EmulsionError('internal', `element ${head.id.toString(16)} has no size`);
		if (!this.#wanted(head.id)) return this.#pass(head.headBytes + head.size);
		if (view.length < head.headBytes + head.size) return false;
		this.#take(head.id, view.subarray(head.headBytes, head.headBytes + head.size));
		this.#start += head.headBytes + head.size;
		return true;
	}

	#pass(bytes: number): boolean {
		const here = Math.min(bytes, this.#end - this.#start);
		this.#start += here;
		this.#skip = bytes - here;
		return this.#skip === 0;
	}

	#wanted(id: number): boolean {
		return (
			id === EBML.Info ||
			id === EBML.Tracks ||
			id === EBML.Timestamp ||
			id === EBML.SimpleBlock ||
			id === EBML.BlockGroup
		);
	}

	#take(id: number, content: Uint8Array): void {
		if (id === EBML.Timestamp) this.#clusterTime = readUint(content);
		else if (id === EBML.SimpleBlock) this.#block(content, undefined);
		else if (id === EBML.BlockGroup) {
			const block = child(content, EBML.Block);
			if (block) this.#block(block, content);
		} else if (id === EBML.Info) {
			const scale = child(content, EBML.TimestampScale);
			if (scale) this.#timestampScale = readUint(scale);
		} else {
			for (const entry of children(content)) {
				if (entry.id === EBML.TrackEntry) this.#handlers.onTrack(parseTrack(entry.data));
			}
		}
	}

	#block(block: Uint8Array, group: Uint8Array | undefined): void {
		const first = block[0] ?? 0;
		const numberLength = Math.clz32(first) - 23;
		const track = readUint(block.subarray(0, numberLength)) - 2 ** (7 * numberLength);
		const relative = readInt(block.subarray(numberLength, numberLength + 2));
		const flags = block[numberLength + 2] ?? 0;
		if ((flags & 0x06) !== 0) throw new EmulsionError('internal', 'laced blocks are not expected');
		const discard = group && child(group, EBML.DiscardPadding);
		this.#handlers.onBlock({
			track,
			time: this.#clusterTime + relative,
			key: group ? child(group, EBML.ReferenceBlock) === undefined : (flags & 0x80) !== 0,
			data: copy(block.subarray(numberLength + 3)),
			discardNs: discard ? readInt(discard) : 0,
		});
	}
}
