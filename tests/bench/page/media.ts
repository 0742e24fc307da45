/** Decode, conversion and encode, each alone; and decoding against the bare loops of the libraries below. */

import { ALL_FORMATS, BlobSource, EncodedPacketSink, Input } from 'mediabunny';
import type { Compute } from '../../../src/contracts/compute.ts';
import type { PlanarFrame } from '../../../src/contracts/frames.ts';
import type { MediaSource, SourceInfo } from '../../../src/contracts/media.ts';
import type { BackendWish } from '../../../src/contracts/workers.ts';
import { ffmpegPixelFormat, frameBytes } from '../../../src/core/color.ts';
import { say } from '../../../src/core/phrases.ts';
import { rational } from '../../../src/core/rational.ts';
import { createCompute } from '../../../src/gpu/create.ts';
import { chooseEncode } from '../../../src/media/encode/choose.ts';
import { createEncoder } from '../../../src/media/encode/encoder.ts';
import { runCore } from '../../../src/media/ffmpeg/core/core.ts';
import { FrameRing } from '../../../src/media/ffmpeg/core/rings.ts';
import { SOURCE_PATH } from '../../../src/media/ffmpeg/ffprobe.ts';
import { inputArgs, videoArgs } from '../../../src/media/ffmpeg/plan.ts';
import { openSource } from '../../../src/media/source.ts';
import { copyPlanes, planarFormat } from '../../../src/media/webcodecs/planes.ts';
import { toPlanes, toWorking } from '../../../src/pipeline/convert.ts';
import { releaseFrame } from '../../../src/store/frames.ts';
import type { Cost, CpuClock, Parts, Rates } from './api.ts';

const NEVER = new AbortController().signal;
const quiet = (): void => undefined;
/** Most chunks handed to the bare VideoDecoder ahead: enough that it never waits. */
const QUEUE = 32;

function open(file: File, engine?: 'ffmpeg' | 'webcodecs'): Promise<MediaSource> {
	const input = { kind: 'file', files: [{ path: file.name, file }], ...(engine ? { engine } : {}) } as const;
	return openSource(input, quiet, NEVER);
}

async function cost(frames: number, cpu: CpuClock, work: () => Promise<void>): Promise<Cost> {
	const before = await cpu();
	const started = performance.now();
	await work();
	const wall = (performance.now() - started) / 1000;
	const after = await cpu();
	return { wall: wall / frames, cpu: before === null || after === null ? null : (after - before) / frames };
}

async function convertOne(
	compute: Compute,
	frame: PlanarFrame,
	config: Parameters<typeof toPlanes>[2],
): Promise<PlanarFrame> {
	const working = toWorking(compute, frame);
	try {
		const data = await toPlanes(compute, working, config, frame.index);
		return { ...frame, format: config.format, color: config.color, data };
	} finally {
		releaseFrame(working);
	}
}

/** Decodes, converts and encodes the first `frames` frames one step after the other, and says what each step took. */
export async function passthroughParts(
	file: File,
	frames: number,
	backend: BackendWish,
	threads: number,
	cpu: CpuClock,
): Promise<Parts> {
	const compute = await createCompute({ wish: backend, threads });
	const source = await open(file);
	const { info } = source;
	const { config } = chooseEncode({ ...info, rate: info.rate }, 'mp4');
	const stream = async function* (from: readonly PlanarFrame[]): AsyncGenerator<PlanarFrame> {
		yield* from;
	};
	const range = { start: 0, end: frames };
	const encode = async (from: readonly PlanarFrame[]): Promise<void> => {
		const encoder = createEncoder(config);
		await encoder.encode(stream(from), { start: 0, end: from.length }, NEVER);
		await encoder.close();
	};
	try {
		// Once through everything, so that compiling wasm and optimizing the kernels is in no figure.
		const warm: PlanarFrame[] = [];
		for await (const frame of source.frames({ start: 0, end: Math.min(8, frames) }, NEVER)) warm.push(frame);
		for (const frame of warm) await convertOne(compute, frame, config);
		await encode(warm);
		const decoded: PlanarFrame[] = [];
		const decode = await cost(frames, cpu, async () => {
			for await (const frame of source.frames(range, NEVER)) decoded.push(frame);
		});
		const converted: PlanarFrame[] = [];
		const convert = await cost(frames, cpu, async () => {
			for (const frame of decoded) converted.push(await convertOne(compute, frame, config));
			await compute.done();
		});
		const encoded = await cost(frames, cpu, () => encode(converted));
		return { frames, engine: info.engine, backend: say(compute.info.name), decode, convert, encode: encoded };
	} finally {
		await source.close();
		compute.destroy();
	}
}

/** Frames of the short runs that are taken off the long ones: starting and ending a worker is in neither rate. */
const SHORT = 12;

/** Frames a second between the end of a short and of a long run, each the best of its rounds. */
class RateMeter {
	readonly #work: (frames: number) => Promise<unknown>;
	readonly #frames: number;
	readonly #cpu: CpuClock;
	#short = Infinity;
	#long = Infinity;
	#shortCpu = Infinity;
	#longCpu = Infinity;

	constructor(frames: number, cpu: CpuClock, work: (frames: number) => Promise<unknown>) {
		if (frames <= SHORT) throw new Error(`decode needs more than ${SHORT} frames, got ${frames}`);
		this.#frames = frames;
		this.#cpu = cpu;
		this.#work = work;
	}

	async round(): Promise<void> {
		const short = await this.#seconds(SHORT);
		const long = await this.#seconds(this.#frames);
		this.#short = Math.min(this.#short, short.wall);
		this.#long = Math.min(this.#long, long.wall);
		this.#shortCpu = Math.min(this.#shortCpu, short.cpu);
		this.#longCpu = Math.min(this.#longCpu, long.cpu);
	}

	/** Forgets what was measured (a warm-up). */
	reset(): void {
		this.#short = this.#long = this.#shortCpu = this.#longCpu = Infinity;
	}

	/** NaN where a disturbance made the short run the longer one: no verdict passes then. */
	get rate(): number {
		const seconds = this.#long - this.#short;
		return seconds > 0 ? (this.#frames - SHORT) / seconds : NaN;
	}

	/** Milliseconds of processor time a frame, of all threads: a busy machine changes it little. NaN where it cannot be read. */
	get cpu(): number {
		return ((this.#longCpu - this.#shortCpu) * 1000) / (this.#frames - SHORT);
	}

	async #seconds(frames: number): Promise<{ wall: number; cpu: number }> {
		const { wall, cpu } = await cost(1, this.#cpu, async () => {
			await this.#work(frames);
		});
		return { wall, cpu: cpu ?? NaN };
	}
}

/** Reads frames and, with `recycle`, gives their buffers back, as shot detection does in the product. */
async function drain(source: MediaSource, frames: number, recycle: boolean): Promise<void> {
	for await (const frame of source.frames({ start: 0, end: frames }, NEVER)) {
		if (recycle) source.recycle?.(frame.data);
	}
}

/** The core's own rate: decode to nothing, in a fresh worker as ours. */
async function coreDecode(file: File, frames: number): Promise<void> {
	const args = ['-nostats', '-loglevel', 'error', '-i', '/in/clip', '-map', '0:v', '-fps_mode', 'passthrough'];
	const result = await runCore({
		tool: 'ffmpeg',
		args: [...args, '-frames:v', String(frames), '-f', 'null', '-'],
		inputs: [{ kind: 'blob', path: '/in/clip', blob: file }],
	});
	if (result.code !== 0) throw new Error(`ffmpeg.wasm failed: ${result.log.join('; ')}`);
}

/** The core with our devices: planes and their descriptions into the ring, each slot given back unread. */
async function coreToRing(file: File, { format, size }: SourceInfo, frames: number): Promise<void> {
	const bytes = frameBytes(format, size);
	const ring = FrameRing.create(bytes);
	const path = '/dev/frames/out';
	const plan = { mode: 'packets', countRate: rational(25), discardCorrupt: true, seekShift: rational(0) } as const;
	const output = ['-frames:v', String(frames), '-pix_fmt', ffmpegPixelFormat(format), '-f', 'rawvideo', path];
	const result = await runCore(
		{
			tool: 'ffmpeg',
			args: [...inputArgs(plan), ...videoArgs(0), ...output],
			inputs: [{ kind: 'blob', path: SOURCE_PATH, blob: file }],
			outputs: [{ kind: 'frames', path, buffer: ring.buffer, frameBytes: bytes }],
			showinfo: true,
		},
		{
			onFrame: () => {
				ring.release();
			},
		},
	);
	if (result.code !== 0) throw new Error(`ffmpeg.wasm failed: ${result.log.join('; ')}`);
}

interface Packets {
	readonly config: VideoDecoderConfig;
	readonly chunks: readonly EncodedVideoChunk[];
}

async function readPackets(file: File): Promise<Packets> {
	const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
	try {
		const track = (await input.getVideoTracks())[0];
		const config = await track?.getDecoderConfig();
		if (!track || !config) throw new Error('the clip has no video track');
		const chunks: EncodedVideoChunk[] = [];
		for await (const packet of new EncodedPacketSink(track).packets()) chunks.push(packet.toEncodedVideoChunk());
		return { config, chunks };
	} finally {
		input.dispose();
	}
}

/** A bare VideoDecoder loop over packets in memory. `copying` copies the planes out, one frame after another as they come. */
async function bareDecode({ config, chunks }: Packets, copying: boolean): Promise<void> {
	const copies: Promise<unknown>[] = [];
	let failure: DOMException | undefined;
	const decoder = new VideoDecoder({
		output: (frame) => {
			const format = planarFormat(frame.format);
			const size = frame.visibleRect;
			if (!copying || !format || !size) frame.close();
			else copies.push(copyPlanes(frame, format, size).finally(() => frame.close()));
		},
		error: (error) => {
			failure = error;
		},
	});
	decoder.configure(config);
	for (const chunk of chunks) {
		while (decoder.decodeQueueSize >= QUEUE && failure === undefined) {
			await new Promise((resolve) => decoder.addEventListener('dequeue', resolve, { once: true }));
		}
		if (failure !== undefined) throw failure;
		decoder.decode(chunk);
	}
	await decoder.flush();
	await Promise.all(copies);
	decoder.close();
}

/** Frames a second of a whole file through our source and through the bare loop below it, taking turns. */
export async function decodeRates(
	file: File,
	engine: 'ffmpeg' | 'webcodecs',
	rounds: number,
	cpu: CpuClock,
): Promise<Rates> {
	let source: MediaSource;
	try {
		source = await open(file, engine);
	} catch (error) {
		return { engine, ours: [], bare: [], refused: error instanceof Error ? error.message : String(error) };
	}
	const frames = source.info.frames.length;
	const packets = engine === 'webcodecs' ? await readPackets(file) : undefined;
	const loop = (copying: boolean) => (count: number) =>
		packets ? bareDecode({ ...packets, chunks: packets.chunks.slice(0, count) }, copying) : coreDecode(file, count);
	const ours = new RateMeter(frames, cpu, (count) => drain(source, count, true));
	const fresh = new RateMeter(frames, cpu, (count) => drain(source, count, false));
	const bare = new RateMeter(frames, cpu, loop(false));
	const copying = new RateMeter(frames, cpu, loop(true));
	const ring = new RateMeter(frames, cpu, (count) => coreToRing(file, source.info, count));
	const meters = packets ? [bare, ours, fresh, copying] : [bare, ring, ours, fresh];
	try {
		// The compiler replaces its quick first code while that runs: whoever ran first would be measured on the slow one.
		for (const meter of meters) await meter.round();
		meters.forEach((meter) => meter.reset());
		for (let round = 0; round < rounds; round++) {
			for (const meter of meters) await meter.round();
			meters.reverse();
		}
		const milliseconds = { oursCpu: ours.cpu, bareCpu: bare.cpu };
		const rates = { engine, ours: [ours.rate], oursFresh: [fresh.rate], bare: [bare.rate], ...milliseconds };
		return { ...rates, ...(packets ? { bareCopying: [copying.rate] } : { ring: [ring.rate], ringCpu: ring.cpu }) };
	} finally {
		await source.close();
	}
}
