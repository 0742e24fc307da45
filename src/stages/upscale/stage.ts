import { shotNoise, type ShotNoise } from '../../analysis/noise/shot.ts';
import type { Picture } from '../../contracts/compute.ts';
import {
	PROVENANCE,
	type RenderRequest,
	type Stage,
	type StageEnv,
	type ValuesOf,
	type WorkingFrame,
} from '../../contracts/stage.ts';
import type { Size } from '../../core/color.ts';
import { using } from '../../gpu/op.ts';
import { mix } from '../../gpu/ops/mix/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { type Character, enlarge, modelFor } from './enlarge.ts';
import { meta, type params } from './meta.ts';
import { provenanceAt } from './provenance.ts';
import { outputSize } from './size.ts';

type Values = ValuesOf<typeof params>;

/** Artifact of `upscale`: the shot's noise, where the character needs it. */
export type UpscaleArtifact = ShotNoise | undefined;

/** GFLOP a megapixel of input, as in the model manifest. */
const GFLOP: Readonly<Record<string, number>> = { exact: 0, faithful: 850 + 427, vivid: 2419 };

function characterOf({ character, blend }: Values): Character {
	if (blend === 0) return 'exact';
	return character === 'faithful' || character === 'vivid' ? character : 'exact';
}

/**
 * What the new pixels are: Lanczos computes them from the film's own (original); SPAN estimates them from the film's own and
 * stays with what is there (repaired); Real-ESRGAN invents them (generated), however little of it is blended in.
 */
function level(character: Character): number {
	return { exact: PROVENANCE.original, faithful: PROVENANCE.repaired, vivid: PROVENANCE.generated }[character];
}

async function picture(
	{ params, artifact }: RenderRequest<Values, UpscaleArtifact>,
	input: WorkingFrame,
	size: Size,
	env: StageEnv,
): Promise<Picture> {
	const character = characterOf(params);
	const options = { sigma: artifact?.sigma ?? 0, transfer: input.color.transfer };
	const own = await enlarge(env, input.picture, size, { ...options, character });
	if (character === 'exact' || params.blend === 1) return own;
	try {
		const plain = await enlarge(env, input.picture, size, { ...options, character: 'exact' });
		return using([plain], () => mix(env.compute, plain, own, params.blend));
	} finally {
		own.release();
	}
}

function sidesAt(env: StageEnv, { sides }: WorkingFrame, size: Size, character: Character): WorkingFrame['sides'] {
	const provenance = provenanceAt(env.compute, sides.provenance, size, level(character));
	if (!sides.matte) return { provenance };
	return { provenance, matte: resize(env.compute, sides.matte, size.width, size.height) };
}

/** Enlarges; see README.md. */
export const stage: Stage<typeof params, UpscaleArtifact> = {
	meta,
	models(values) {
		const character = characterOf(values);
		// A target size tells the factor only together with the source's size.
		if (character === 'exact' || values.size !== '' || values.factor <= 1) return [];
		return [modelFor(character, values.factor)];
	},
	outputSize,
	touches: (_frame, { factor, size }) => size !== '' || factor !== 1,
	needs: (frame) => ({ inputs: [frame.needs[0]!] }),
	async analyze(access, values, { compute, breathe }) {
		if (characterOf(values) !== 'faithful') return undefined;
		const load = async (index: number): Promise<Picture> => {
			const { picture: own, sides } = await access.frame(index);
			for (const side of Object.values(sides)) side.release();
			return own;
		};
		return shotNoise({ compute, range: access.range, picture: load, breathe });
	},
	async render(request, env) {
		const input = request.input(request.frame.needs[0]!);
		const size = outputSize(input.picture, request.params);
		const made = await picture(request, input, size, env);
		const sides = sidesAt(env, input, size, characterOf(request.params));
		return { picture: made, sides, color: input.color };
	},
	costHint: (values, { width, height }) => ({
		gflopPerFrame: ((width * height) / 1e6) * (GFLOP[characterOf(values)] ?? 0),
	}),
};
