import type { Picture } from '../../contracts/compute.ts';
import type { RenderRequest, ShotAccess, Stage, StageEnv, ValuesOf, WorkingFrame } from '../../contracts/stage.ts';
import { PROVENANCE } from '../../contracts/stage.ts';
import { type CauseDiagnosis, sayCause, shotCause, verdictOf } from '../../analysis/blur/cause.ts';
import { type BlurWish, estimateBlur, sizeOf } from '../../analysis/blur/estimate.ts';
import { type Blur, kernelOf } from '../../analysis/blur/kernels.ts';
import { shotSpectrum } from '../../analysis/blur/shot.ts';
import { shotNoise } from '../../analysis/noise/shot.ts';
import { using } from '../../gpu/op.ts';
import { residualView } from '../../gpu/ops/difference/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { runTiled } from '../../gpu/tiling.ts';
import { type Phrase, phrase } from '../../core/phrases.ts';
import { BLUR_CAUSE } from '../../models/cause.ts';
import { DEBLUR_NETS, type FilmCauses } from '../../models/deblur.ts';
import { FFDNET } from '../../models/ffdnet.ts';
import { canvasSide, deconvolve, type Deconvolution, marginOf, meanSquareSlope } from './deconvolve.ts';
import { acted, filmFound, filmOf, netOf, sharpenedFilm } from './film.ts';
import { meta, type params } from './meta.ts';

type Values = ValuesOf<typeof params>;

/** Artifact of `deblur`: the shot's blur and its noise. */
export interface DeblurArtifact {
	/** What is taken back: as given, or as found; `sharp` where the camera did nothing. */
	readonly blur: Blur;
	/** Standard deviation of the noise on the scale of the picture; absent where nothing needs it. */
	readonly noise?: number;
	/** Why the shot is soft; absent where nobody asked, and where there is too little to look at. */
	readonly cause?: CauseDiagnosis;
	/** What acted after the camera: then the net takes it back. */
	readonly film?: FilmCauses;
}

/** GFLOP a megapixel, as in the model manifest: the denoiser's (a step), the nets'. */
const FFDNET_GFLOP = 427;
const FILM_GFLOP = { small: 134, full: 368 };
/** Gain of the residual view. */
export const RESIDUAL_GAIN = 8;
/** Largest canvas: larger pictures are done in tiles. */
const CANVAS = 512;
/**
 * Noise assumed at least where the blur was estimated, ÷ 255: no estimate is quite right. On training pictures with kernels off by 5 to 8 %
 * half a code loses 1 to 1.6 dB against this.
 */
const LEAST_BLIND = 1.5 / 255;
/** Where tiles meet they fade over this many pixels. */
const FEATHER = 16;

/** The blur that the parameters give by themselves, or undefined where a shot has to be looked at. */
function given({ cause, size, angle, edge }: Values): Blur | undefined {
	if (cause === 'auto' || size === 'auto') return undefined;
	if (cause === 'defocus') return edge === 'auto' ? undefined : { cause, radius: size, edge };
	if (cause === 'soft') return { cause, sigma: size };
	return angle === 'auto' ? undefined : { cause: 'motion', length: size, angle };
}

async function analyze(access: ShotAccess, values: Values, env: StageEnv): Promise<DeblurArtifact> {
	const { compute, breathe } = env;
	const picture = async (index: number): Promise<Picture> => {
		const { picture: own, sides } = await access.frame(index);
		for (const side of Object.values(sides)) side.release();
		return own;
	};
	const known = given(values);
	const film = filmOf(values);
	if (film && values.grain === 'kept') return { blur: { cause: 'sharp' }, film };
	const noise =
		values.noise === 'auto'
			? (await shotNoise({ compute, range: access.range, picture, breathe })).sigma
			: values.noise / 255;
	if (film) return { blur: { cause: 'sharp' }, noise, film };
	if (known) return { blur: known, noise };
	const diagnosis = values.cause === 'auto' ? await shotCause(access.source, env) : undefined;
	const found = diagnosis ? { noise, cause: diagnosis } : { noise };
	const seen = diagnosis && filmFound(diagnosis, values);
	if (seen) return { blur: { cause: 'sharp' }, ...found, film: seen };
	if (diagnosis && isLeft(diagnosis)) return { blur: { cause: 'sharp' }, ...found };
	const spectrum = await shotSpectrum(access, noise, env);
	const { cause, size, angle, edge } = values;
	const wish = { cause: cause as BlurWish['cause'], size, angle, edge };
	return { blur: spectrum ? await estimateBlur(spectrum, wish, breathe) : { cause: 'sharp' }, ...found };
}

/**
 * Whether `auto` does not deconvolve a shot: it is sharp, or something took its detail that no kernel describes. Unsure, the kernel's own test
 * decides.
 */
function isLeft(diagnosis: CauseDiagnosis): boolean {
	const verdict = verdictOf(diagnosis);
	return verdict !== 'capture' && verdict !== 'unsure';
}

/** Side of the tiles in which a picture is done, so that a tile with its margins fits the canvas. */
function tileOf(picture: Picture, margin: number): number {
	const longest = Math.max(picture.width, picture.height);
	// A kernel too large for half of a canvas gets a larger one.
	const canvas = canvasSide(Math.min(longest, CANVAS / 2), margin) > CANVAS ? 2 * CANVAS : CANVAS;
	return Math.min(canvas - 2 * margin, longest);
}

async function sharpened(
	{ params: values, artifact: { blur, noise = 0, film } }: { params: Values; artifact: DeblurArtifact },
	env: StageEnv,
	{ picture, color }: WorkingFrame,
): Promise<Picture> {
	if (film) {
		const removed = values.grain === 'removed' ? noise : undefined;
		return sharpenedFilm(env, picture, { film, net: netOf(values), strength: values.strength, removed });
	}
	const kernel = kernelOf(blur);
	const margin = marginOf(kernel);
	const job: Deconvolution = {
		kernel,
		noise: given(values) ? noise : Math.max(noise, LEAST_BLIND),
		steps: values.steps,
		transfer: color.transfer,
		slope: await meanSquareSlope(env.compute, picture, color.transfer),
		strength: values.strength,
		keepGrain: values.grain === 'kept',
	};
	const options = { tile: tileOf(picture, margin), halo: 2 * margin, align: 1, scale: 1, channelsOut: 3 };
	const feather = Math.min(FEATHER, 2 * margin);
	return runTiled(env.compute, picture, { ...options, feather }, env.breathe, (part) => deconvolve(env, part, job));
}

async function render(request: RenderRequest<Values, DeblurArtifact>, env: StageEnv): Promise<WorkingFrame> {
	const { compute } = env;
	const input = request.input(request.frame.needs[0]!);
	const { picture, sides, color } = input;
	const { params, artifact } = request;
	const isSharp = !artifact || (artifact.film ? !acted(artifact.film) : artifact.blur.cause === 'sharp');
	const done = isSharp ? picture.retain() : await sharpened({ params, artifact }, env, input);
	if (request.view === 'residual') {
		return { picture: using([done], () => residualView(compute, done, picture, RESIDUAL_GAIN)), sides: {}, color };
	}
	// The pipeline marks the frame repaired, unless nothing was done to it.
	if (!isSharp) return { picture: done, sides: {}, color };
	const provenance =
		sides.provenance?.retain() ?? filled(compute, picture.width, picture.height, 1, PROVENANCE.original);
	return { picture: done, sides: { provenance }, color };
}

/**
 * What `auto` stands for, in the parameters' units; size 0 is a shot found sharp, an angle or an edge of 0 where there is none. A severity that
 * is left to the net has no number.
 */
function resolved(values: Values, { blur, noise, film }: DeblurArtifact): Partial<Record<keyof typeof params, number>> {
	const auto = {
		size: sizeOf(blur),
		angle: blur.cause === 'motion' ? blur.angle : 0,
		edge: blur.cause === 'defocus' ? blur.edge : 0,
		...(noise === undefined ? {} : { noise: noise * 255 }),
		...(film ? {} : { severity: 0 }),
	};
	return Object.fromEntries(Object.entries(auto).filter(([name]) => values[name as keyof typeof auto] === 'auto'));
}

/** Why the shot is soft, and what becomes of it. */
function finding(_values: Values, { cause, blur, film }: DeblurArtifact): Phrase | undefined {
	if (!cause) return undefined;
	const said = sayCause(cause);
	if (verdictOf(cause) === 'sharp') return said;
	if (film) return acted(film) ? phrase('blur-by-net', { found: said }) : said;
	if (isLeft(cause)) return phrase('blur-no-kernel', { found: said });
	return blur.cause === 'sharp' ? phrase('blur-kernel-unseen', { found: said }) : said;
}

/** The models that a shot surely runs, as far as the parameters say: what `auto` will find has yet to be seen. */
function modelsOf(values: Values): string[] {
	if (!filmOf(values)) return [FFDNET, ...(values.cause === 'auto' ? [BLUR_CAUSE] : [])];
	return [...(values.grain === 'removed' ? [FFDNET] : []), DEBLUR_NETS[netOf(values)]];
}

/** Takes softness back; see README.md. */
export const stage: Stage<typeof params, DeblurArtifact> = {
	meta,
	models: modelsOf,
	touches: (_frame, { strength }) => strength > 0,
	needs: (frame) => ({ inputs: [frame.needs[0]!] }),
	analyze,
	resolved,
	finding,
	render,
	costHint: (values, { width, height }) => {
		const film = FILM_GFLOP[netOf(values)] + (values.grain === 'removed' ? FFDNET_GFLOP : 0);
		return { gflopPerFrame: ((width * height) / 1e6) * (filmOf(values) ? film : FFDNET_GFLOP * values.steps * 1.2) };
	},
};
