/**
 * Renders a review's clips with the engine that exports films: every version of every shot, exactly the shot's frames, without
 * sound, timecode or any name, keyframes close together; and its stills, lossless. What does not compare frame by frame is
 * refused before the first frame is rendered.
 */

import type { ClipProgress, ClipSettings, RenderedClip, RenderedShot, RenderedStill } from '../../contracts/review.ts';
import type { FrameRange } from '../../contracts/frames.ts';
import type { PlanRequest, PlanSummary } from '../../contracts/workers.ts';
import type { Size } from '../../core/color.ts';
import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { phrase, type PhraseCode, type PhraseValue } from '../../core/phrases.ts';
import { GRAIN_KEPT_LEAST } from '../../core/quality.ts';
import { equal, formatRational, ONE } from '../../core/rational.ts';
import { CLIP_ENCODINGS, CLIP_GOP } from '../../share/making/codec.ts';
import type { ClipCost } from '../../share/making/estimate.ts';
import { encodePng } from '../../share/making/png.ts';
import { measureShot } from './grain.ts';
import { type ClipEngine, type ClipPlace, Meter, reviewFile, type ShotRequest, type Work } from './work.ts';

/** A version to be rendered: everything a plan depends on but the range. */
export interface VersionToRender {
	/** For errors; it goes into no file. */
	readonly label: string;
	readonly request: Omit<PlanRequest, 'range'>;
}

/** Most stills of a clip. */
export const MAX_STILLS = 16;

function usage(code: PhraseCode, values: Readonly<Record<string, PhraseValue>>): EmulsionError {
	return new EmulsionError('usage', phrase(code, values));
}

const sizeText = ({ width, height }: Size): string => `${width}×${height}`;

/** Frames of which stills are taken: `count` of them, spread from the first to the last. */
export function stillFrames(frames: number, count: number): number[] {
	const most = Math.min(frames, Math.max(0, Math.floor(count)), MAX_STILLS);
	if (most === 0) return [];
	if (most === 1) return [Math.floor((frames - 1) / 2)];
	return Array.from({ length: most }, (_v, i) => Math.round((i * (frames - 1)) / (most - 1)));
}

/** Bits a sample of lossless pictures: 16 where any version has more than 8. */
function pictureDepth(versions: readonly VersionToRender[]): 8 | 16 {
	return versions.some(({ request }) => request.info.format.depth > 8) ? 16 : 8;
}

/** Size of an encoded 4:2:0 picture: sides are even. */
function encodedSize({ width, height }: Size): Size {
	return { width: width + (width % 2), height: height + (height % 2) };
}

/** Refuses versions that are films of another length or rate, and shots outside of them. */
function checkVersions(versions: readonly VersionToRender[], shots: readonly FrameRange[]): void {
	const [first] = versions;
	if (!first) throw new EmulsionError('internal', 'a review without versions');
	const { info } = first.request;
	for (const { label, request } of versions) {
		const { rotation, rate, frames } = request.info;
		if (rotation !== 0) throw usage('making-rotated', { version: label, degrees: rotation });
		if (frames.length !== info.frames.length) {
			const lengths = { got: frames.length, want: info.frames.length };
			throw usage('making-length', { version: label, first: first.label, ...lengths });
		}
		if (!equal(rate, info.rate)) {
			const rates = { got: formatRational(rate), want: formatRational(info.rate) };
			throw usage('making-rate', { version: label, first: first.label, ...rates });
		}
	}
	for (const { start, end } of shots) {
		const isInside = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end;
		if (!isInside || end > info.frames.length) throw usage('making-range', { start, end, frames: info.frames.length });
	}
}

/** Refuses a version whose plan has other frames or another size than the shot asks for. */
function checkPlan(
	version: VersionToRender,
	summary: PlanSummary,
	range: FrameRange,
	first: { readonly label: string; readonly summary: PlanSummary },
): void {
	const want = range.end - range.start;
	const got = summary.timeline.frames.length;
	if (got !== want) throw usage('making-frames', { version: version.label, frame: range.start, got, want });
	// To the pixel: stills of 719 and 720 columns tell versions apart, though their clips are padded to the same.
	const [a, b] = [summary.size, first.summary.size];
	const isAlike =
		a.width === b.width && a.height === b.height && equal(summary.sampleAspect, first.summary.sampleAspect);
	if (isAlike) return;
	const sizes = { got: sizeText(summary.size), want: sizeText(first.summary.size) };
	throw usage('making-size', { version: version.label, frame: range.start, first: first.label, ...sizes });
}

async function renderStills(work: Work, request: ShotRequest, shot: number, version: number): Promise<RenderedStill[]> {
	const { engine, settings, depth, place, meter, signal } = work;
	const { range } = request;
	const frames = stillFrames(range.end - range.start, settings.stills);
	const stills: RenderedStill[] = [];
	for (const frame of frames) {
		meter.at('stills', shot, version, 0);
		const picture = await engine.still(request, frame, 'result', signal);
		throwIfAborted(signal);
		const file = reviewFile(shot, version, `-${frame}.png`);
		await place.put(file, await encodePng(picture, depth));
		stills.push({ frame, file });
		meter.finish(1);
	}
	return stills;
}

async function renderClip(work: Work, request: ShotRequest, shot: number, version: number): Promise<RenderedClip> {
	const { engine, settings, place, meter, signal } = work;
	const encoding = CLIP_ENCODINGS[settings.codec];
	const file = reviewFile(shot, version, `.${encoding.container}`);
	let rendered = 0;
	meter.at('clips', shot, version, rendered);
	const report = await engine.export(
		{
			...request,
			container: encoding.container,
			codec: settings.codec,
			quality: settings.quality ?? encoding.quality,
			keyframes: CLIP_GOP,
			// What every browser decodes.
			...({ depth: 8, chroma: '420', audio: 'none', timecode: 'none' } as const),
			target: place.target(file),
			name: file,
		},
		({ phase, done }) => {
			// Planning and writing count no frames of their own.
			if (phase === 'render') rendered = done;
			meter.at('clips', shot, version, rendered);
		},
		signal,
	);
	meter.finish(report.output.frames);
	place.written(file, report.output.bytes);
	const stills = await renderStills(work, request, shot, version);
	return { file, bytes: report.output.bytes, grainKept: null, stills, crop: null, metrics: null };
}

/**
 * Renders all clips and stills.
 * @param shots Source frames of each shot.
 * @throws EmulsionError `usage` before anything is rendered (other lengths, rates, sizes, frame counts), and whatever planning and
 * exporting throw.
 */
export async function renderClips(
	engine: ClipEngine,
	versions: readonly VersionToRender[],
	shots: readonly FrameRange[],
	settings: ClipSettings,
	place: ClipPlace,
	onProgress: (progress: ClipProgress) => void,
	signal: AbortSignal,
): Promise<RenderedShot[]> {
	checkVersions(versions, shots);
	const planned: PlanSummary[] = [];
	for (const [shot, range] of shots.entries()) {
		let first: { readonly label: string; readonly summary: PlanSummary } | undefined;
		for (const [index, version] of versions.entries()) {
			onProgress({ phase: 'check', shot, version: index, done: 0, total: 0, remainingSeconds: null });
			const summary = await engine.plan({ ...version.request, range }, () => undefined, signal);
			first ??= { label: version.label, summary };
			checkPlan(version, summary, range, first);
		}
		planned.push(first!.summary);
	}
	const lengths = shots.map(({ start, end }) => end - start + stillFrames(end - start, settings.stills).length);
	const total = versions.length * lengths.reduce((sum, n) => sum + n, 0);
	const depth = pictureDepth(versions);
	const work: Work = { engine, settings, depth, place, signal, meter: new Meter(total, onProgress) };
	const rendered: RenderedShot[] = [];
	for (const [shot, range] of shots.entries()) {
		const clips: RenderedClip[] = [];
		const requests = versions.map(({ request }): ShotRequest => ({ ...request, range }));
		for (const [index, request] of requests.entries()) {
			throwIfAborted(signal);
			clips.push(await renderClip(work, request, shot, index));
		}
		const { size, sampleAspect, rate } = planned[shot]!;
		const frames = range.end - range.start;
		const pixelAspect = sampleAspect.num > 0 ? sampleAspect : ONE;
		const whole = { range, frames, size: encodedSize(size), pixelAspect, rate };
		const isEven = size.width % 2 === 0 && size.height % 2 === 0;
		rendered.push({ ...whole, ...(await measureShot(work, requests, clips, { shot, isEven, rate })) });
	}
	return rendered;
}

/**
 * Measures what clips will take: one group of pictures (twelve frames) from the middle of a shot, in every version, rendered and
 * encoded as the clips will be, then looked at as they will be. Its time holds the start of the encoder as well: longer shots take a
 * little less a frame. Crops are not rendered for it.
 */
export async function measureClips(
	engine: ClipEngine,
	versions: readonly VersionToRender[],
	shot: FrameRange,
	settings: ClipSettings,
	place: ClipPlace,
	signal: AbortSignal,
): Promise<ClipCost> {
	const middle = Math.floor((shot.start + shot.end - CLIP_GOP) / 2);
	const start = Math.max(shot.start, middle);
	const range = { start, end: Math.min(shot.end, start + CLIP_GOP) };
	const frames = range.end - range.start;
	let bitsPerPixel = 0;
	let rendering = 0;
	const quiet: Work = {
		...{ engine, settings: { ...settings, stills: 0, cropFrames: 0 }, place, signal },
		depth: pictureDepth(versions),
		meter: new Meter(frames, () => undefined),
	};
	const requests = versions.map(({ request }): ShotRequest => ({ ...request, range }));
	const clips: RenderedClip[] = [];
	const planned: PlanSummary[] = [];
	for (const [version, request] of requests.entries()) {
		const plan = await engine.plan(request, () => undefined, signal);
		const started = performance.now();
		const clip = await renderClip(quiet, request, 0, version);
		rendering += (performance.now() - started) / 1000;
		bitsPerPixel = Math.max(bitsPerPixel, (8 * clip.bytes) / (frames * plan.size.width * plan.size.height));
		planned.push(plan);
		clips.push(clip);
	}
	const { size, rate } = planned[0]!;
	const isEven = size.width % 2 === 0 && size.height % 2 === 0;
	const started = performance.now();
	const looked = await measureShot(quiet, requests, clips, { shot: 0, isEven, rate });
	return {
		bitsPerPixel,
		secondsPerFrame: rendering / frames / versions.length,
		secondsPerClip: (performance.now() - started) / 1000 / versions.length,
		asksOnCrops: looked.clips.some(({ grainKept }) => grainKept !== null && grainKept < GRAIN_KEPT_LEAST),
	};
}
