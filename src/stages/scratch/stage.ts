import { shotGrain } from '../../analysis/grain/shot.ts';
import type { GrainProfile } from '../../analysis/grain/profile.ts';
import type { Rgb } from '../../analysis/noise/match.ts';
import { shotNoise } from '../../analysis/noise/shot.ts';
import type { Compute, Picture } from '../../contracts/compute.ts';
import {
	PROVENANCE,
	type RenderRequest,
	type ShotAccess,
	type Stage,
	type StageEnv,
	type ValuesOf,
	type WorkingFrame,
} from '../../contracts/stage.ts';
import { produce, using, usingAsync } from '../../gpu/op.ts';
import { residualView } from '../../gpu/ops/difference/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { stack } from '../../gpu/ops/stack/op.ts';
import { SCRATCH, scratchRun } from '../../models/scratch.ts';
import { markOp } from './gpu.ts';
import { linesAt, type Placed, placedColumns, shown } from './lines.ts';
import { mend, type Mended } from './mend.ts';
import { meta, type params } from './meta.ts';
import { findLines, type Line, type Look, momentsOf } from './track.ts';

type Values = ValuesOf<typeof params>;

/** Artifact of `scratch`: a shot's lines, its own and the film's, and its grain. */
export interface ScratchArtifact {
	/** Standard deviation of the grain on the scale of the picture; 0 where there is too little to reckon with. */
	readonly sigma: number;
	/** Absent where nothing could be measured. */
	readonly profile: GrainProfile | undefined;
	/** All candidates; which of them are mended, the parameters say. */
	readonly lines: readonly Line[];
	/** Frames between looks: so far before and after it was seen a line may be there. */
	readonly gap: number;
}

/** Gain of the residual view. */
export const RESIDUAL_GAIN = 8;
/** Grain below this (8-bit codes) is less than quantization makes: none is laid. */
const LEAST_SIGMA = 0.4 / 255;
/** GFLOP a megapixel, as in the model manifest. */
const SCRATCH_GFLOP = 11;
/** Rows taken together where columns are looked for. */
const STRIP = 8;
const [RED, GREEN, BLUE] = [0.2126, 0.7152, 0.0722];

async function lookAt(env: StageEnv, index: number, picture: Picture, sigma: number): Promise<Look> {
	const { compute, models } = env;
	const { width } = picture;
	const rows = Math.max(1, Math.round(picture.height / STRIP));
	const read = async (whole: Picture): Promise<Float32Array> => {
		const strips = resize(compute, whole, width, rows);
		return usingAsync([strips], async () => new Float32Array(await compute.readback(strips)));
	};
	const evidence = await scratchRun(models, compute, picture, sigma, env);
	const lines = await usingAsync([evidence], () => read(evidence));
	const rgb = await read(picture);
	const area = rows * width;
	const luma = Float32Array.from(
		{ length: area },
		(_, i) => RED * rgb[i]! + GREEN * rgb[area + i]! + BLUE * rgb[2 * area + i]!,
	);
	return { index, width, rows, lines, luma };
}

async function analyze(access: ShotAccess, { regrain }: Values, env: StageEnv): Promise<ScratchArtifact> {
	const { compute, breathe } = env;
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
	const measured = await shotNoise({ compute, range: access.range, picture, breathe });
	const sigma = measured.sigma < LEAST_SIGMA ? 0 : measured.sigma;
	const looks: Look[] = [];
	for (const index of momentsOf(access.range)) {
		await breathe();
		const own = await picture(index);
		looks.push(await usingAsync([own], () => lookAt(env, index, own, sigma)));
	}
	const lines = await findLines(looks, access.size.height, breathe);
	const gap = looks.reduce((most, look, n) => Math.max(most, n > 0 ? look.index - looks[n - 1]!.index : 1), 1);
	const profile = regrain && sigma > 0 && lines.length > 0 ? await shotGrain(access.range, read, breathe) : undefined;
	return { sigma, profile, lines, gap };
}

/** The input's provenance; all original where it has none. The caller owns the plane. */
function provenanceOf(compute: Compute, { picture, sides }: WorkingFrame): Picture {
	return sides.provenance?.retain() ?? filled(compute, picture.width, picture.height, 1, PROVENANCE.original);
}

/** The input's provenance, and repaired on the lines. The caller owns the plane. */
function marked(compute: Compute, frame: WorkingFrame, sign: Picture): Picture {
	const { width, height } = sign;
	const before = provenanceOf(compute, frame);
	return using([before], () =>
		produce(compute, width, height, 1, (output) => {
			compute.run(markOp, [before, sign], [output], { area: width * height, level: PROVENANCE.repaired });
		}),
	);
}

/** One plane of −1, 0 and 1 as a gray picture: dark lines black, bright ones white. The caller owns it. */
function signView(compute: Compute, sign: Picture): Picture {
	const none = filled(compute, sign.width, sign.height, 1, 0);
	return using([none], () => {
		const gray = residualView(compute, sign, none, 0.5);
		return using([gray], () => {
			const two = stack(compute, gray, gray);
			return using([two], () => stack(compute, two, gray));
		});
	});
}

/** The frame as it is, as if no line were on it. The caller owns its pictures. */
function untouched(compute: Compute, picture: Picture): Mended {
	return { picture: picture.retain(), sign: filled(compute, picture.width, picture.height, 1, 0) };
}

async function render(request: RenderRequest<Values, ScratchArtifact>, env: StageEnv): Promise<WorkingFrame> {
	const { compute } = env;
	const { frame, view, artifact, params: values } = request;
	const input = request.input(frame.needs[0]!);
	const { picture, color } = input;
	const placed: readonly Placed[] = linesAt(artifact?.lines ?? [], frame.needs[0]!, artifact?.gap ?? 0, values);
	if (view === 'lines') return { picture: shown(compute, picture, placed, values.widest), sides: {}, color };
	const columns = placedColumns(placed);
	// Every frame gets grain of its own.
	const grain = values.regrain ? { profile: artifact?.profile, seed: frame.index } : undefined;
	const done =
		columns.length > 0
			? await mend(env, picture, columns, { ...values, sigma: artifact?.sigma ?? 0, grain })
			: untouched(compute, picture);
	return using([done.picture, done.sign], () => {
		if (view === 'mask') return { picture: signView(compute, done.sign), sides: {}, color };
		if (view === 'residual') {
			return { picture: residualView(compute, picture, done.picture, RESIDUAL_GAIN), sides: {}, color };
		}
		return { picture: done.picture.retain(), sides: { provenance: marked(compute, input, done.sign) }, color };
	});
}

/** Removes upright lines; see README.md. */
export const stage: Stage<typeof params, ScratchArtifact> = {
	meta,
	models: () => [SCRATCH],
	touches: () => true,
	needs: (frame) => ({ inputs: [frame.needs[0]!] }),
	analyze,
	render,
	costHint: (_values, { width, height }) => ({ gflopPerFrame: ((width * height) / 1e6) * SCRATCH_GFLOP }),
};
