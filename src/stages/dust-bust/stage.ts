import { shotGrain } from '../../analysis/grain/shot.ts';
import type { GrainProfile } from '../../analysis/grain/profile.ts';
import type { Rgb } from '../../analysis/noise/match.ts';
import { shotNoise } from '../../analysis/noise/shot.ts';
import type { Compute, Picture } from '../../contracts/compute.ts';
import type { FrameRange } from '../../contracts/frames.ts';
import {
	PROVENANCE,
	type RenderRequest,
	type ShotAccess,
	type Stage,
	type StageEnv,
	type ValuesOf,
	type WorkingFrame,
} from '../../contracts/stage.ts';
import type { TimelineFrame } from '../../core/timeline.ts';
import { produce, using, usingAsync } from '../../gpu/op.ts';
import { residualView } from '../../gpu/ops/difference/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { mix } from '../../gpu/ops/mix/op.ts';
import { stack } from '../../gpu/ops/stack/op.ts';
import { DIRT } from '../../models/dirt.ts';
import { DEGRAIN, FFDNET } from '../../models/ffdnet.ts';
import { RIFE } from '../../models/rife.ts';
import { markOp } from './gpu.ts';
import { type Choice, choose, findDirt, lookOf, type Neighbor, patchOf } from './heal.ts';
import { meta, type params } from './meta.ts';

type Values = ValuesOf<typeof params>;

/** Artifact of `dust-bust`: how strong the shot's grain is, and what it is like. */
export interface DustArtifact {
	/** Standard deviation on the scale of the picture; 0 where there is too little to reckon with. */
	readonly sigma: number;
	/** Absent where nothing could be measured. */
	readonly profile: GrainProfile | undefined;
}

/** Longest side at which motion is estimated. */
export const GUIDE_SIDE = 640;
/** Gain of the residual view. */
export const RESIDUAL_GAIN = 8;
/** Grain below this (8-bit codes) is less than quantization makes: nothing is taken off guides, nothing is laid. */
const LEAST_SIGMA = 0.4 / 255;
/** GFLOP a megapixel, as in the model manifest. */
const [DIRT_GFLOP, FFDNET_GFLOP, RIFE_GFLOP] = [33.2, 427, 42.5];

/** The frames before and after; none where the shot has only one of them: from one side, what is uncovered looks like dirt. */
function neighborsOf(frame: TimelineFrame, shot: FrameRange): readonly [number, number] | undefined {
	const own = frame.needs[0]!;
	return own - 1 >= shot.start && own + 1 < shot.end ? [own - 1, own + 1] : undefined;
}

async function analyze(access: ShotAccess, _values: Values, { compute, breathe }: StageEnv): Promise<DustArtifact> {
	const picture = async (index: number): Promise<Picture> => {
		const { picture: own, sides } = await access.frame(index);
		for (const side of Object.values(sides)) side.release();
		return own;
	};
	const read = async (index: number): Promise<Rgb> => {
		const own = await picture(index);
		const { width, height } = own;
		return usingAsync([own], async () => ({ data: new Float32Array(await compute.readback(own)), width, height }));
	};
	const { sigma } = await shotNoise({ compute, range: access.range, picture, breathe });
	if (sigma < LEAST_SIGMA) return { sigma: 0, profile: undefined };
	return { sigma, profile: await shotGrain(access.range, read, breathe) };
}

/** The share of what heals, and what heals it. */
interface Repair {
	readonly share: Picture;
	readonly patch: Picture;
}

async function repair(
	request: RenderRequest<Values, DustArtifact>,
	env: StageEnv,
	[before, after]: readonly [number, number],
): Promise<Repair> {
	const { frame, params: values, artifact, input, guide, flow } = request;
	const own = frame.needs[0]!;
	const { picture } = input(own);
	const neighbor = (index: number): Neighbor => ({
		picture: input(index).picture,
		guide: guide(index),
		flow: flow(own, index),
	});
	const sigma = artifact?.sigma ?? 0;
	const found = await findDirt(env, picture, neighbor(before), neighbor(after), sigma);
	return usingAsync([found.mask, found.healed, found.unrest], async () => {
		const choice = { ...values, polarity: values.polarity as Choice['polarity'] };
		const share = choose(env.compute, picture, found, choice, sigma);
		try {
			const look = values.regrain && sigma > 0 ? lookOf(artifact?.profile) : undefined;
			// Every frame gets grain of its own.
			const patch = await patchOf(env, picture, found.healed, share, { sigma, look, seed: frame.index });
			return { share, patch };
		} catch (error) {
			share.release();
			throw error;
		}
	});
}

/** The input's provenance; all original where it has none. The caller owns the plane. */
function provenanceOf(compute: Compute, { picture, sides }: WorkingFrame): Picture {
	return sides.provenance?.retain() ?? filled(compute, picture.width, picture.height, 1, PROVENANCE.original);
}

/** The input's provenance, and repaired where the share is above 0. The caller owns the plane. */
function marked(compute: Compute, frame: WorkingFrame, share: Picture): Picture {
	const { width, height } = share;
	const before = provenanceOf(compute, frame);
	return using([before], () =>
		produce(compute, width, height, 1, (output) => {
			compute.run(markOp, [before, share], [output], { area: width * height, level: PROVENANCE.repaired });
		}),
	);
}

/** One plane as a gray picture. The caller owns it. */
function gray(compute: Compute, plane: Picture): Picture {
	const two = stack(compute, plane, plane);
	return using([two], () => stack(compute, two, plane));
}

async function render(request: RenderRequest<Values, DustArtifact>, env: StageEnv): Promise<WorkingFrame> {
	const { compute } = env;
	const { frame, shot, view } = request;
	const input = request.input(frame.needs[0]!);
	const { picture, color } = input;
	const neighbors = neighborsOf(frame, shot);
	const done = neighbors
		? await repair(request, env, neighbors)
		: { share: filled(compute, picture.width, picture.height, 1, 0), patch: picture.retain() };
	const { share, patch } = done;
	return using([share, patch], () => {
		if (view === 'mask') return { picture: gray(compute, share), sides: {}, color };
		const result = mix(compute, picture, patch, 1, share);
		if (view === 'residual') {
			const shown = using([result], () => residualView(compute, picture, result, RESIDUAL_GAIN));
			return { picture: shown, sides: {}, color };
		}
		return { picture: result, sides: { provenance: marked(compute, input, share) }, color };
	});
}

/** Removes dirt; see README.md. */
export const stage: Stage<typeof params, DustArtifact> = {
	meta,
	models: ({ regrain }) => [DIRT, RIFE, FFDNET, ...(regrain ? [DEGRAIN] : [])],
	touches: () => true,
	needs(frame, _values, shot, artifact) {
		const own = frame.needs[0]!;
		const neighbors = neighborsOf(frame, shot);
		if (!neighbors) return { inputs: [own] };
		const options = { maxSide: GUIDE_SIDE, denoise: artifact?.sigma ?? 0 };
		return {
			inputs: [own, ...neighbors],
			flows: neighbors.map((to) => ({ from: own, to, ...options })),
			guides: neighbors.map((index) => ({ index, ...options })),
		};
	},
	analyze,
	render,
	costHint: ({ regrain }, { width, height }) => ({
		gflopPerFrame: ((width * height) / 1e6) * (DIRT_GFLOP + 2 * RIFE_GFLOP + FFDNET_GFLOP * (regrain ? 2 : 1)),
	}),
};
