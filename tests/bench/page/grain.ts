/** The `grain` stage on a whole frame: what it costs to lay grain that was measured on film of the physical model. */

import { GrainMeter } from '../../../src/analysis/grain/measure.ts';
import type { GrainProfile } from '../../../src/analysis/grain/profile.ts';
import { say } from '../../../src/core/phrases.ts';
import { createCompute } from '../../../src/gpu/create.ts';
import { grainLook, stage } from '../../../src/stages/grain/stage.ts';
import { releaseFrame } from '../../../src/store/frames.ts';
import { booleanGrain } from '../../helpers/boolean-grain.ts';
import { BT709 } from '../../helpers/color.ts';
import type { CpuClock, GrainCosts, GrainRequest } from './api.ts';
import { drained, noise, renderOnce } from './tiles.ts';

const SIDE = 160;
const STOCK = { radius: 0.55, spread: 0.3 };
const VALUES = { strength: 'auto', size: 'auto', color: 'auto', amount: 1, seed: 1 } as const;

/** Grain as `auto` measures it on two frames of flat gray. */
function measured(): GrainProfile {
	const frame = (draw: number) => {
		const data = new Float32Array(3 * SIDE * SIDE);
		for (let c = 0; c < 3; c++) {
			const grain = booleanGrain(0.5, STOCK, SIDE, SIDE, 3 * draw + c + 1);
			grain.forEach((v, i) => (data[c * SIDE * SIDE + i] = 0.5 + 0.15 * (v - 0.5)));
		}
		return { data, width: SIDE, height: SIDE };
	};
	const meter = new GrainMeter();
	meter.add(frame(0), frame(1));
	const profile = meter.profile();
	if (!profile) throw new Error('no grain was measured on film of the physical model');
	return profile;
}

/** Seconds a frame of the stage, one a round, after a frame that warms up. */
export async function grainCosts(request: GrainRequest, clock: CpuClock): Promise<GrainCosts> {
	const { width, height, rounds } = request;
	const compute = await createCompute({ wish: request.backend, threads: 1 });
	const picture = compute.uploadPicture(noise(width * height * 3), width, height, 3);
	try {
		const artifact = { profile: measured(), scale: 1 };
		const look = grainLook(VALUES, artifact);
		if (!look) throw new Error('what was measured on film of the physical model is too weak to be laid');
		const env = {
			compute,
			signal: new AbortController().signal,
			breathe: () => Promise.resolve(),
			onProgress: () => undefined,
		};
		const frame = async (): Promise<void> => {
			releaseFrame(
				await renderOnce(stage as never, VALUES as never, { picture, sides: {}, color: BT709 }, env as never, artifact),
			);
			await drained(compute);
		};
		await frame();
		const wall: number[] = [];
		const cpu: (number | null)[] = [];
		for (let round = 0; round < rounds; round++) {
			const before = await clock();
			const started = performance.now();
			await frame();
			wall.push((performance.now() - started) / 1000);
			const after = await clock();
			cpu.push(before === null || after === null ? null : after - before);
		}
		const { name, software } = compute.info;
		const terms = Math.max(...look.kernels.map((kernel) => kernel.terms.length));
		const radius = Math.max(...look.kernels.map((kernel) => kernel.radius));
		return { backend: say(name), software, width, height, radius, terms, wall, cpu };
	} finally {
		picture.release();
		compute.destroy();
	}
}
