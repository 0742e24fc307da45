/** Where a film's sound rests between extraction and muxer. */

import { md5 } from 'hash-wasm';
import { afterEach, describe, expect, it } from 'vitest';
import { cdp } from 'vitest/browser';
import { codecText } from '../../src/core/codecs.ts';
import { phrase } from '../../src/core/phrases.ts';
import { rational } from '../../src/core/rational.ts';
import type { AudioRequest } from '../../src/contracts/media.ts';
import { extractAudio } from '../../src/media/audio/extract.ts';
import { dropSound, SoundSpool, SPOOL_MEMORY } from '../../src/media/audio/spool.ts';
import { openPackets } from '../../src/media/mux/packets.ts';
import { openSource } from '../../src/media/source.ts';
import { fixtureFile } from '../helpers/browser-files.ts';
import { textOf, writeNative } from '../helpers/native.ts';
import { exportFile, exportOf, openClip, planOf, recipe, withEngine } from './pipeline-helpers.ts';

const never = new AbortController().signal;

async function files(): Promise<string[]> {
	const root = await navigator.storage.getDirectory();
	const folder = await root.getDirectoryHandle('sound', { create: true });
	const names: string[] = [];
	for await (const name of folder.keys()) names.push(name);
	return names;
}

afterEach(async () => {
	expect(await files()).toEqual([]);
});

/** Bytes that tell their place. */
const part = (from: number, length: number) => new Uint8Array(length).map((_, i) => ((from + i) * 37) >> 3);

async function filled(spool: SoundSpool, sizes: readonly number[]): Promise<Uint8Array> {
	let at = 0;
	for (const size of sizes) {
		spool.push(part(at, size));
		await spool.settle();
		at += size;
	}
	return part(0, at);
}

describe('sound on its way to the muxer', () => {
	it('stays in memory where it is little', async () => {
		const spool = new SoundSpool();
		const bytes = await filled(spool, [3, 0, 1000]);
		const { blob, stored } = await spool.finish();
		expect(stored).toBeUndefined();
		expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
		expect((await (await new SoundSpool().finish()).blob.arrayBuffer()).byteLength).toBe(0);
	});

	it.each([
		['records', Array.from({ length: 9 }, () => 1 << 20)],
		['packets', Array.from({ length: 30_000 }, (_, i) => 100 + (i % 300))],
	])('%s of more go to the disk, in order, until they are dropped', async (_what, sizes) => {
		const spool = new SoundSpool(1 << 20);
		const bytes = await filled(spool, sizes);
		const { blob, stored } = await spool.finish();
		expect(await files()).toEqual([stored]);
		expect(await md5(new Uint8Array(await blob.arrayBuffer()))).toBe(await md5(bytes));
		await dropSound(stored!);
		await dropSound('never-there');
	});

	it('what a dead worker left is removed by the next; what a living one holds is not', async () => {
		const hold = async (): Promise<{ worker: Worker; stored: string }> => {
			const worker = new Worker(new URL('./spool.worker.ts', import.meta.url), { type: 'module' });
			const stored = await new Promise<string>((resolve) => {
				worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
				worker.postMessage(100);
			});
			return { worker, stored };
		};
		const [dead, living] = [await hold(), await hold()];
		expect((await files()).sort()).toEqual([dead.stored, living.stored].sort());
		dead.worker.terminate();
		// A lock ends with its worker, a moment later.
		let own: string | undefined;
		await expect
			.poll(async () => {
				const spool = new SoundSpool(1);
				await filled(spool, [10]);
				const left = await files();
				await spool.discard();
				own = left.find((name) => name === dead.stored);
				return own;
			})
			.toBeUndefined();
		expect(await files()).toEqual([living.stored]);
		living.worker.terminate();
		await dropSound(living.stored);
	});

	it('a full disk is said with what is missing, and nothing is left', async () => {
		const session = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
		const { origin } = location;
		const { usage = 0 } = await navigator.storage.estimate();
		await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 3_000_000 });
		const spool = new SoundSpool(1 << 20);
		try {
			const filling = filled(
				spool,
				Array.from({ length: 20 }, () => 1 << 20),
			).then(() => spool.finish());
			await expect(filling).rejects.toMatchObject({ code: 'quota-exceeded', details: { retryable: true } });
		} finally {
			await session.send('Storage.overrideQuotaForOrigin', { origin });
			await spool.discard();
		}
	});
});

describe('more sound than memory holds', () => {
	const request: AudioRequest = {
		...{ container: 'mov', from: rational(0), to: rational(12), picture: rational(0), stretch: rational(1) },
	};
	async function extract(signal: AbortSignal) {
		const file = await fixtureFile('much-sound.mkv');
		const input = [{ path: file.name, file }];
		const source = await openSource({ files: input, kind: 'file' }, () => undefined, never);
		const { info } = source;
		await source.close();
		return { file, audio: await extractAudio(input, info, request, signal) };
	}

	it('comes as ffmpeg decodes it, to the byte', async () => {
		const { file, audio } = await extract(never);
		expect(audio).toMatchObject({ codec: 'pcm_s24le', duration: rational(12) });
		expect(await files()).toEqual([audio!.stored]);
		const packets = await openPackets(audio!.file);
		const found = new Uint8Array(await audio!.file.slice(packets.dataOffset).arrayBuffer());
		expect(found.length).toBe(12 * 192_000 * 24);
		expect(found.length).toBeGreaterThan(SPOOL_MEMORY);
		await writeNative(file.name, file);
		const args = ['-i', file.name, '-map', '0:a', '-c:a', 'pcm_s24le', '-f', 'md5', '-'];
		expect(`MD5=${await md5(found)}\n`).toBe(await textOf('ffmpeg', args));
		await dropSound(audio!.stored!);
	});

	it('is dropped by the export that used it, and by one that was canceled', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'much-sound.mkv');
			const request = exportOf(planOf(source, recipe()), 'much-sound.mov', { container: 'mov' });
			const { report } = await exportFile(engine, request);
			expect(report.output.audio).toEqual(phrase('audio-transcoded', { codec: codecText('pcm_s24le') }));
			expect(report.output.bytes).toBeGreaterThan(SPOOL_MEMORY);
			await expect.poll(files, { timeout: 10_000 }).toEqual([]);
			const controller = new AbortController();
			const running = exportFile(
				engine,
				{ ...request, name: 'canceled.mov' },
				({ phase }) => {
					if (phase === 'mux') controller.abort();
				},
				controller.signal,
			);
			await expect(running).rejects.toMatchObject({ code: 'aborted' });
			await expect.poll(files, { timeout: 10_000 }).toEqual([]);
			// The origin is every test file's: what this one leaves, others would find.
			for (const job of await engine.interrupted()) if (job.name === 'canceled.mov') await engine.discard(job.id);
		});
	});

	it('leaves nothing where it is interrupted', async () => {
		const controller = new AbortController();
		const running = extract(controller.signal);
		while ((await files()).length === 0);
		controller.abort();
		await expect(running).rejects.toMatchObject({ code: 'aborted' });
	});
});
