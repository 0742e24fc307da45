/** Flows and guides, the edges of the graph that several stages and neighboring frames share: each is made once. */

import type { Picture } from '../contracts/compute.ts';
import {
	type FlowField,
	type FlowRequest,
	type GuideOptions,
	type GuideRequest,
	type StageEnv,
	type WorkingFrame,
} from '../contracts/stage.ts';
import { EmulsionError } from '../core/errors.ts';
import type { FrameStore } from '../store/frame-store.ts';
import { picturesOf, releaseFrame } from '../store/frames.ts';
import type { FrameKeys } from './frame-keys.ts';

/** How motion is estimated. */
export interface Motion {
	/** Names method and models, for cache keys. */
	readonly key: string;
	/** The guide of a picture; the picture itself, retained, where nothing is to be done. The caller owns it. */
	guide(picture: Picture, options: GuideOptions, env: StageEnv): Promise<Picture>;
	/** Flows between two guides, from one run: `forward` is seen from `a`, `backward` from `b`. The caller owns both. */
	pair(a: Picture, b: Picture, env: StageEnv): Promise<{ forward: FlowField; backward: FlowField }>;
}

/** What the edges are made of. */
export interface MotionEdgesDeps {
	readonly motion: Motion;
	readonly store: FrameStore;
	readonly keys: FrameKeys;
	/** A level's frame; the caller owns it. */
	frame(level: number, index: number): Promise<WorkingFrame>;
	/** Runs work under the clock of a kind of edge. */
	timed<R>(kind: 'flow' | 'guide', work: (env: StageEnv) => Promise<R>): Promise<R>;
	/** An edge between a level's frames was made or found, for the level above. */
	touch(level: number, key: string, made: boolean): void;
	/** A pair was estimated, not found. */
	readonly onFlow?: () => void;
}

/** See the file's comment. */
export class MotionEdges {
	readonly #deps: MotionEdgesDeps;

	constructor(deps: MotionEdgesDeps) {
		this.#deps = deps;
	}

	/** A frame's guide; the caller owns it. */
	async guide(level: number, request: GuideRequest): Promise<Picture> {
		return (await this.#guide(level, request)).picture;
	}

	/** A flow; the caller owns it. */
	async flow(level: number, request: FlowRequest): Promise<FlowField> {
		const key = await this.#deps.keys.flow(level, request);
		const found = await this.#deps.store.get(key);
		if (found) {
			this.#deps.touch(level, key, false);
			return flowOf(found);
		}
		const { from, to } = request;
		const { forward, backward } = await this.#estimate(level, request);
		const [wanted, other] = from < to ? [forward, backward] : [backward, forward];
		releaseFlow(other);
		return wanted;
	}

	async #guide(level: number, request: GuideRequest): Promise<WorkingFrame> {
		const { store, keys, motion, frame, timed, touch } = this.#deps;
		const { index, ...options } = request;
		const key = await keys.guide(level, request);
		const found = await store.get(key);
		if (found) {
			touch(level, key, false);
			return found;
		}
		const input = await frame(level, index);
		try {
			const picture = await timed('guide', (env) => motion.guide(input.picture, options, env));
			const guide: WorkingFrame = { picture, sides: {}, color: input.color };
			// The frame itself is kept already.
			if (picture !== input.picture) {
				store.put(key, guide, false);
				touch(level, key, true);
			}
			return guide;
		} finally {
			releaseFrame(input);
		}
	}

	/** Earlier frame first, whoever asks: the network is not symmetric, and the answer must not depend on the order of questions. */
	async #estimate(level: number, { from, to, ...options }: FlowRequest) {
		const { store, keys, motion, timed, touch, onFlow } = this.#deps;
		const [first, second] = [Math.min(from, to), Math.max(from, to)];
		const held: WorkingFrame[] = [];
		try {
			for (const index of [first, second]) held.push(await this.#guide(level, { index, ...options }));
			const [a, b] = held as [WorkingFrame, WorkingFrame];
			const pair = await timed('flow', (env) => motion.pair(a.picture, b.picture, env));
			onFlow?.();
			for (const [flow, ends] of [
				[pair.forward, { from: first, to: second }],
				[pair.backward, { from: second, to: first }],
			] as const) {
				const frame = { picture: flow.vectors, sides: { matte: flow.confidence }, color: a.color };
				const key = await keys.flow(level, { ...options, ...ends });
				store.put(key, frame, false);
				touch(level, key, true);
			}
			return pair;
		} finally {
			held.forEach(releaseFrame);
		}
	}
}

/** A flow rests in the store as a frame: vectors as its picture, confidence as its matte. */
function flowOf(frame: WorkingFrame): FlowField {
	const { picture: vectors, sides } = frame;
	const confidence = sides.matte;
	if (!confidence) {
		for (const picture of picturesOf(frame)) picture.release();
		throw new EmulsionError('internal', 'a stored flow has no confidence plane');
	}
	return { width: vectors.width, height: vectors.height, vectors, confidence };
}

/** Releases both pictures of a field. */
export function releaseFlow(flow: FlowField): void {
	flow.vectors.release();
	flow.confidence.release();
}
