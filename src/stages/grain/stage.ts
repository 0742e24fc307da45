import type { Picture } from '../../contracts/compute.ts';
import type { RenderRequest, ShotAccess, Stage, StageEnv, ValuesOf, WorkingFrame } from '../../contracts/stage.ts';
import { hash32, layGrain } from '../../analysis/grain/field.ts';
import { fieldRecipe, type GrainLook } from '../../analysis/grain/look.ts';
import {
	coverageCurve,
	grainColor,
	type GrainProfile,
	grainWidth,
	roundAcf,
	strengthOf,
} from '../../analysis/grain/profile.ts';
import { shotGrain } from '../../analysis/grain/shot.ts';
import { doubtfulCodec, measuredOn } from '../../analysis/noise/coded.ts';
import type { Rgb } from '../../analysis/noise/match.ts';
import { using } from '../../gpu/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { residualView } from '../../gpu/ops/difference/op.ts';
import { runTiled } from '../../gpu/tiling.ts';
import { meta, type params } from './meta.ts';

type Values = ValuesOf<typeof params>;

/** Artifact of `grain`: what was measured, and how much larger than the source the stage's pictures are. */
export interface GrainArtifact {
	/** Absent where nothing needs to be measured, or the source has no grain that can be. */
	readonly profile: GrainProfile | undefined;
	readonly scale: number;
	/** The codec to doubt the measurement for. */
	readonly codec?: string | undefined;
}

/** Grain below this (8-bit codes) is not put back by `auto`: it is less than quantization makes. */
const LEAST_STRENGTH = 0.4 / 255;
/** Sides of the parts in which large pictures are done, so that what is needed beside them stays small. */
const TILE = 1024;
/** Gain of the view of the grain alone. */
export const VIEW_GAIN = 8;
/** Of a grain where neither the source nor the restorer says: 35 mm at 2K. */
const USUAL_SIZE = 1.6;
const USUAL_COLOR = 0.5;

function curves({ strength, amount }: Values, profile: GrainProfile | undefined): number[][] | undefined {
	if (strength === 'auto') {
		if (!profile || strengthOf(profile) < LEAST_STRENGTH) return undefined;
		return profile.sigma.map((curve) => curve.map((v) => v * amount));
	}
	const wanted = (strength / 255) * amount;
	if (wanted === 0) return undefined;
	if (!profile) return [0, 1, 2].map(() => coverageCurve(wanted));
	const gain = wanted / strengthOf(profile);
	return profile.sigma.map((curve) => curve.map((v) => v * gain));
}

/** Puts parameters and measurement together. */
export function grainLook(values: Values, { profile, scale }: GrainArtifact): GrainLook | undefined {
	const strengths = curves(values, profile);
	if (!strengths) return undefined;
	const { size, color } = values;
	const acf = [0, 1, 2].map((c) =>
		size === 'auto' && profile ? profile.acf[c]! : roundAcf(size === 'auto' ? USUAL_SIZE : size),
	);
	const shared = 1 - (color === 'auto' ? USUAL_COLOR : color);
	const wanted =
		color === 'auto' && profile ? profile.correlation : [1, shared, shared, shared, 1, shared, shared, shared, 1];
	return { ...fieldRecipe(acf, wanted, scale), strengths };
}

async function analyze(access: ShotAccess, values: Values, { compute, breathe }: StageEnv): Promise<GrainArtifact> {
	const read = async (index: number): Promise<Rgb> => {
		const { picture, sides } = await access.source.frame(index);
		for (const side of Object.values(sides)) side.release();
		const { width, height } = picture;
		try {
			return { data: new Float32Array(await compute.readback(picture)), width, height };
		} finally {
			picture.release();
		}
	};
	const { source, size } = access;
	const isMeasured = values.strength === 'auto' || values.size === 'auto' || values.color === 'auto';
	const first = await read(source.range.start);
	const again = (index: number): Promise<Rgb> => (index === source.range.start ? Promise.resolve(first) : read(index));
	const profile = isMeasured ? await shotGrain(source.range, again, breathe) : undefined;
	const codec = profile && doubtfulCodec(source.codec);
	return { profile, scale: size.width / first.width, codec };
}

async function lay(
	{ frame, params: values, artifact }: RenderRequest<Values, GrainArtifact>,
	env: StageEnv,
	picture: Picture,
): Promise<Picture | undefined> {
	const look = artifact && grainLook(values, artifact);
	if (!look) return undefined;
	// Every frame has grain of its own, repeated ones too: film does.
	const seed = hash32(hash32(values.seed) + frame.index);
	const options = { tile: TILE, halo: 0, align: 1, scale: 1, channelsOut: 3 };
	return runTiled(env.compute, picture, options, env.breathe, (part, { read }) =>
		Promise.resolve(layGrain(env.compute, part, look, look.strengths, seed, read)),
	);
}

async function render(request: RenderRequest<Values, GrainArtifact>, env: StageEnv): Promise<WorkingFrame> {
	const { compute } = env;
	const { picture, sides, color } = request.input(request.frame.needs[0]!);
	const laid = await lay(request, env, picture);
	if (request.view === 'grain') {
		const shown = laid ?? picture.retain();
		return { picture: using([shown], () => residualView(compute, shown, picture, VIEW_GAIN)), sides: {}, color };
	}
	if (laid) return { picture: laid, sides: {}, color };
	const provenance = sides.provenance?.retain() ?? filled(compute, picture.width, picture.height, 1, 0);
	return { picture: picture.retain(), sides: { provenance }, color };
}

/** What `auto` stands for: strength and width in the parameters' units. */
function resolved(values: Values, { profile }: GrainArtifact): Partial<Record<keyof typeof params, number>> {
	const auto = {
		strength: profile && strengthOf(profile) >= LEAST_STRENGTH ? strengthOf(profile) * 255 : 0,
		size: profile ? grainWidth(profile) : USUAL_SIZE,
		color: profile ? grainColor(profile) : USUAL_COLOR,
	};
	return Object.fromEntries(Object.entries(auto).filter(([name]) => values[name as keyof typeof auto] === 'auto'));
}

/** Lays grain; see README.md. */
export const stage: Stage<typeof params, GrainArtifact> = {
	meta,
	touches: (_frame, { amount, strength }) => amount > 0 && strength !== 0,
	needs: (frame) => ({ inputs: [frame.needs[0]!] }),
	analyze,
	finding: (_values, { codec }) => measuredOn(codec),
	resolved,
	render,
};
