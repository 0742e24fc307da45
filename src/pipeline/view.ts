/** Previews: which frame of which level a view shows, and drawing it beside the source. */

import type { Compute } from '../contracts/compute.ts';
import type { WorkingFrame } from '../contracts/stage.ts';
import type { ViewResult, ViewState } from '../contracts/workers.ts';
import { EmulsionError, throwIfAborted } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { ProvenanceShares } from '../core/provenance.ts';
import { toNumber } from '../core/rational.ts';
import type { Viewer } from '../gpu/viewer/view.ts';
import { releaseFrame } from '../store/frames.ts';
import type { Executor } from './executor.ts';
import { provenanceShares } from './ops/provenance.ts';
import type { PlannedSource } from './plan-cache.ts';
import type { Plan } from './plan-types.ts';
import { resolvedValues } from './resolved.ts';

/** Frames whose shares are remembered. */
const REMEMBERED = 20_000;

/** Provenance of frames by cache key: counting reads back from the GPU, which playback cannot afford twice. */
export class SharesMemo {
	readonly #known = new Map<string, ProvenanceShares>();

	/** The shares of a frame, counted at first use. */
	async of(key: string, count: () => Promise<ProvenanceShares>): Promise<ProvenanceShares> {
		const known = this.#known.get(key);
		if (known) return known;
		const shares = await count();
		if (this.#known.size >= REMEMBERED) this.#known.clear();
		this.#known.set(key, shares);
		return shares;
	}
}

/** A frame of a level, under one of its stage's views. */
export interface ViewTarget {
	readonly level: number;
	readonly index: number;
	readonly view: string;
}

/**
 * Where a view's picture is made. `index` counts in the plan's timeline; `result` and `provenance` show the last level,
 * `<entry id>/<view>` a stage's own picture. Throws `usage` for anything else.
 */
export function resolveView(plan: Plan, index: number, view: string): ViewTarget {
	const top = plan.levels.length - 1;
	if (!plan.timeline.frames[index]) {
		throw new EmulsionError(
			'usage',
			phrase('expected', { path: 'frame', expected: `0–${plan.timeline.frames.length - 1}`, got: index }),
			{ path: 'frame' },
		);
	}
	let at = plan.window.start + index;
	if (view === 'result' || view === 'provenance') return { level: top, index: at, view: 'result' };
	const [entry, name = ''] = view.split('/');
	for (let level = top; level > 0; level--) {
		const { step, timeline } = plan.levels[level]!;
		if (step?.entry.id === entry && (name === 'result' || step?.stage.meta.views.includes(name))) {
			return { level, index: at, view: name };
		}
		at = timeline.frames[at]!.needs[0]!;
	}
	throw new EmulsionError(
		'usage',
		phrase('expected', { path: 'view', expected: ['result', 'provenance', '<stage id>/<view>'], got: `"${view}"` }),
		{ path: 'view' },
	);
}

/** What a view is drawn and described with. */
export interface ViewTools {
	readonly viewer: Viewer;
	readonly compute: Compute;
	readonly shares: SharesMemo;
}

/** Renders what a view shows, draws it, and says what its pixels are and what was measured for them. */
export async function viewFrame(
	{ plan }: PlannedSource,
	executor: Executor,
	{ viewer, compute, shares }: ViewTools,
	state: ViewState,
	signal: AbortSignal,
): Promise<Omit<ViewResult, 'seconds'>> {
	const target = resolveView(plan, state.frame, state.view);
	const { info } = plan.request;
	const sourceFrame = plan.levels.at(-1)!.sources[plan.window.start + state.frame]!;
	const held: WorkingFrame[] = [];
	try {
		const hold = async (frame: Promise<WorkingFrame>) => {
			const got = await frame;
			held.push(got);
			return got;
		};
		const source = state.mode === 'result' ? undefined : await hold(executor.frame(0, sourceFrame));
		const result =
			state.mode === 'source' ? undefined : await hold(executor.frame(target.level, target.index, target.view));
		throwIfAborted(signal);
		const provenance = state.view === 'provenance' ? result?.sides.provenance : undefined;
		await viewer.draw(
			{
				...(source ? { source: source.picture } : {}),
				...(result ? { result: result.picture } : {}),
				...(provenance ? { provenance } : {}),
			},
			state,
			{
				transfer: info.color.transfer,
				pixelAspect: toNumber(info.sampleAspect) || 1,
				rotation: info.rotation,
			},
		);
		const { width, height } = result?.picture ?? plan.size;
		const { origin } = plan.timeline.frames[state.frame]!;
		const told = resolvedValues(plan.levels, plan.window.start + state.frame, executor);
		const drawn = { frame: state.frame, sourceFrame, origin, ...told, rendered: true, size: { width, height } };
		if (!result || target.view !== 'result' || target.level !== plan.levels.length - 1) return drawn;
		const key = await executor.key(target.level, target.index);
		return { ...drawn, provenance: await shares.of(key, () => provenanceShares(compute, result)) };
	} finally {
		for (const frame of held) releaseFrame(frame);
	}
}
