/** Models: the manifest's form and the runtime that stages see. Types only. */

import type { Picture } from './compute.ts';

/** What a model is for. */
export type ModelRole =
	'interpolate' | 'denoise' | 'upscale-faithful' | 'upscale-vivid' | 'damage' | 'deblur' | 'diagnose';

/** A tensor of a model: shape entries are numbers or `H`, `W`, `H/2`… of the input. */
export interface TensorSpec {
	readonly name: string;
	readonly shape: readonly (number | string)[];
	readonly range: string;
	readonly meaning: string;
}

/** One line of `public/models/models.json`. */
export interface ModelSpec {
	readonly id: string;
	readonly role: ModelRole;
	readonly file: string;
	readonly sha256: string;
	readonly bytes: number;
	readonly license: string;
	readonly source: string;
	readonly opset: number;
	readonly precision: string;
	readonly inputs: readonly TensorSpec[];
	readonly outputs: readonly TensorSpec[];
	/** Width and height must be multiples of this. */
	readonly align: number;
	/** Output side ÷ input side. */
	readonly scale: number;
	/** Preferred tile side in input pixels. */
	readonly tile: number;
	/** Receptive-field radius in input pixels; null where unbounded. */
	readonly halo: number | null;
	readonly boundedReceptiveField: boolean;
	readonly channelPadding: string;
	readonly costGflopPerMegapixel: number;
	readonly canary: {
		readonly width: number;
		readonly height: number;
		readonly inputs: Readonly<Record<string, string>>;
		readonly outputs: Readonly<Record<string, string>>;
		readonly toleranceWasm: number;
		readonly toleranceWebgpu: number;
	};
}

/** The whole manifest. */
export interface ModelManifest {
	readonly version: 1;
	readonly models: readonly ModelSpec[];
}

/** A tensor handed to or taken from a model: pictures stay where the backend has them. Dims are [1, channels, height, width]. */
export type ModelTensors = Readonly<Record<string, Picture>>;

/** Size of an output the caller expects. */
export interface TensorSize {
	readonly width: number;
	readonly height: number;
	readonly channels: number;
}

/** Runs models on the backend of the restore worker, one call at a time. */
export interface ModelRuntime {
	spec(id: string): ModelSpec;
	/**
	 * Runs a model once. The first use creates the session and runs the canary; a model whose canary fails throws
	 * `canary-failed` and is never used. Outputs are pooled pictures the caller releases. `wanted` names the outputs
	 * and their sizes. Throws `aborted` before the run when the signal has fired.
	 */
	run(
		id: string,
		inputs: ModelTensors,
		wanted: Readonly<Record<string, TensorSize>>,
		signal: AbortSignal,
	): Promise<Record<string, Picture>>;
	/** Creates a model's session and runs its canary ahead of its first use, where that has not happened. Throws as `run` does. */
	ready(id: string, signal: AbortSignal): Promise<void>;
	/** Models used so far, with hashes and canary results, for the report. */
	used(): readonly ModelUse[];
	release(): Promise<void>;
}

/** One used model in the report. */
export interface ModelUse {
	readonly id: string;
	readonly sha256: string;
	readonly runs: number;
	readonly seconds: number;
	readonly canaryError: number;
}
