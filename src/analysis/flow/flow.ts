/** Optical flow between two frames by RIFE, at a bounded size, with a confidence (see README.md). */

import type { Compute, Picture } from '../../contracts/compute.ts';
import type { ModelRuntime } from '../../contracts/models.ts';
import type { FlowField } from '../../contracts/stage.ts';
import type { Size } from '../../core/color.ts';
import { sameSize, using, usingAsync } from '../../gpu/op.ts';
import { flowConfidence } from '../../gpu/ops/confidence/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
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
 * Flow from `a` to `b`: for each pixel of `a` where it lies in `b`, with confidence by going there and back. Two runs of
 * RIFE, at t = 0 (flow a→b) and t = 1 (flow b→a). Pictures are R′G′B′ of one size. The caller owns the field.
 */
export async function computeFlow(env: FlowEnv, a: Picture, b: Picture, maxSide = FLOW_SIDE): Promise<FlowField> {
	const { compute } = env;
	sameSize('flow', a, b);
	const size = flowSize(a, maxSide);
	const fits = size.width === a.width && size.height === a.height;
	const from = fits ? a.retain() : resize(compute, a, size.width, size.height);
	const to = fits ? b.retain() : resize(compute, b, size.width, size.height);
	return usingAsync([from, to], async () => {
		const vectors = await oneWay(env, from, to, 0);
		try {
			const backward = await oneWay(env, from, to, 1);
			const confidence = using([backward], () => flowConfidence(compute, vectors, backward));
			return { ...size, vectors, confidence };
		} catch (error) {
			vectors.release();
			throw error;
		}
	});
}

/** The frame at t is a (t = 0: its flow to b) or b (t = 1: its flow to a). */
async function oneWay(env: FlowEnv, a: Picture, b: Picture, t: 0 | 1): Promise<Picture> {
	const { flow } = await interpolateRun(env.models, env.compute, a, b, t, ['flow'], env.signal);
	return using([flow], () => channelsOf(env.compute, flow, t === 0 ? 2 : 0, 2));
}

/** Releases both pictures of a field. */
export function releaseFlow(field: FlowField): void {
	field.vectors.release();
	field.confidence.release();
}
