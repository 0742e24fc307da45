/** Optical flow between two frames by RIFE, at a bounded size, with a confidence (see README.md). */

import type { Compute, Picture } from '../../contracts/compute.ts';
import type { ModelRuntime } from '../../contracts/models.ts';
import type { FlowField } from '../../contracts/stage.ts';
import type { Size } from '../../core/color.ts';
import { sameSize, using, usingAsync } from '../../gpu/op.ts';
import { flowConfidence } from '../../gpu/ops/confidence/op.ts';
import { add } from '../../gpu/ops/difference/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { warp } from '../../gpu/ops/warp/op.ts';
import { channelsOf } from '../../gpu/ops/window/op.ts';
import { interpolateRun } from '../../models/rife.ts';

/** What flow needs of a stage's environment. */
export interface FlowEnv {
	readonly compute: Compute;
	readonly models: ModelRuntime;
	readonly signal: AbortSignal;
}

/** Longest side at which flow is computed unless a stage asks otherwise. */
export const FLOW_SIDE = 640;

/** The size of a flow: the picture's, reduced to `maxSide` where it is larger. */
export function flowSize({ width, height }: Size, maxSide: number = FLOW_SIDE): Size {
	const scale = Math.min(1, maxSide / Math.max(width, height));
	return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * Flow from `a` to `b`: for each pixel of `a` where it lies in `b`, with confidence by going there and back. Pictures are
 * R′G′B′ of one size. The caller owns the field.
 */
export async function computeFlow(env: FlowEnv, a: Picture, b: Picture, maxSide = FLOW_SIDE): Promise<FlowField> {
	const { forward, backward } = await computeFlowPair(env, a, b, maxSide);
	releaseFlow(backward);
	return forward;
}

/** Both directions, from the same single run of the network. The caller owns both fields. */
export async function computeFlowPair(
	env: FlowEnv,
	a: Picture,
	b: Picture,
	maxSide = FLOW_SIDE,
): Promise<{ forward: FlowField; backward: FlowField }> {
	const { compute } = env;
	sameSize('flow', a, b);
	const size = flowSize(a, maxSide);
	const fits = size.width === a.width && size.height === a.height;
	const from = fits ? a.retain() : resize(compute, a, size.width, size.height);
	const to = fits ? b.retain() : resize(compute, b, size.width, size.height);
	const { flow } = await usingAsync([from, to], () =>
		interpolateRun(env.models, compute, from, to, MIDDLE, ['flow'], env.signal),
	);
	const ends = using([flow], () => endFlows(compute, flow));
	return using(ends, () => {
		const [forward, backward] = ends;
		return {
			forward: { ...size, vectors: forward.retain(), confidence: flowConfidence(compute, forward, backward) },
			backward: { ...size, vectors: backward.retain(), confidence: flowConfidence(compute, backward, forward) },
		};
	});
}

/** The network is asked here; elsewhere, and at 0 and 1 above all, its flow is far worse (README.md). */
const MIDDLE = 0.5;
/** How often the doubled flow is looked up anew at the place it says it passes through. */
const LOOKUPS = 2;

/** The flows a→b, seen from a, and b→a, seen from b, of a flow seen from the middle (to a, to b). */
function endFlows(compute: Compute, middle: Picture): readonly [Picture, Picture] {
	const toA = channelsOf(compute, middle, 0, 2);
	const toB = channelsOf(compute, middle, 2, 2);
	return using([toA, toB], () => {
		const forward = seenFromEnd(compute, toB);
		return [forward, seenFromEnd(compute, toA)] as const;
	});
}

/**
 * Doubles half of a motion and moves it from the middle to the end it starts from: the motion F of the point that is at p
 * there passes the middle at p + F/2, so F(p) = 2·half(p + F(p)/2), solved by looking up repeatedly.
 */
function seenFromEnd(compute: Compute, half: Picture): Picture {
	let flow = add(compute, half, half);
	for (let i = 0; i < LOOKUPS; i++) {
		const doubled = warp(compute, half, flow, { filter: 'bilinear', scale: 0.5 });
		flow.release();
		flow = using([doubled], () => add(compute, doubled, doubled));
	}
	return flow;
}

/** Releases both pictures of a field. */
export function releaseFlow(field: FlowField): void {
	field.vectors.release();
	field.confidence.release();
}
