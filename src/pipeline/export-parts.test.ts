import { describe, expect, it } from 'vitest';
import type { AudioResult } from '../contracts/media.ts';
import type { ExportProgress, MuxedFile } from '../contracts/workers.ts';
import { rational, sub } from '../core/rational.ts';
import { timelineDuration } from '../core/timeline.ts';
import { createHashes } from '../store/keys.ts';
import { chunkBounds, chunkFrames, exportIdentity } from './chunks.ts';
import { encodeChoice } from './export.ts';
import { Precedence } from './gate.ts';
import { checkInvariants } from './invariants.ts';
import { entryOf, planWith, requestOf, stageOf } from './plan.testkit.ts';
import { ProgressMeter } from './progress.ts';
import { outputName, sequenceFiles, sequenceNames } from './sequence-names.ts';

const request = requestOf(10, undefined, []);
const exported = {
	...request,
	container: 'mkv' as const,
	name: 'out.mkv',
	target: { kind: 'opfs' as const, folder: 'x' },
};

describe('chunks', () => {
	it('tile the film', () => {
		expect(chunkBounds(5, 2)).toEqual([
			{ start: 0, end: 2 },
			{ start: 2, end: 4 },
			{ start: 4, end: 5 },
		]);
		expect(chunkBounds(0, 2)).toEqual([]);
	});

	it('are short where a model runs, and bounded in bytes', async () => {
		const light = await planWith(request, []);
		const heavy = await planWith(requestOf(10, undefined, [entryOf('m')]), [
			stageOf('m', { costHint: () => ({ gflopPerFrame: 100 }) }),
		]);
		const { config } = encodeChoice(exported, light);
		expect(chunkFrames(light, config)).toBe(480);
		expect(chunkFrames(heavy, config)).toBe(48);
		expect(chunkFrames(light, { ...config, size: { width: 8192, height: 8192 } })).toBe(8);
	});

	it('belong to one plan: any change gives another id', async () => {
		const hashes = await createHashes();
		const plan = await planWith(request, []);
		const { config } = encodeChoice(exported, plan);
		const id = (changes: { request?: object; config?: object; backend?: string; models?: string[] }) =>
			exportIdentity(
				{ ...exported, ...changes.request },
				plan,
				{ ...config, ...changes.config },
				480,
				changes.backend ?? 'wasm:2',
				changes.models ?? [],
				hashes,
			).id;
		const ids = [
			id({}),
			id({ request: { name: 'other.mkv' } }),
			id({ request: { range: { start: 0, end: 5 } } }),
			id({ request: { recipe: { version: 1, stages: [entryOf('x')] } } }),
			id({ config: { quality: 3 } }),
			id({ backend: 'webgpu:nvidia' }),
			id({ models: ['aa'] }),
		];
		expect(new Set(ids).size).toBe(ids.length);
		expect(id({})).toBe(ids[0]);
		// Where the file goes does not change its bytes.
		expect(id({ request: { target: { kind: 'opfs', folder: 'y' } } })).toBe(ids[0]);
	});
});

describe('invariants', () => {
	const audio: AudioResult = {
		file: new Blob(),
		codec: 'aac',
		copied: true,
		offset: rational(1, 100),
		duration: rational(1),
		sampleRate: 48000,
	};

	async function facts() {
		const { timeline } = await planWith(request, []);
		const first = timeline.frames[0]!.pts;
		const written: MuxedFile = {
			bytes: 1,
			sha256: '',
			frames: timeline.frames.length,
			pts: timeline.frames.map((f) => sub(f.pts, first)),
			duration: timelineDuration(timeline),
			tick: rational(1, 24000),
			audioStart: rational(1, 100),
		};
		return { timeline, written };
	}
	const failing = async (change: (written: MuxedFile) => MuxedFile, sound: AudioResult | undefined = audio) => {
		const { timeline, written } = await facts();
		const results = checkInvariants(timeline, change(written), sound, sound?.offset ?? rational(0));
		return results.filter((r) => !r.ok).map((r) => r.name);
	};

	it('hold for what was planned', async () => {
		expect(await failing((w) => w)).toEqual([]);
	});

	it('fail for a lost frame, a time one tick off, a wrong end, sound one audio frame late', async () => {
		expect(await failing((w) => ({ ...w, frames: 9 }))).toEqual(['frame-count']);
		const shifted = (w: MuxedFile) => w.pts.map((t, i) => (i === 3 ? rational(3001, 24000) : t));
		expect(await failing((w) => ({ ...w, pts: shifted(w) }))).toEqual(['timestamps']);
		expect(await failing((w) => ({ ...w, pts: w.pts.slice(1) }))).toEqual(['timestamps']);
		expect(await failing((w) => ({ ...w, duration: rational(1, 2) }))).toEqual(['duration']);
		expect(await failing((w) => ({ ...w, audioStart: rational(4, 100) }))).toEqual(['av-offset']);
		expect(await failing(({ audioStart: _gone, ...w }) => w)).toEqual(['av-offset']);
		expect(await failing((w) => w, undefined)).toEqual([]);
	});

	it('allow a coarse clock its rounding and no more', async () => {
		const tick = rational(1, 1000);
		const rounded = (w: MuxedFile, by: number) =>
			w.pts.map((t) => rational(Math.round((t.num / t.den) * 1000) + (t.num === 0 ? 0 : by), 1000));
		expect(await failing((w) => ({ ...w, tick, duration: rational(417, 1000), pts: rounded(w, 0) }))).toEqual([]);
		expect(await failing((w) => ({ ...w, tick, duration: rational(417, 1000), pts: rounded(w, 3) }))).toEqual([
			'timestamps',
		]);
	});
});

describe('names of a sequence', () => {
	it('are the source’s own, numbered on where a pattern asks for it', async () => {
		const scan = {
			...request.info,
			names: Array.from({ length: 10 }, (_, i) => `reel_${86400 + i}.tif`),
			firstNumber: 86400,
		};
		const plan = await planWith({ ...request, info: scan, range: { start: 2, end: 4 } }, []);
		const names = (name: string) => sequenceNames({ ...exported, info: scan, container: 'dpx', name }, plan);
		expect(names('x.dpx')).toEqual(['reel_86402.dpx', 'reel_86403.dpx']);
		expect(names('*_clean.dpx')).toEqual(['reel_86402_clean.dpx', 'reel_86403_clean.dpx']);
		expect(names('a.%07d.dpx')).toEqual(['a.0086402.dpx', 'a.0086403.dpx']);
		expect(sequenceNames(exported, plan)).toEqual([]);
		// What somebody typed in a terminal is the name of one frame, and of one only.
		const target = { kind: 'http', base: '/run', token: '' } as const;
		const typed = { ...exported, info: scan, container: 'dpx', name: 'x.dpx', target } as const;
		const single = await planWith({ ...request, info: scan, range: { start: 2, end: 3 } }, []);
		expect(sequenceNames(typed, single)).toEqual(['x.dpx']);
		expect(() => sequenceNames(typed, plan)).toThrow('x.dpx names one file, the output has 2 frames');
		// What the report calls them.
		const called = (files: readonly string[], folder?: string): string => {
			const request = folder === undefined ? exported : { ...exported, target: { ...target, folder } };
			return outputName(request, files, sequenceFiles(files, request.target));
		};
		expect(called(names('a.%07d.dpx'), 'reel1')).toBe('reel1/a.%07d.dpx 86402–86403');
		expect(called(names('*_clean.dpx'))).toBe('reel_%05d_clean.dpx 86402–86403');
		expect(called(['2k_9.dpx', '2k_10.dpx', '2k_12.dpx'])).toBe('2k_%d.dpx 9–12');
		expect(called(['f0998.png', 'f10000.png'])).toBe('f%04d.png 998–10000');
		expect(called(['head.png', 'tail.png'], 'r')).toBe('r/head.png … tail.png');
		expect(called(['x.dpx'], 'r')).toBe('r/x.dpx');
		expect(called([])).toBe('out.mkv');
	});
});

describe('precedence', () => {
	it('lets patient work wait for urgent work, and for nothing else', async () => {
		const gate = new Precedence();
		const { signal } = new AbortController();
		const log: string[] = [];
		await gate.breathePatient(signal);
		let finish: () => void = () => undefined;
		const preview = gate.urgent(() =>
			new Promise<void>((resolve) => (finish = resolve)).then(() => void log.push('preview')),
		);
		const tile = gate.breathePatient(signal).then(() => log.push('tile'));
		await gate.breatheUrgent(signal);
		expect(log).toEqual([]);
		finish();
		await Promise.all([preview, tile]);
		expect(log).toEqual(['preview', 'tile']);
	});

	it('ends a wait when the signal fires', async () => {
		const gate = new Precedence();
		const controller = new AbortController();
		void gate.urgent(() => new Promise(() => undefined));
		const waiting = gate.breathePatient(controller.signal);
		controller.abort();
		await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
	});
});

describe('progress', () => {
	it('counts, and says nothing of the rest while it knows no rate', () => {
		const seen: ExportProgress[] = [];
		const meter = new ProgressMeter((p) => seen.push(p));
		meter.phase('render', 3, 1);
		meter.step();
		meter.step();
		expect(seen[0]).toMatchObject({ phase: 'render', done: 1, total: 3, remainingSeconds: null });
		expect(seen.at(-1)).toMatchObject({ done: 3, total: 3 });
	});
});
