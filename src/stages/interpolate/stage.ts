import { PROVENANCE, type Stage, type ValuesOf, type WorkingFrame } from '../../contracts/stage.ts';
import { toNumber } from '../../core/rational.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { analyzeShot, type ShotGrain } from './analyze.ts';
import { meta, type params } from './meta.ts';
import { between, LEAST_SIDE } from './motion.ts';
import type { PairStatistics } from './pairs.ts';
import { surveyPairs } from './survey.ts';
import { interpolateTimeline } from './timeline.ts';

type Values = ValuesOf<typeof params>;

/** GFLOP a megapixel, as in the model manifest. */
const RIFE_GFLOP = 42.5;
const FFDNET_GFLOP = 427;

function isIdentity({ factor, rate, slow }: Values): boolean {
	return rate === '' && factor === 1 && slow === 1;
}

/** Creates frames between frames; see README.md. */
export const stage: Stage<typeof params, ShotGrain | undefined, PairStatistics> = {
	meta,
	// None to be made ready ahead: the first frame is never a created one, and RIFE's session would keep it waiting.
	models: () => [],
	// Only created frames are rendered: originals and repeats pass, with their source planes.
	touches: (frame) => frame.origin === 'created',
	needs: (frame, { scale, denoised }, _shot, artifact) => {
		const options = { maxSide: scale, minSide: LEAST_SIDE, denoise: denoised ? (artifact?.sigma ?? 0) : 0 };
		const guides = frame.needs.length === 2 ? frame.needs.map((index) => ({ index, ...options })) : [];
		return { inputs: frame.needs, guides };
	},
	surveys: ({ still }) => still > 0,
	survey: (access, _params, env) => surveyPairs(access, env),
	timeline: (input, params, surveys, scope) => interpolateTimeline(input, params, surveys, scope),
	analyze: async (access, { denoised, scale }, env) => (denoised ? analyzeShot(access, scale, env) : undefined),
	async render({ frame, input, guide }, env): Promise<WorkingFrame> {
		const [first, second] = frame.needs;
		const a = input(first!);
		if (second === undefined || !frame.timestep) {
			for (const side of Object.values(a.sides)) side.retain();
			return { ...a, picture: a.picture.retain() };
		}
		const picture = await between(
			env,
			{ picture: a.picture, guide: guide(first!) },
			{ picture: input(second).picture, guide: guide(second) },
			toNumber(frame.timestep),
		);
		const { width, height } = picture;
		return {
			picture,
			sides: { provenance: filled(env.compute, width, height, 1, PROVENANCE.generated) },
			color: a.color,
		};
	},
	costHint(params, { width, height }) {
		const shrink = Math.min(1, params.scale / Math.max(width, height)) ** 2;
		const created = isIdentity(params) ? 0 : Math.max(0, params.factor - 1);
		const perFrame = RIFE_GFLOP + (params.denoised ? 2 * FFDNET_GFLOP : 0);
		return { gflopPerFrame: ((width * height * shrink) / 1e6) * perFrame * created };
	},
};
