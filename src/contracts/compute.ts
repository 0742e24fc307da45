/**
 * Compute: pictures and operations that run on WebGPU or on the CPU, behind one interface. A stage never asks which.
 * Every {@link Op} carries a WGSL kernel and its CPU twin; the twins test each other. Types only.
 */

import type { Size } from '../core/color.ts';
import type { Text } from '../core/phrases.ts';

/** The two backends. `wasm` means: kernels in TypeScript, models in onnxruntime's wasm build. */
export type BackendKind = 'webgpu' | 'wasm';

/** What computes, as shown in the badge and the report. */
export interface BackendInfo {
	readonly kind: BackendKind;
	/** Adapter description, or `CPU, N threads`. */
	readonly name: Text;
	/** True for SwiftShader, llvmpipe, WARP and `isFallbackAdapter`. */
	readonly software: boolean;
	/** Why this backend was taken. */
	readonly reason: Text;
	/** Part of every cache key: backend, vendor, architecture, driver where known. */
	readonly key: string;
}

/** Where the numbers of a buffer live. */
export type Storage =
	{ readonly kind: 'gpu'; readonly buffer: GPUBuffer } | { readonly kind: 'cpu'; readonly data: ArrayBufferLike };

/**
 * A pooled block of 32-bit words. Reference-counted: `retain` for each further owner, `release` when done; at zero it
 * returns to the pool. Using a released block throws.
 */
export interface Block {
	/** Number of 32-bit words. */
	readonly words: number;
	readonly storage: Storage;
	retain(): this;
	release(): void;
}

/** A planar float32 image: `channels` planes of `height` rows of `width` values, without padding. Values are R′G′B′ 0…1 unless said otherwise; values outside survive. */
export interface Picture extends Block, Size {
	readonly channels: number;
}

/** A picture's numbers on the CPU. */
export interface CpuPicture extends Size {
	readonly channels: number;
	readonly data: Float32Array;
}

/** A raw block's numbers on the CPU. */
export interface CpuBlock {
	readonly data: Uint32Array;
}

/** Values of a uniform block, in WGSL order: each is a 4-byte scalar. */
export type UniformValue = { readonly f32: number } | { readonly u32: number } | { readonly i32: number };

/**
 * A pure function on pictures. WGSL bindings, group 0: binding 0 is the uniform block `params` (when `uniforms` gives any
 * values), then the inputs (`var<storage, read>`), then the outputs (`var<storage, read_write>`). The entry point is `main`.
 */
export interface Op<P> {
	/** Unique, e.g. `color/planes-to-rgb`. */
	readonly id: string;
	readonly wgsl: string;
	/** Scalars of the uniform block; padded to 16 bytes by the backend. */
	uniforms(params: P): readonly UniformValue[];
	/** Workgroup counts (the shader's `@workgroup_size` applied by the op). */
	dispatch(params: P): readonly [number, number, number];
	/** The CPU twin. Inputs and outputs come as 32-bit words; pictures reinterpret them as float32. */
	cpu(inputs: readonly Float32Array[], outputs: readonly Float32Array[], params: P): void;
}

/** One backend with its pool. All calls are made from the restore worker. */
export interface Compute {
	readonly info: BackendInfo;
	/** A picture with undefined contents. Throws `out-of-memory` when the byte budget is exhausted and nothing can be evicted. */
	picture(width: number, height: number, channels: number): Picture;
	/** A raw block with undefined contents. */
	block(words: number): Block;
	/** A block holding these bytes (padded to 4). Source planes travel this way, unconverted. */
	upload(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Block;
	/** A picture holding these values, `width*height*channels` of them. */
	uploadPicture(data: Float32Array<ArrayBuffer>, width: number, height: number, channels: number): Picture;
	/** Enqueues an op; outputs are defined for whatever is enqueued later. On the CPU it has run on return. */
	run<P>(op: Op<P>, inputs: readonly Block[], outputs: readonly Block[], params: P): void;
	/**
	 * Copies back to the CPU; waits for enqueued work. Counted by {@link ComputeCounters}.
	 * @param into filled and returned instead of a new buffer: `block.words * 4` bytes (else `internal`).
	 */
	readback(block: Block, into?: ArrayBuffer): Promise<ArrayBuffer>;
	/** Resolves when all enqueued work has completed; rejects with `device-lost`. */
	done(): Promise<void>;
	counters(): ComputeCounters;
	/** Fires once when the device is lost; everything made by this instance is then dead. */
	readonly lost: Promise<Error>;
	destroy(): void;
}

/** What a backend did; tests count readbacks with it, the report sums times. */
export interface ComputeCounters {
	readonly dispatches: number;
	readonly uploads: number;
	readonly uploadBytes: number;
	readonly uploadSeconds: number;
	readonly readbacks: number;
	readonly readbackBytes: number;
	readonly readbackSeconds: number;
	readonly bytesInUse: number;
	readonly bytesPooled: number;
	readonly peakBytes: number;
}
