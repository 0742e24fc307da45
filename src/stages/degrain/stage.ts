import type { Compute, Picture } from '../../contracts/compute.ts';
import type { FrameRange } from '../../contracts/frames.ts';
import {
	PROVENANCE,
	type RenderRequest,
	type Stage,
	type StageEnv,
	type ValuesOf,
	type WorkingFrame,
} from '../../contracts/stage.ts';
import type { TimelineFrame } from '../../core/timeline.ts';
import { doubtfulCodec, measuredOn } from '../../analysis/noise/coded.ts';
import type { ShotNoise } from '../../analysis/noise/shot.ts';
import { shotNoise } from '../../analysis/noise/shot.ts';
import type { Matrix3 } from '../../gpu/color/matrix.ts';
import { using, usingAsync } from '../../gpu/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { residualView, subtract } from '../../gpu/ops/difference/op.ts';
import { applyMatrix, FROM_OPPONENT, TO_OPPONENT } from '../../gpu/ops/opponent/op.ts';
import { DEGRAIN, denoiseRun, FFDNET, MAX_SIGMA } from '../../models/ffdnet.ts';
import { RIFE } from '../../models/rife.ts';
import { meta, type params } from './meta.ts';
import { fuseNeighbors, type Guidance, GUIDANCE, GUIDE_SIDE } from './temporal.ts';

type Values = ValuesOf<typeof params>;

/** Artifact of `degrain`: the shot's noise, and the codec to doubt it for; absent where the strength is set by hand. */
export type DegrainArtifact = (ShotNoise & { readonly codec?: string | undefined }) | undefined;

/** GFLOP a megapixel, as in the model manifest. */
const FFDNET_GFLOP = 427;
const RIFE_GFLOP = 42.5;
/** Gain of the residual view. */
export const RESIDUAL_GAIN = 8;
/** Noise below this (8-bit codes) is left alone by `auto`: it is less than quantization makes. */
const LEAST_SIGMA = 0.4;

/** Strength on the scale of the picture; 0 where nothing is to be done. */
function strength(values: Values, artifact: DegrainArtifact): number {
	if (values.luma === 0 && values.chroma === 0) return 0;
	return values.sigma === 'auto' ? measured(artifact) : Math.min(values.sigma / 255, MAX_SIGMA);
}

/** What `auto` takes off, on the scale of the picture. */
function measured(artifact: DegrainArtifact): number {
	const found = artifact?.sigma ?? 0;
	return found * 255 < LEAST_SIGMA ? 0 : Math.min(found, MAX_SIGMA);
}

/** Neighbors of a frame inside of its shot, nearest first. */
function neighborsOf(index: number, radius: number, shot: FrameRange): number[] {
	const all = Array.from({ length: radius }, (_, k) => [index - k - 1, index + k + 1]).flat();
	return all.filter((i) => i >= shot.start && i < shot.end);
}

/** The matrix that keeps a share of luma and of chroma of a residual, in the orthonormal opponent space. */
export function shares(luma: number, chroma: number): Matrix3 {
	const keep = [luma, chroma, chroma];
	const at = (row: number, column: number): number =>
		keep.reduce((sum, k, i) => sum + FROM_OPPONENT[row * 3 + i]! * k * TO_OPPONENT[i * 3 + column]!, 0);
	return [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 1), at(1, 2), at(2, 0), at(2, 1), at(2, 2)];
}

/** `before` without the wanted shares of what the denoiser removed. The caller owns the result. */
function withShares(compute: Compute, before: Picture, after: Picture, { luma, chroma }: Values): Picture {
	if (luma === 1 && chroma === 1) return after.retain();
	const removed = subtract(compute, before, after);
	const wanted = using([removed], () => applyMatrix(compute, removed, shares(luma, chroma)));
	return using([wanted], () => subtract(compute, before, wanted));
}

/** Neighbors that `render` fuses with the frame; none where nothing is to be done. */
function fusedWith(frame: TimelineFrame, values: Values, shot: FrameRange, artifact: DegrainArtifact): number[] {
	if (values.temporal === 0 || strength(values, artifact) === 0) return [];
	return neighborsOf(frame.needs[0]!, values.temporal, shot);
}

/** Both have the same ports; one was trained on white noise, the other on film grain. */
function modelOf({ grain }: Values): typeof FFDNET | typeof DEGRAIN {
	return grain === 'coarse' ? DEGRAIN : FFDNET;
}

/** How the neighbors' guides are made and judged. */
function guidanceOf({ grain }: Values): Guidance {
	return grain === 'coarse' ? GUIDANCE.coarse : GUIDANCE.fine;
}

async function denoise(
	{ frame, params: values, artifact, shot, input, flow, guide }: RenderRequest<Values, DegrainArtifact>,
	env: StageEnv,
	sigma: number,
): Promise<Picture> {
	const { compute, models } = env;
	const own = frame.needs[0]!;
	const { picture } = input(own);
	const neighbors = fusedWith(frame, values, shot, artifact).map((index) => ({
		picture: input(index).picture,
		guide: guide(index),
		flow: flow(own, index),
	}));
	const model = modelOf(values);
	if (neighbors.length === 0) return denoiseRun(models, compute, picture, sigma, env, model);
	const fused = await fuseNeighbors(env, { picture, guide: guide(own) }, neighbors, sigma, guidanceOf(values));
	return usingAsync([fused.picture, fused.level], () =>
		denoiseRun(models, compute, fused.picture, fused.level, env, model),
	);
}

async function render(request: RenderRequest<Values, DegrainArtifact>, env: StageEnv): Promise<WorkingFrame> {
	const { compute } = env;
	const input = request.input(request.frame.needs[0]!);
	const sigma = strength(request.params, request.artifact);
	const done = sigma === 0 ? input.picture.retain() : await denoise(request, env, sigma);
	const result = using([done], () => withShares(compute, input.picture, done, request.params));
	if (request.view !== 'residual') {
		// The pipeline marks the frame repaired, unless nothing was done to it.
		const sides = sigma === 0 ? { provenance: provenanceOf(compute, input) } : {};
		return { picture: result, sides, color: input.color };
	}
	const picture = using([result], () => residualView(compute, input.picture, result, RESIDUAL_GAIN));
	return { picture, sides: {}, color: input.color };
}

/** The input's own provenance; all original where it has none. The caller owns the plane. */
function provenanceOf(compute: Compute, { picture, sides }: WorkingFrame): Picture {
	return sides.provenance?.retain() ?? filled(compute, picture.width, picture.height, 1, PROVENANCE.original);
}

/** Removes grain and noise; see README.md. */
export const stage: Stage<typeof params, DegrainArtifact> = {
	meta,
	// Guides are denoised by FFDNet whatever the grain is.
	models: (values) => (values.temporal === 0 ? [modelOf(values)] : [...new Set([modelOf(values), FFDNET]), RIFE]),
	touches: (_frame, values) => values.sigma !== 0 && (values.luma > 0 || values.chroma > 0),
	needs(frame, values, shot, artifact) {
		const own = frame.needs[0]!;
		const neighbors = fusedWith(frame, values, shot, artifact);
		if (neighbors.length === 0) return { inputs: [own] };
		const inputs = [own, ...neighbors];
		// On noisy frames motion is misread: README.md.
		const denoise = Math.min(guidanceOf(values).times * strength(values, artifact), MAX_SIGMA);
		const options = { maxSide: GUIDE_SIDE, denoise };
		return {
			inputs,
			flows: neighbors.map((to) => ({ from: own, to, ...options })),
			guides: inputs.map((index) => ({ index, ...options })),
		};
	},
	async analyze(access, values, { compute, breathe }) {
		if (values.sigma !== 'auto') return undefined;
		const picture = async (index: number): Promise<Picture> => {
			const { picture: own, sides } = await access.frame(index);
			for (const side of Object.values(sides)) side.release();
			return own;
		};
		const noise = await shotNoise({ compute, range: access.range, picture, breathe });
		return { ...noise, codec: doubtfulCodec(access.source.codec) };
	},
	finding: ({ sigma }, artifact) => (sigma === 'auto' ? measuredOn(artifact?.codec) : undefined),
	resolved: ({ sigma }, artifact) => (sigma === 'auto' ? { sigma: measured(artifact) * 255 } : {}),
	render,
	costHint: ({ temporal }, { width, height }) => ({
		gflopPerFrame:
			((width * height) / 1e6) * (FFDNET_GFLOP * (temporal === 0 ? 1 : 2 + 2 * temporal) + temporal * 2 * RIFE_GFLOP),
	}),
};
