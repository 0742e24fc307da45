import { PROVENANCE, type Stage, type ValuesOf, type WorkingFrame } from '../../contracts/stage.ts';
import { toNumber } from '../../core/rational.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { analyzeShot, type ShotStatistics } from './analyze.ts';
import { meta, type params } from './meta.ts';
import { between } from './motion.ts';
import { interpolateTimeline } from './timeline.ts';

type Values = ValuesOf<typeof params>;

/** GFLOP a megapixel, as in the model manifest. */
const RIFE_GFLOP = 42.5;
const FFDNET_GFLOP = 427;

function isIdentity({ factor, rate, slow }: Values): boolean {
	return rate === '' && factor === 1 && slow === 1;
}

/** Creates frames between frames; see README.md. */
export const stage: Stage<typeof params, ShotStatistics> = {
	meta,
	// Only created frames are rendered: originals and repeats pass, with their source planes.
	touches: (frame) => frame.origin === 'created',
	needs: (frame) => ({ inputs: frame.needs }),
	timeline: (input, params, artifacts, scope) => interpolateTimeline(input, params, artifacts, scope),
	analyze: (access, { denoised, scale, still }, env) =>
		analyzeShot(access, { pairs: still > 0, noiseSide: denoised ? scale : 0 }, env),
	async render({ frame, params, artifact, input }, env): Promise<WorkingFrame> {
		const [first, second] = frame.needs;
		const a = input(first!);
		if (second === undefined || !frame.timestep) {
			for (const side of Object.values(a.sides)) side.retain();
			return { ...a, picture: a.picture.retain() };
		}
		const options = { maxSide: params.scale, sigma: params.denoised ? (artifact?.sigma ?? 0) : 0 };
		const picture = await between(env, a.picture, input(second).picture, toNumber(frame.timestep), options);
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
