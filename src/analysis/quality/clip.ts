/** Measures a clip: a shot as one version shows it, frame by frame as the frames come. */

import type { MeasureOptions, QualityFrame, QualityFrames } from '../../contracts/quality.ts';
import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type ClipMetrics, MEASURED_IDS, type MeasuredId, QUALITY_METHOD } from '../../core/quality.ts';
import { pairNoise } from '../noise/shot.ts';
import { alongside } from './alongside.ts';
import { blockiness } from './blockiness.ts';
import { FlickerMeter } from './flicker.ts';
import { ClipGrain } from './grain.ts';
import { instability, reducedForMatching } from './instability.ts';
import { niqe } from './niqe.ts';
import { cropFrame, lumaOf, meanOf, type Plane } from './planes.ts';
import { psnr, ssim } from './reference.ts';
import { sharpness } from './sharpness.ts';

/** Default of {@link MeasureOptions.every}: half a second of film. */
const EVERY = 12;
/** Largest part, in the middle, in which noise and grain are measured: block matching at full size costs most of all. */
const PART = { width: 960, height: 544 };

/** Pairs of frames in which noise and grain are measured, of a clip whose length is known: a pair takes most of a second. */
const PAIRS = 6;

type Series = Record<MeasuredId, (number | null)[]>;

function middle(frame: QualityFrame): QualityFrame & { readonly data: Float32Array<ArrayBuffer> } {
	const [width, height] = [Math.min(PART.width, frame.width), Math.min(PART.height, frame.height)];
	const [x, y] = [(frame.width - width) >> 1, (frame.height - height) >> 1];
	return cropFrame(frame, { x, y, width, height });
}

/** The frames, with the truth's where there is one. */
async function* withTruth(
	frames: QualityFrames,
	truth: QualityFrames | undefined,
): AsyncGenerator<readonly [QualityFrame, QualityFrame?]> {
	if (truth) {
		yield* alongside(frames, truth, {
			short: (count) => new EmulsionError('usage', phrase('truth-short', { frames: count })),
			size: (other, version) => new EmulsionError('usage', phrase('truth-size', { truth: other, version })),
		});
	} else for await (const frame of frames) yield [frame];
}

/** Collects what the frames of one clip give. */
class ClipMeter {
	readonly #every: number;
	/** Frames between two pairs. */
	readonly #pairsEvery: number;
	readonly #series: Series;
	readonly #flicker = new FlickerMeter();
	readonly #grain = new ClipGrain();
	#size: { readonly width: number; readonly height: number } | undefined;
	#frames = 0;
	/** The frame before, where the next one is compared with it. */
	#before: QualityFrame | undefined;
	#reduced: Plane | undefined;

	constructor(every: number, total: number) {
		this.#every = every;
		this.#pairsEvery = every * Math.max(1, Math.ceil(total / (PAIRS * every)));
		this.#series = Object.fromEntries(MEASURED_IDS.map((id) => [id, []])) as unknown as Series;
	}

	get frames(): number {
		return this.#frames;
	}

	add(frame: QualityFrame, truth: QualityFrame | undefined): void {
		const { width, height } = frame;
		this.#size ??= { width, height };
		if (width !== this.#size.width || height !== this.#size.height) {
			throw new EmulsionError(
				'internal',
				`A clip of ${this.#size.width}×${this.#size.height} goes on with ${width}×${height}.`,
			);
		}
		const luma = lumaOf(frame);
		const costly = this.#frames % this.#every === 0;
		this.#flicker.add(luma);
		const reduced = reducedForMatching(luma);
		this.#push('instability', this.#reduced ? instability(reduced, this.#reduced) : null);
		this.#reduced = reduced;
		this.#push('blockiness', blockiness(luma));
		this.#push('sharpness', costly ? sharpness(luma) : null);
		this.#push('niqe', costly ? niqe(luma) : null);
		const other = costly && truth ? lumaOf(truth) : undefined;
		this.#push('ssim', other ? ssim(luma, other) : null);
		this.#push('psnr', other ? psnr(luma, other) : null);
		this.#pair(frame);
		if (this.#frames % this.#pairsEvery === 0) this.#before = frame;
		this.#frames++;
	}

	/** Noise and grain, between the frame that was looked at closely and this one after it. */
	#pair(frame: QualityFrame): void {
		const before = this.#before;
		this.#before = undefined;
		if (!before) {
			this.#push('noise', null);
			return;
		}
		const [first, second] = [middle(before), middle(frame)];
		const channels = pairNoise(first, second);
		this.#push('noise', 255 * Math.sqrt(channels.reduce((sum, s) => sum + s * s, 0) / 3));
		this.#grain.add(first, second);
	}

	#push(id: MeasuredId, value: number | null): void {
		this.#series[id].push(value !== null && Number.isFinite(value) ? value : null);
	}

	finish(): ClipMetrics {
		if (!this.#size) throw new EmulsionError('usage', phrase('measure-empty'));
		const series: Series = { ...this.#series, flicker: this.#flicker.series() };
		const rootMeanSquare = (values: readonly (number | null)[]): number | null => {
			const mean = meanOf(values.map((v) => (v === null ? null : v * v)));
			return mean === null ? null : Math.sqrt(mean);
		};
		const values = Object.fromEntries(
			MEASURED_IDS.map((id) => {
				const isDeviation = id === 'flicker' || id === 'instability' || id === 'noise';
				return [id, isDeviation ? rootMeanSquare(series[id]) : meanOf(series[id])];
			}),
		) as Record<MeasuredId, number | null>;
		const grain = this.#grain.summary(this.#size);
		return { method: QUALITY_METHOD, size: this.#size, frames: this.#frames, values, series, grain };
	}
}

/**
 * Measures a shot of one version. Frames are pulled one after the other and let go: at most two are held. Flicker, instability and blockiness
 * are measured in every frame, the rest in every `every`th, noise and grain in about six pairs where `total` is told.
 * @throws EmulsionError `usage` without any frame, and where the truth is shorter or of another size; `aborted`; `internal` where the
 * size changes or `every` is no whole number from 1 on.
 */
export async function measureClip(frames: QualityFrames, options: MeasureOptions = {}): Promise<ClipMetrics> {
	const { truth, every = EVERY, total = 0, onProgress, signal } = options;
	if (!Number.isInteger(every) || every < 1)
		throw new EmulsionError('internal', `measureClip: every must be a whole number from 1 on, got ${every}.`);
	const meter = new ClipMeter(every, total);
	throwIfAborted(signal);
	for await (const [frame, other] of withTruth(frames, truth)) {
		throwIfAborted(signal);
		meter.add(frame, other);
		onProgress?.({ phase: 'quality', done: meter.frames, total });
	}
	return meter.finish();
}
