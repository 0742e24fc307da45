/**
 * The canary: before a model is used on a device for the first time, a small fixed input must give what the shipped
 * reference says. Wrong numbers from a driver or a library are found here, not in somebody's film.
 */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelSpec, TensorSize } from '../contracts/models.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { fetchFloats, tensorDims } from './manifest.ts';
import type { ModelSession } from './session.ts';

/** What a canary found. */
export interface CanaryResult {
	/** Largest difference from the reference, over all outputs. */
	readonly error: number;
	/** Wall time of the run, first-use compilation included. */
	readonly seconds: number;
}

/** Sizes of all outputs for an input size. */
export function outputSizes(spec: ModelSpec, height: number, width: number): Record<string, TensorSize> {
	return Object.fromEntries(
		spec.outputs.map((output) => {
			const [, channels, h, w] = tensorDims(output, height, width) as [number, number, number, number];
			return [output.name, { channels, height: h, width: w }];
		}),
	);
}

async function uploadInputs(compute: Compute, base: string, spec: ModelSpec): Promise<Record<string, Picture>> {
	const { width, height, inputs } = spec.canary;
	const pictures: Record<string, Picture> = {};
	for (const input of spec.inputs) {
		const [, channels, h, w] = tensorDims(input, height, width) as [number, number, number, number];
		const data = await fetchFloats(`${base}${inputs[input.name]}`, channels * h * w);
		pictures[input.name] = compute.uploadPicture(data, w, h, channels);
	}
	return pictures;
}

function largestError(got: Float32Array, expected: Float32Array): number {
	let worst = 0;
	for (let i = 0; i < expected.length; i++) {
		const error = Math.abs((got[i] as number) - (expected[i] as number));
		// A NaN compares false with everything: it must not pass.
		if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
	}
	return worst;
}

/** Runs the canary. Throws `canary-failed` beyond the manifest's tolerance of this backend. */
export async function runCanary(
	compute: Compute,
	base: string,
	spec: ModelSpec,
	session: ModelSession,
): Promise<CanaryResult> {
	const { width, height, outputs, toleranceWasm, toleranceWebgpu } = spec.canary;
	const held: Picture[] = [];
	try {
		const inputs = await uploadInputs(compute, base, spec);
		held.push(...Object.values(inputs));
		const started = performance.now();
		const results = await session.run(inputs, outputSizes(spec, height, width));
		held.push(...Object.values(results));
		await compute.done();
		const seconds = (performance.now() - started) / 1000;
		let error = 0;
		for (const [name, picture] of Object.entries(results)) {
			const expected = await fetchFloats(`${base}${outputs[name]}`, picture.words);
			const got = new Float32Array(await compute.readback(picture));
			error = Math.max(error, largestError(got, expected));
		}
		const allowed = compute.info.kind === 'webgpu' ? toleranceWebgpu : toleranceWasm;
		if (!(error <= allowed)) throw failed(compute, spec, error, allowed);
		return { error, seconds };
	} finally {
		for (const picture of held) picture.release();
	}
}

function failed(compute: Compute, spec: ModelSpec, error: number, allowed: number): EmulsionError {
	return new EmulsionError(
		'canary-failed',
		phrase('canary-wrong', { model: spec.id, device: compute.info.name, error: error.toPrecision(3), allowed }),
		{ data: { model: spec.id, error, allowed, backend: compute.info.key } },
	);
}
