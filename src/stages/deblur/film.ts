/** What softens a film after the camera: copies, scanners, codecs, decades in the can. No kernel describes it; a net takes it back. */

import { type CauseDiagnosis, verdictOf } from '../../analysis/blur/cause.ts';
import type { Picture } from '../../contracts/compute.ts';
import type { StageEnv, ValuesOf } from '../../contracts/stage.ts';
import { using, usingAsync } from '../../gpu/op.ts';
import { mix } from '../../gpu/ops/mix/op.ts';
import {
	deblurRun,
	type DeblurNet,
	FILM_CAUSES,
	type FilmCause,
	type FilmCauses,
	UNKNOWN,
} from '../../models/deblur.ts';
import { denoiseRun } from '../../models/ffdnet.ts';
import type { params } from './meta.ts';

type Values = ValuesOf<typeof params>;

/** What a diagnosis must be sure of, that a shot is soft and of its leading cause, before `auto` runs the net. */
const SURE = 0.8;

/** Whether the net answers to a cause, and not the deconvolution. */
export function isFilmCause(cause: string): cause is FilmCause {
	return (FILM_CAUSES as readonly string[]).includes(cause);
}

/** What the parameters say acted after the camera; undefined where they name a blur of the camera's, or leave the cause to `auto`. */
export function filmOf({ cause, severity }: Pick<Values, 'cause' | 'severity'>): FilmCauses | undefined {
	return isFilmCause(cause) ? { [cause]: severity === 'auto' ? UNKNOWN : severity } : undefined;
}

/**
 * What a diagnosis says acted after the camera, where it is sure of it; undefined otherwise. Its strengths are shares of detail, not the
 * net's: the net judges by the picture, unless a severity is given.
 */
export function filmFound(diagnosis: CauseDiagnosis, { severity }: Pick<Values, 'severity'>): FilmCauses | undefined {
	const verdict = verdictOf(diagnosis);
	const sure = diagnosis.soft >= SURE && diagnosis.confidence >= SURE;
	return sure && isFilmCause(verdict) ? { [verdict]: severity === 'auto' ? UNKNOWN : severity } : undefined;
}

/** The net that the parameters name. */
export function netOf({ net }: Pick<Values, 'net'>): DeblurNet {
	return net === 'small' ? 'small' : 'full';
}

/** Whether anything acted at all. */
export function acted(film: FilmCauses): boolean {
	return Object.values(film).some((strength) => strength !== 0);
}

/** How a picture is sharpened. */
export interface FilmJob {
	readonly film: FilmCauses;
	readonly net: DeblurNet;
	/** 0: the input, 1: wholly deblurred. */
	readonly strength: number;
	/** Standard deviation of the grain on the scale of the picture that is removed first; undefined where the grain stays. */
	readonly removed: number | undefined;
}

/** The picture sharpened by the net; the caller owns the result. */
export async function sharpenedFilm(env: StageEnv, picture: Picture, job: FilmJob): Promise<Picture> {
	const { compute, models } = env;
	const { film, net, strength, removed } = job;
	// Grain that is to go goes first: a denoiser knows grain as the film has it, not as sharpening left it.
	const quiet = removed ? await denoiseRun(models, compute, picture, removed, env) : picture.retain();
	const sharp = await usingAsync([quiet], () => deblurRun(models, compute, quiet, film, net, env));
	if (strength >= 1) return sharp;
	return using([sharp], () => mix(compute, picture, sharp, strength));
}
