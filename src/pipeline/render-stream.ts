/**
 * Frames of a plan for the encoder, in order: source planes where no stage touches a frame and nothing has to be converted,
 * rendered ones otherwise. One frame's readback overlaps the next one's rendering.
 */

import type { FrameRange, PlanarFrame } from '../contracts/frames.ts';
import type { EncodeConfig } from '../contracts/media.ts';
import type { StageTime } from '../contracts/report.ts';
import type { Compute } from '../contracts/compute.ts';
import type { WorkingFrame } from '../contracts/stage.ts';
import type { PixelFormat } from '../core/color.ts';
import type { Phrase } from '../core/phrases.ts';
import { chromaStatement, isSubsampled, measureChromaError } from '../gpu/color/chroma-error.ts';
import { BufferPool } from '../media/buffers.ts';
import { releaseFrame } from '../store/frames.ts';
import { copiesPlanes, toPlanes } from './convert.ts';
import type { Executor } from './executor.ts';
import { type Meter, MeteredCompute } from './metered.ts';
import { provenanceShares } from './ops/provenance.ts';
import type { Plan } from './plan-types.ts';
import type { SourceReader } from './source-reader.ts';

/** What a stretch of output turned out to be; sums over its frames. Plain JSON: stored with each chunk. */
export interface RenderNotes {
	/** Share of pixels, summed over frames. */
	original: number;
	repaired: number;
	generated: number;
	/** Frames whose source planes were copied. */
	copied: number;
	/** Frames on which the cost of chroma resampling was measured: the first rendered one of each chunk. */
	chromaFrames: number;
	/** Mean squared error of R′G′B′ there, summed over those frames. */
	chromaSquares: number;
	/** Largest error there; of several notes the largest counts, not the sum. */
	chromaMax: number;
}

/** Notes of nothing. */
export const noNotes = (): RenderNotes => ({
	original: 0,
	repaired: 0,
	generated: 0,
	copied: 0,
	chromaFrames: 0,
	chromaSquares: 0,
	chromaMax: 0,
});

/** Adds `more` to `notes`. */
export function addNotes(notes: RenderNotes, more: RenderNotes): void {
	const chromaMax = Math.max(notes.chromaMax, more.chromaMax);
	for (const key of Object.keys(notes) as (keyof RenderNotes)[]) notes[key] += more[key];
	notes.chromaMax = chromaMax;
}

/** What subsampled chroma cost, as measured; undefined where nothing was resampled. */
export function describeChroma(notes: RenderNotes, format: PixelFormat): Phrase | undefined {
	if (notes.chromaFrames === 0) return undefined;
	const square = notes.chromaSquares / notes.chromaFrames;
	const psnr = square === 0 ? Infinity : -10 * Math.log10(square);
	return chromaStatement(format, { rms: Math.sqrt(square), max: notes.chromaMax, psnr });
}

/** What rendering for an encoder needs. */
export interface RenderContext {
	readonly plan: Plan;
	readonly executor: Executor;
	readonly reader: SourceReader;
	readonly compute: Compute;
	readonly config: Pick<EncodeConfig, 'format' | 'color'>;
	readonly signal: AbortSignal;
	readonly breathe: (signal: AbortSignal) => Promise<void>;
}

/** Renders ranges of one plan; counts the time of the conversion on the way out. */
export class RenderStream {
	readonly #context: RenderContext;
	readonly #clock: Meter & { frames: number; seconds: number } = {
		frames: 0,
		seconds: 0,
		uploadSeconds: 0,
		readbackSeconds: 0,
	};

	readonly #buffers = new BufferPool();

	constructor(context: RenderContext) {
		this.#context = context;
	}

	/** Takes the buffer of a frame that the encoder has finished with. */
	recycle(data: ArrayBuffer): void {
		this.#buffers.give(data);
	}

	/** Time of the conversion to output planes. */
	time(): StageTime {
		const { frames, seconds, uploadSeconds, readbackSeconds } = this.#clock;
		return { id: 'output', stage: 'convert', frames, computeSeconds: seconds, uploadSeconds, readbackSeconds };
	}

	/** Frames `range` of the plan's timeline; `notes` is added to as they are yielded. */
	async *frames(range: FrameRange, notes: RenderNotes): AsyncGenerator<PlanarFrame> {
		let ahead: Promise<PlanarFrame> | undefined;
		let next: Promise<PlanarFrame> | undefined;
		try {
			for (let i = range.start; i < range.end; i++) {
				await this.#context.breathe(this.#context.signal);
				const starting = this.#start(i, notes);
				// What fails is thrown where it is awaited; until then it must not count as unhandled.
				next = starting.then(({ out }) => out);
				next.catch(() => undefined);
				// Handed over as soon as it is there, not when the frame after it is: that one may take seconds.
				if (ahead) yield await ahead;
				ahead = next;
				await starting;
			}
			if (ahead) yield await ahead;
			ahead = next = undefined;
		} finally {
			await ahead?.catch(() => undefined);
			await next?.catch(() => undefined);
		}
	}

	/** Renders a frame and starts its way out; resolves (to a box, so that `await` does not wait for the readback) when the next may begin. */
	async #start(index: number, notes: RenderNotes): Promise<{ readonly out: Promise<PlanarFrame> }> {
		const { plan, executor, reader, config, signal } = this.#context;
		const source = plan.copies[index]!;
		if (source >= 0 && copiesPlanes(plan.request.info, config)) {
			const copied = await reader.use(source, signal, (planes) =>
				copiesPlanes(planes, config) ? { ...planes, data: this.#copy(planes.data) } : undefined,
			);
			if (copied) {
				notes.copied++;
				notes.original++;
				return { out: Promise.resolve(this.#placed(index, copied)) };
			}
		}
		const frame = await executor.frame(plan.levels.length - 1, plan.window.start + index);
		return { out: this.#out(index, frame, notes) };
	}

	#copy(data: ArrayBuffer): ArrayBuffer {
		const copy = this.#buffers.take(data.byteLength);
		new Uint8Array(copy).set(new Uint8Array(data));
		return copy;
	}

	#placed(index: number, frame: PlanarFrame): PlanarFrame {
		const { pts, duration } = this.#context.plan.timeline.frames[index]!;
		return { ...frame, pts, duration, index };
	}

	async #measureChroma(compute: Compute, { picture }: WorkingFrame, notes: RenderNotes): Promise<void> {
		const { format, color } = this.#context.config;
		const size = { width: picture.width, height: picture.height };
		const { rms, max } = await measureChromaError(compute, picture, { format, size, tags: color });
		notes.chromaSquares += rms ** 2;
		notes.chromaMax = Math.max(notes.chromaMax, max);
	}

	async #out(index: number, frame: WorkingFrame, notes: RenderNotes): Promise<PlanarFrame> {
		const { plan, reader, compute, config, signal } = this.#context;
		const started = performance.now();
		// Decided before anything is awaited: frames overlap, and the choice must be the same in every run.
		const measures = notes.chromaFrames === 0 && isSubsampled(config.format);
		if (measures) notes.chromaFrames++;
		try {
			const source = plan.levels.at(-1)!.sources[plan.window.start + index]!;
			// Alpha and the headers of scans come from the source's own frame; nothing else does.
			const { info } = plan.request;
			const lends = (info.format.alpha && config.format.alpha) || info.kind === 'sequence';
			const metered = new MeteredCompute(compute, this.#clock);
			// Counted in the whole film: exports of two ranges join to the bytes of one.
			const seed = plan.window.start + index;
			const convert = async (lender?: PlanarFrame) => ({
				data: await toPlanes(metered, frame, config, seed, { ...(lender ? { lender } : {}), buffers: this.#buffers }),
				...(lender?.header ? { header: lender.header } : {}),
			});
			const planes = await (lends ? reader.use(source, signal, convert) : convert());
			if (measures) await this.#measureChroma(metered, frame, notes);
			const shares = await provenanceShares(metered, frame);
			notes.repaired += shares.repaired;
			notes.generated += shares.generated;
			notes.original += shares.original;
			const { width, height } = frame.picture;
			return this.#placed(index, {
				format: config.format,
				size: { width, height },
				...planes,
				color: config.color,
				fields: info.fields,
				pts: { num: 0, den: 1 },
				duration: { num: 1, den: 1 },
				index,
			});
		} finally {
			releaseFrame(frame);
			this.#clock.frames++;
			this.#clock.seconds += (performance.now() - started) / 1000;
		}
	}
}
