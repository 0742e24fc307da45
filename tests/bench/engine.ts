/** Benches that need the bench page: decode, passthrough, tiles, dpx codec. */

import { cpus } from 'node:os';
import type { GpuPolicy } from '../../cli/browser.ts';
import { withBenchPage } from './chrome.ts';
import { dpxFolder, h264Clip } from './clips.ts';
import type { Cost, Parts, Rates, TileCosts, TileRequest, Whole } from './page/api.ts';
import { terminalRun } from './terminal.ts';
import type { BenchOptions, BenchRow } from './types.ts';

const best = (values: readonly number[], pick: (...v: number[]) => number): number => pick(...values);
/** Least share of the bare loop's rate. */
const DECODE_TARGET = 0.9;
const round = (value: number, digits: number): string => value.toFixed(digits);
const ms = (seconds: number): string => `${round(seconds * 1000, 1)} ms`;

/** The GPU that a wish may see: only `wasm` does without. */
export function policyOf(backend: BenchOptions['backend']): GpuPolicy {
	return backend === 'wasm' ? 'none' : 'hardware';
}

/** A row of one way to decode against the bare loop; `target` is a share of that, or null where none was promised. */
function ratioRow(
	rates: Rates,
	name: string,
	baseline: string,
	way: { readonly fps: readonly number[]; readonly cpu?: number },
	target: number | null,
): BenchRow {
	const ours = best(way.fps, Math.max);
	const bare = best(rates.bare, Math.max);
	const { bareCpu } = rates;
	const processor =
		way.cpu && bareCpu ? `; ${round(way.cpu, 2)} ms of processor time a frame against ${round(bareCpu, 2)}` : '';
	return {
		bench: 'decode',
		name,
		target: target === null ? '—' : `≥ ${target} × ${baseline}`,
		figure: `${round(ours / bare, 2)} (${round(ours, 0)} of ${round(bare, 0)} fps)${processor}`,
		pass: target === null ? null : ours >= target * bare,
		data: { ...rates },
	};
}

/** Rows of one engine: what was promised, and what else was measured in the same run. */
export function decodeRows(rates: Rates): BenchRow[] {
	const isFfmpeg = rates.engine === 'ffmpeg';
	const baseline = isFfmpeg ? 'the core’s -f null' : 'a bare VideoDecoder loop';
	if (rates.refused !== undefined) {
		const figure = `not available: ${rates.refused}`;
		const target = `≥ ${DECODE_TARGET} × ${baseline}`;
		return [{ bench: 'decode', name: rates.engine, target, figure, pass: false, data: { ...rates } }];
	}
	const ours = { fps: rates.ours, ...(rates.oursCpu ? { cpu: rates.oursCpu } : {}) };
	const fresh = { fps: rates.oursFresh ?? [] };
	const row = (name: string, way: Parameters<typeof ratioRow>[3], target: number | null): BenchRow =>
		ratioRow(rates, name, baseline, way, target);
	if (isFfmpeg) {
		const ring = { fps: rates.ring ?? [], ...(rates.ringCpu ? { cpu: rates.ringCpu } : {}) };
		return [
			row('ffmpeg.wasm, planes in the ring', ring, DECODE_TARGET),
			row('ffmpeg.wasm, frames copied out of the ring', ours, null),
			row('ffmpeg.wasm, the same without giving buffers back', fresh, null),
		];
	}
	return [
		row('WebCodecs, planes', ours, DECODE_TARGET),
		row('WebCodecs, without giving buffers back', fresh, null),
		row('a bare loop that copies planes', { fps: rates.bareCopying ?? [] }, null),
	];
}

/** Decoding against what is below it. */
export async function decodeBench(options: BenchOptions): Promise<BenchRow[]> {
	const clip = h264Clip(640, 360, options.frames, 24);
	return withBenchPage('none', [clip], async (page) => {
		const measure = (engine: 'ffmpeg' | 'webcodecs') =>
			page.evaluate(([e, r]) => globalThis.emulsionBench!.decodeRates(e, r), [engine, options.rounds] as const);
		return [...decodeRows(await measure('ffmpeg')), ...decodeRows(await measure('webcodecs'))];
	});
}

/** Frames a second that the parts allow on so many cores: the slowest part, or all processor time spread over the cores. */
export function passthroughBound(parts: Pick<Parts, 'decode' | 'convert' | 'encode'>, cores: number): number {
	const { decode, convert, encode } = parts;
	const all = [decode, convert, encode];
	const cpu = all.every((part) => part.cpu !== null) ? all.reduce((sum, part) => sum + (part.cpu ?? 0), 0) / cores : 0;
	return 1 / Math.max(...all.map((part) => part.wall), cpu);
}

function partRow(name: string, { wall, cpu }: Cost): BenchRow {
	const figure = `${ms(wall)} wall, ${cpu === null ? 'processor time unknown' : `${ms(cpu)} processor`} a frame`;
	return { bench: 'passthrough', name, target: '—', figure, pass: null, data: { wall, cpu } };
}

/** Rows of the pass-through. The best whole of all rounds counts, against the parts of the same run. */
export function passthroughRows(parts: Parts, wholes: readonly Whole[], cores: number): BenchRow[] {
	const bound = passthroughBound(parts, cores);
	const whole = wholes.reduce((a, b) => (b.seconds < a.seconds ? b : a));
	const fps = whole.frames / whole.seconds;
	const steady = whole.renderSeconds > 0 ? (whole.frames - 1) / whole.renderSeconds : fps;
	const where = `${whole.backend}; decoder ${parts.engine}`;
	return [
		partRow('decode alone', parts.decode),
		partRow('convert there and back alone', parts.convert),
		partRow('encode alone', parts.encode),
		{
			bench: 'passthrough',
			name: `640×360 H.264, ${whole.frames} frames, through the working format (${where})`,
			target: `≥ 0.8 × ${round(bound, 1)} fps`,
			figure: `${round(fps / bound, 2)} (${round(fps, 1)} fps; ${round(steady, 1)} between first and last frame)`,
			pass: fps >= 0.8 * bound,
			data: { bound, fps, steady, parts, wholes },
		},
	];
}

/** decode → working format → encode, whole and in parts. */
export async function passthroughBench(options: BenchOptions): Promise<BenchRow[]> {
	const { frames, backend, threads, rounds } = options;
	const clip = h264Clip(640, 360, frames, 24);
	return withBenchPage(policyOf(backend), [clip], async (page) => {
		const job = [frames, backend, threads] as const;
		const parts = await page.evaluate((j) => globalThis.emulsionBench!.parts(...j), job);
		const wholes: Whole[] = [];
		for (let i = 0; i < rounds; i++) {
			wholes.push(await page.evaluate((j) => globalThis.emulsionBench!.whole(...j), job));
		}
		return passthroughRows(parts, wholes, cpus().length);
	});
}

function tileRows(costs: TileCosts): BenchRow[] {
	const stage = best(costs.stage, Math.min);
	const bare = best(costs.bare, Math.min);
	const where = `${costs.backend}${costs.software ? ', software' : ''}`;
	return [
		{
			bench: 'tiles',
			name: `degrain a tile on ${where}, ${costs.tiles.length} of ${costs.tiles[0] ?? ''}`,
			target: '≤ 1.1 × bare session.run',
			figure: `${round(stage / bare, 3)} (${ms(stage)} against ${ms(bare)})`,
			pass: stage <= 1.1 * bare,
			data: { ...costs },
		},
		{
			bench: 'tiles',
			name: `readbacks between two stages on ${where}`,
			target: '0',
			figure: String(costs.readbacks),
			pass: costs.readbacks === 0,
			data: { readbacks: costs.readbacks },
		},
	];
}

/** A stage against the bare model, on wasm and on WebGPU (small tiles where that is software). */
export async function tilesBench(options: BenchOptions): Promise<BenchRow[]> {
	const { threads, rounds } = options;
	const run = (policy: GpuPolicy, request: TileRequest): Promise<TileCosts> =>
		withBenchPage(policy, [], (page) => page.evaluate((r) => globalThis.emulsionBench!.tiles(r), request));
	const wasm = await run('none', { backend: 'wasm', threads, width: 320, height: 240, tile: 192, rounds });
	const small = { backend: 'webgpu', threads: 1, width: 16, height: 16, rounds: rounds * 3 } as const;
	const software = await run('software', small);
	const rows = [...tileRows(wasm), ...tileRows(software)];
	const large = { backend: 'webgpu', threads: 1, width: 1280, height: 720, rounds } as const;
	const real = await realAdapter();
	return real ? [...rows, ...tileRows(await run('hardware', large))] : rows;
}

async function realAdapter(): Promise<boolean> {
	const answer = await withBenchPage('hardware', [], (page) =>
		page.evaluate(() => globalThis.emulsionBench!.gpu([], 0)),
	);
	return answer.refused === undefined;
}

const DPX_FRAMES = 8;

type Report = Awaited<ReturnType<typeof terminalRun>>['report'];

/** DPX: the codec alone in Chromium, and folders of two lengths through the whole engine, planes copied: the difference is free of starting and ending. */
export async function dpxBench(options: BenchOptions): Promise<BenchRow[]> {
	const codec = await withBenchPage('none', [], (page) =>
		page.evaluate((n) => globalThis.emulsionBench!.dpx(n), options.rounds * 3),
	);
	const rows = codec.map(({ name, milliseconds, megabytesPerSecond }): BenchRow => ({
		bench: 'dpx',
		name,
		target: '—',
		figure: `${round(milliseconds, 1)} ms a frame, ${round(megabytesPerSecond, 0)} MB/s`,
		pass: null,
		data: { milliseconds, megabytesPerSecond },
	}));
	const whole = async (frames: number): Promise<Report> => {
		const run = await terminalRun({
			input: dpxFolder(frames),
			output: '*.dpx',
			extra: ['--transfer', 'log', '--backend', options.backend],
			log: options.log,
		});
		return run.report;
	};
	const short = await whole(DPX_FRAMES);
	const long = await whole(3 * DPX_FRAMES);
	const frame = (long.seconds.total - short.seconds.total) / (2 * DPX_FRAMES);
	const start = short.seconds.total - frame * DPX_FRAMES;
	rows.push({
		bench: 'dpx',
		name: `DPX to DPX through the engine, planes copied, slope from ${DPX_FRAMES} to ${3 * DPX_FRAMES} frames`,
		target: '—',
		figure: `${ms(frame)} a frame, ${round((2 * 12.75) / frame, 0)} MB/s in and out; ${round(start, 1)} s to start and end`,
		pass: null,
		data: { short: short.seconds, long: long.seconds, frames: DPX_FRAMES, copied: short.provenance.copiedFrames },
	});
	return rows;
}
