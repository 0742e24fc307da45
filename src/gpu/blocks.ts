/** Reference-counted blocks and pictures of both backends. */

import type { Block, Picture, Storage } from '../contracts/compute.ts';
import { EmulsionError } from '../core/errors.ts';

/** What a block tells its backend when its last owner has let go. */
export interface BlockOwner {
	reclaim(block: PooledBlock): void;
}

/** A block of 32-bit words. Made by a backend only. */
export class PooledBlock implements Block {
	readonly owner: BlockOwner;
	readonly words: number;
	/** False for memory that did not come from the pool and does not return to it. */
	readonly pooled: boolean;
	readonly #storage: Storage;
	#owners = 1;

	constructor(owner: BlockOwner, storage: Storage, words: number, pooled: boolean) {
		this.owner = owner;
		this.words = words;
		this.pooled = pooled;
		this.#storage = storage;
	}

	get storage(): Storage {
		this.#alive('use');
		return this.#storage;
	}

	/** True once the last owner has released it. */
	get released(): boolean {
		return this.#owners === 0;
	}

	retain(): this {
		this.#alive('retain');
		this.#owners++;
		return this;
	}

	release(): void {
		this.#alive('release');
		if (this.#owners === 1) this.owner.reclaim(this);
		this.#owners--;
	}

	#alive(verb: string): void {
		if (this.#owners > 0) return;
		throw new EmulsionError('internal', `Cannot ${verb} a block of ${this.words} words: it was already released.`);
	}
}

/** A picture; see the contract. */
export class PooledPicture extends PooledBlock implements Picture {
	readonly width: number;
	readonly height: number;
	readonly channels: number;

	constructor(owner: BlockOwner, storage: Storage, width: number, height: number, channels: number, pooled: boolean) {
		super(owner, storage, width * height * channels, pooled);
		this.width = width;
		this.height = height;
		this.channels = channels;
	}
}

/** Checks that a block is alive and belongs to `owner`; throws `internal` otherwise. */
export function owned(block: Block, owner: BlockOwner): PooledBlock {
	if (!(block instanceof PooledBlock) || block.owner !== owner) {
		throw new EmulsionError('internal', 'A block of another backend (or of one that is gone) was passed.');
	}
	return block;
}

/** Throws `internal` unless the sizes are positive integers. */
export function checkPictureSize(width: number, height: number, channels: number): void {
	for (const [name, value] of Object.entries({ width, height, channels })) {
		if (!Number.isInteger(value) || value < 1) {
			throw new EmulsionError('internal', `A picture's ${name} must be a positive integer, got ${value}.`);
		}
	}
}

/** Throws `internal` when an output of an op is also one of its inputs or outputs: neither backend could run that. */
export function checkAliasing(inputs: readonly Block[], outputs: readonly Block[], op: string): void {
	const seen = new Set<Block>(inputs);
	for (const output of outputs) {
		if (seen.has(output)) throw new EmulsionError('internal', `${op}: an output is bound twice.`);
		seen.add(output);
	}
}

/** Bytes of a view or buffer, without copying. */
export function asBytes(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
	return bytes instanceof ArrayBuffer
		? new Uint8Array(bytes)
		: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Counters that both backends keep. */
export interface MutableCounters {
	dispatches: number;
	uploads: number;
	uploadBytes: number;
	uploadSeconds: number;
	readbacks: number;
	readbackBytes: number;
	readbackSeconds: number;
}

/** All zero. */
export function newCounters(): MutableCounters {
	return {
		dispatches: 0,
		uploads: 0,
		uploadBytes: 0,
		uploadSeconds: 0,
		readbacks: 0,
		readbackBytes: 0,
		readbackSeconds: 0,
	};
}

/** Where a block is read back to: the buffer that was given, which has to fit exactly, or a new one. */
export function readbackTarget({ words }: Block, into: ArrayBuffer | undefined): ArrayBuffer {
	const bytes = words * 4;
	if (into && into.byteLength !== bytes) {
		throw new EmulsionError('internal', `A block of ${bytes} bytes is not read back into ${into.byteLength}.`);
	}
	return into ?? new ArrayBuffer(bytes);
}
