/** What every WebGPU test stands on: a real device, error scopes around the test, nothing left behind. */

import { expect } from 'vitest';
import type { Op } from '../../src/contracts/compute.ts';
import { createCompute } from '../../src/gpu/create.ts';
import { CpuCompute } from '../../src/gpu/cpu-compute.ts';
import { WebGpuCompute } from '../../src/gpu/webgpu-compute.ts';

/** A WebGPU backend (SwiftShader under the test flags). */
export async function makeGpu(memoryBudget = 2 ** 28): Promise<WebGpuCompute> {
	const compute = await createCompute({ wish: 'webgpu', memoryBudget });
	if (!(compute instanceof WebGpuCompute)) throw new Error('expected the WebGPU backend');
	return compute;
}

/** A CPU backend. */
export function makeCpu(memoryBudget = 2 ** 28): CpuCompute {
	return new CpuCompute({ memoryBudget, threads: 1, reason: 'test' });
}

/** Runs a test with a device; any validation or memory error, and any block not released, fails it. */
export async function withErrorScope(test: (compute: WebGpuCompute) => Promise<void>): Promise<void> {
	const compute = await makeGpu();
	const { device } = compute;
	device.pushErrorScope('validation');
	device.pushErrorScope('out-of-memory');
	device.pushErrorScope('internal');
	try {
		const failure = await test(compute).then(
			() => undefined,
			(error: unknown) => ({ error }),
		);
		// What the device reports comes first: it is the reason of what follows.
		for (let i = 0; i < 3; i++) expect((await device.popErrorScope())?.message).toBeUndefined();
		if (failure !== undefined) throw failure.error;
		await compute.done();
		expect(compute.live, 'blocks not released').toBe(0);
	} finally {
		compute.destroy();
	}
}

/** Reproducible numbers in lo…hi. */
export function noise(count: number, seed: number, lo = 0, hi = 1): Float32Array<ArrayBuffer> {
	let state = seed >>> 0 || 1;
	return Float32Array.from({ length: count }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return lo + ((state >>> 8) / 0x1000000) * (hi - lo);
	});
}

/** Largest absolute difference. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
	expect(a.length).toBe(b.length);
	let max = 0;
	for (let i = 0; i < a.length; i++) {
		const d = Math.abs((a[i] as number) - (b[i] as number));
		if (!(d <= max)) max = d;
	}
	return max;
}

/** Runs an op's shader and its twin on the same numbers and returns both outputs. */
export async function bothTwins<P>(
	compute: WebGpuCompute,
	op: Op<P>,
	inputs: readonly Float32Array<ArrayBuffer>[],
	outputLength: number,
	params: P,
	initial?: Float32Array<ArrayBuffer>,
): Promise<{ shader: Float32Array<ArrayBuffer>; twin: Float32Array<ArrayBuffer> }> {
	const blocks = inputs.map((data) => compute.upload(data));
	const output = initial ? compute.upload(initial) : compute.block(outputLength);
	compute.run(op, blocks, [output], params);
	const shader = new Float32Array(await compute.readback(output));
	[...blocks, output].forEach((block) => block.release());
	const twin = initial?.slice() ?? new Float32Array(outputLength);
	op.cpu(inputs, [twin], params);
	return { shader, twin };
}

/** Like {@link bothTwins} for an op of several outputs. */
export async function bothTwinsOf<P>(
	compute: WebGpuCompute,
	op: Op<P>,
	inputs: readonly Float32Array<ArrayBuffer>[],
	outputLengths: readonly number[],
	params: P,
): Promise<{ shader: Float32Array<ArrayBuffer>; twin: Float32Array<ArrayBuffer> }[]> {
	const blocks = inputs.map((data) => compute.upload(data));
	const outputs = outputLengths.map((length) => compute.block(length));
	compute.run(op, blocks, outputs, params);
	const shaders: Float32Array<ArrayBuffer>[] = [];
	for (const output of outputs) shaders.push(new Float32Array(await compute.readback(output)));
	[...blocks, ...outputs].forEach((block) => block.release());
	const twins = outputLengths.map((length) => new Float32Array(length));
	op.cpu(inputs, twins, params);
	return shaders.map((shader, i) => ({ shader, twin: twins[i]! }));
}
