/** What `deblur` does where the cause came after the camera, apart from the net itself: tests/browser/stages-deblur-film.test.ts. */

import { describe, expect, it } from 'vitest';
import type { Picture } from '../../contracts/compute.ts';
import type { ModelRuntime, ModelTensors } from '../../contracts/models.ts';
import type { RenderRequest, ShotAccess, StageEnv, WorkingFrame } from '../../contracts/stage.ts';
import { CpuCompute, cpuFloats } from '../../gpu/cpu-compute.ts';
import { FILM_CAUSES, toldOf, UNKNOWN } from '../../models/deblur.ts';
import { type DeblurArtifact, stage } from './stage.ts';
import { filmFound, filmOf } from './film.ts';
import { params } from './meta.ts';

type Values = Parameters<typeof stage.touches>[1];

const compute = new CpuCompute({ memoryBudget: 2 ** 28, threads: 1, reason: 'test' });
const defaults = Object.fromEntries(Object.entries(params).map(([name, { default: value }]) => [name, value]));
const valuesOf = (values: Partial<Values>): Values => ({ ...(defaults as Values), ...values });

/** The environment with a runtime that halves what it is given and notes what it was told. */
function listening(): { env: StageEnv; heard: { id: string; told: number[] }[] } {
	const heard: { id: string; told: number[] }[] = [];
	const run = (id: string, inputs: ModelTensors): Promise<Record<string, Picture>> => {
		heard.push({ id, told: [...cpuFloats(inputs[id === 'ffdnet' ? 'sigma' : 'causes']!)].slice(0, 4) });
		const image = inputs['image']!;
		const data = cpuFloats(image).map((v) => v / 2);
		return Promise.resolve({
			[id === 'ffdnet' ? 'denoised' : 'sharp']: compute.uploadPicture(data, image.width, image.height, 3),
		});
	};
	const spec = { id: 'x', tile: 64, halo: 8, align: 2, scale: 1 };
	const models = { run, spec: () => spec } as unknown as ModelRuntime;
	const signal = new AbortController().signal;
	return { env: { compute, models, signal, breathe: () => Promise.resolve(), onProgress: () => undefined }, heard };
}

const picture = (): Picture =>
	compute.uploadPicture(
		Float32Array.from({ length: 3 * 20 * 14 }, (_, i) => (i % 17) / 17),
		20,
		14,
		3,
	);

async function rendered(
	values: Values,
	artifact: DeblurArtifact,
	env: StageEnv,
): Promise<{ before: Float32Array; after: Float32Array; result: WorkingFrame }> {
	const own = picture();
	const input: WorkingFrame = { picture: own, sides: {}, color: { transfer: 'srgb' } as WorkingFrame['color'] };
	const request = { frame: { needs: [0] }, params: values, artifact, input: () => input, view: 'result' };
	const result = await stage.render(request as unknown as RenderRequest<Values, DeblurArtifact>, env);
	const floats = { before: Float32Array.from(cpuFloats(own)), after: Float32Array.from(cpuFloats(result.picture)) };
	own.release();
	result.picture.release();
	result.sides.provenance?.release();
	expect(compute.live).toBe(0);
	return { ...floats, result };
}

describe('causes after the camera', () => {
	it('are told to the net in their order, with a strength or without', () => {
		expect(Object.fromEntries(FILM_CAUSES.map((cause) => [cause, filmOf({ cause, severity: 0.25 })]))).toEqual({
			storage: { storage: 0.25 },
			duplication: { duplication: 0.25 },
			digitization: { digitization: 0.25 },
			compression: { compression: 0.25 },
		});
		expect(filmOf({ cause: 'compression', severity: 'auto' })).toEqual({ compression: UNKNOWN });
		expect(filmOf({ cause: 'auto', severity: 0.5 })).toBeUndefined();
		expect(filmOf({ cause: 'motion', severity: 0.5 })).toBeUndefined();
		expect([...toldOf({ compression: UNKNOWN, duplication: 3, storage: 0.5 })]).toEqual([0.5, 1, 0, -1]);
	});

	it('are acted on by auto where the diagnosis is sure, without a strength unless one is given', () => {
		const strength = { capture: 0, storage: 0.1, duplication: 0.1, digitization: 0.1, compression: 0.3 };
		const sure = { soft: 0.9, leading: 'compression', confidence: 0.85, strength } as const;
		expect(filmFound(sure, { severity: 'auto' })).toEqual({ compression: UNKNOWN });
		expect(filmFound(sure, { severity: 0.4 })).toEqual({ compression: 0.4 });
		for (const other of [{ confidence: 0.75 }, { soft: 0.75 }, { soft: 0.1 }, { leading: 'capture' }] as const) {
			expect(filmFound({ ...sure, ...other }, { severity: 'auto' })).toBeUndefined();
		}
		const artifact = { blur: { cause: 'sharp' }, noise: 0.01, cause: sure, film: { compression: UNKNOWN } } as const;
		expect(stage.finding!(valuesOf({}), artifact)?.code).toBe('blur-by-net');
		expect(stage.finding!(valuesOf({}), { ...artifact, film: { compression: 0 } })?.code).toBe('blur-caused');
	});

	it('need no look at the shot where the grain stays', async () => {
		const never = { frame: () => Promise.reject(new Error('looked')) } as unknown as ShotAccess;
		const values = valuesOf({ cause: 'duplication' });
		const artifact = await stage.analyze!(never, values, listening().env);
		expect(artifact).toEqual({ blur: { cause: 'sharp' }, film: { duplication: UNKNOWN } });
		expect(stage.resolved!(values, artifact)).not.toHaveProperty('severity');
		expect(stage.resolved!(valuesOf({}), { blur: { cause: 'sharp' }, noise: 0 })).toMatchObject({
			severity: 0,
			size: 0,
		});
		expect(stage.models!(values)).toEqual(['deblur-full']);
		expect(stage.models!({ ...values, net: 'small' })).toEqual(['deblur-small']);
		expect(stage.models!(valuesOf({ cause: 'storage', grain: 'removed' }))).toEqual(['ffdnet', 'deblur-full']);
		expect(stage.models!(valuesOf({}))).toEqual(['ffdnet', 'blur-cause']);
	});

	it('are taken back by the strength asked for, and the frame is the pipeline’s to mark', async () => {
		const { env, heard } = listening();
		const film = { digitization: 0.5 };
		const { before, after, result } = await rendered(
			valuesOf({ cause: 'digitization', strength: 0.5 }),
			{ blur: { cause: 'sharp' }, film },
			env,
		);
		after.forEach((v, i) => expect(v).toBeCloseTo(before[i]! * 0.75, 5));
		expect(heard).toEqual([{ id: 'deblur-full', told: [0, 0, 0.5, 0] }]);
		expect(result.sides).toEqual({});
	});

	it('wait for the denoiser where the grain goes', async () => {
		const { env, heard } = listening();
		const artifact = { blur: { cause: 'sharp' }, noise: 0.02, film: { storage: UNKNOWN } } as const;
		const values = valuesOf({ cause: 'storage', grain: 'removed', net: 'small' });
		const { before, after } = await rendered(values, artifact, env);
		after.forEach((v, i) => expect(v).toBeCloseTo(before[i]! / 4, 5));
		expect(heard.map(({ id }) => id)).toEqual(['ffdnet', 'deblur-small']);
		expect(heard[0]!.told[0]).toBeCloseTo(0.02, 6);
	});

	it('that did not act leave the frame bit for bit, and say so', async () => {
		const { env, heard } = listening();
		const artifact = { blur: { cause: 'sharp' }, film: { compression: 0 } } as const;
		const { before, after, result } = await rendered(valuesOf({ cause: 'compression', severity: 0 }), artifact, env);
		expect(after).toEqual(before);
		expect(heard).toEqual([]);
		expect(result.sides).toHaveProperty('provenance');
	});
});
