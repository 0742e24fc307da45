/** Takes AAC packets out of an ADTS stream: transport streams carry no decoder data until their first packet, which Matroska's writer cannot wait for. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { PacketCollector } from './run.ts';
import { SoundSpool } from './spool.ts';

const HEADER = 7;
const CHECKSUM = 2;

/** Collects packets as they come; the same shape as `MatroskaCollector`. */
export class AdtsCollector implements PacketCollector {
	readonly sizes: number[] = [];
	readonly bytes = new SoundSpool();
	/** AudioSpecificConfig, from the first header. */
	config = new Uint8Array();
	error: unknown;
	#rest = new Uint8Array();

	/** Takes the next bytes; an error is kept in `error`. */
	push(data: Uint8Array<ArrayBuffer>): void {
		const all = new Uint8Array(this.#rest.length + data.length);
		all.set(this.#rest);
		all.set(data, this.#rest.length);
		let at = 0;
		while (at + HEADER <= all.length) {
			const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0] = all.subarray(at, at + HEADER);
			const length = ((b3 & 3) << 11) | (b4 << 3) | (b5 >> 5);
			if (b0 !== 0xff || (b1 & 0xf0) !== 0xf0 || length < HEADER) {
				this.error ??= new EmulsionError('input-unreadable', phrase('aac-damaged'));
				return;
			}
			if (at + length > all.length) break;
			if (this.config.length === 0) {
				const channels = ((b2 & 1) << 2) | (b3 >> 6);
				const value = (((b2 >> 6) + 1) << 11) | (((b2 >> 2) & 15) << 7) | (channels << 3);
				this.config = Uint8Array.of(value >> 8, value & 255);
			}
			const start = HEADER + ((b1 & 1) === 0 ? CHECKSUM : 0);
			this.bytes.push(all.slice(at + start, at + length));
			this.sizes.push(length - start);
			at += length;
		}
		this.#rest = all.slice(at);
	}

	settle(): Promise<void> {
		return this.bytes.settle();
	}
}
