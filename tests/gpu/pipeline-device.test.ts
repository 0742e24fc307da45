/** The whole engine on a (software) WebGPU device: equal to the CPU backend, and recovered when the device is lost. */

import { describe, expect, it } from 'vitest';
import {
	entry,
	exportFile,
	exportOf,
	NEVER,
	openClip,
	planOf,
	readOutput,
	recipe,
	withEngine,
} from '../browser/pipeline-helpers.ts';

const identity = () => recipe(entry('identity'));
const GPU = { backend: 'webgpu' } as const;

describe('pipeline on WebGPU', () => {
	it('says what it runs on', async () => {
		await withEngine(async (engine) => {
			const backend = await engine.backend();
			expect(backend).toMatchObject({ kind: 'webgpu', software: true });
			const { report } = await exportFile(
				engine,
				exportOf(planOf(await openClip(engine, 'p-444-8.mkv'), identity()), 'gpu.mkv'),
			);
			expect(report.backend).toEqual(backend);
		}, GPU);
	});

	it('converts as the CPU backend does', async () => {
		const pictures: Float32Array[] = [];
		for (const backend of ['wasm', 'webgpu'] as const) {
			await withEngine(
				async (engine) => {
					const source = await openClip(engine, 'p-420-8.mkv');
					pictures.push((await engine.still(planOf(source, identity()), 5, 'result', NEVER)).rgb);
				},
				{ backend },
			);
		}
		const [cpu, gpu] = pictures;
		const worst = cpu!.reduce((most, v, i) => Math.max(most, Math.abs(v - gpu![i]!)), 0);
		expect(worst).toBeLessThan(1e-4);
	});

	it('reads nothing back between two stages', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-444-8.mkv');
			const two = recipe(entry('identity', { id: 'a' }), entry('identity', { id: 'b' }));
			const before = (await engine.status()).readbacks;
			await exportFile(engine, exportOf(planOf(source, two), 'two.mkv'));
			// One a frame, on the way out.
			expect((await engine.status()).readbacks - before).toBe(12);
		}, GPU);
	});

	it('a lost device costs one chunk at most, and the bytes are the same', async () => {
		const chunks = { chunkFrames: 40 };
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-long.mkv');
			await exportFile(engine, exportOf(planOf(source, identity()), 'kept.mkv', chunks));
		}, GPU);
		const wanted = await readOutput('kept.mkv');
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-long.mkv');
			let lost = false;
			let most = 0;
			const { report, bytes } = await exportFile(
				engine,
				exportOf(planOf(source, identity()), 'kept.mkv', chunks),
				({ phase, done }) => {
					if (phase === 'render') most = Math.max(most, done);
					if (lost || phase !== 'render' || done < 60) return;
					lost = true;
					void engine.loseDevice();
				},
			);
			expect(lost).toBe(true);
			expect((await engine.status()).recovered).toBe(1);
			expect(report.chunks).toEqual({ total: 3, resumed: 0 });
			expect(bytes).toEqual(wanted);
			expect(most).toBe(120);
		}, GPU);
	});

	it('shows a preview again after the device was lost', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-444-8.mkv');
			const request = planOf(source, identity());
			const before = await engine.still(request, 3, 'result', NEVER);
			await engine.loseDevice();
			const after = await engine.still(request, 3, 'result', NEVER);
			expect(after.rgb).toEqual(before.rgb);
		}, GPU);
	});
});
