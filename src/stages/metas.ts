/**
 * The stage list: one line a stage, in no particular order. This is the registry line that a new stage adds; its code is
 * found by its folder's name (`registry.ts`). Data only: the UI and the terminal import it.
 */

import type { StageMeta } from '../contracts/stage.ts';
import { meta as deblur } from './deblur/meta.ts';
import { meta as degrain } from './degrain/meta.ts';
import { meta as dustBust } from './dust-bust/meta.ts';
import { meta as grain } from './grain/meta.ts';
import { meta as identity } from './identity/meta.ts';
import { meta as interpolate } from './interpolate/meta.ts';
import { meta as scratch } from './scratch/meta.ts';
import { meta as upscale } from './upscale/meta.ts';

/** Everything the program knows of every stage, in the default order of the design. */
export const STAGE_METAS: readonly StageMeta[] = (
	[identity, dustBust, scratch, degrain, deblur, upscale, interpolate, grain] as readonly StageMeta[]
)
	.slice()
	.sort((a, b) => a.order - b.order);

/** The metadata of one stage, or undefined. */
export function stageMeta(id: string): StageMeta | undefined {
	return STAGE_METAS.find((meta) => meta.id === id);
}
