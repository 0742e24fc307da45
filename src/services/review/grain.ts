/**
 * What a codec did to grain, and what the judge sees: each clip is opened again and compared with the frames that were encoded.
 * Where one keeps under nine tenths of its version's grain power, all versions of the shot get lossless crops of the place that
 * shows grain best.
 */

import type { RenderedClip, RenderedCrop, RenderedShot } from '../../contracts/review.ts';
import type { SourceId } from '../../contracts/workers.ts';
import { throwIfAborted } from '../../core/errors.ts';
import { CROP_SECONDS } from '../../core/quality.ts';
import { type Rational, toNumber } from '../../core/rational.ts';
import type { Rect } from '../../core/tiles.ts';
import { cropPicture, encodePng } from '../../share/making/png.ts';
import { reviewFile, type ShotRequest, type Work } from './work.ts';

/** Frames of a shot, from its middle, that are compared before and after encoding. */
const COMPARED = 12;
/** Longest shot that the judge's record holds, in frames. */
const MOST_MEASURED = 20_000;

/** Where frames that were given to the encoder can be read without loss. */
interface Lossless {
	readonly source: SourceId;
	readonly start: number;
	/** It was opened for this, and has to be closed. */
	readonly own: boolean;
}

async function openFile({ engine, place, signal }: Work, file: string): Promise<SourceId> {
	const blob = await place.read(file);
	const opened = blob instanceof File ? blob : new File([blob], file);
	const { id } = await engine.open({ kind: 'file', files: [{ path: file, file: opened }] }, () => undefined, signal);
	return id;
}

/** Frames `start` to `end` of a version without loss: the source itself where nothing is done to it, else a short FFV1 film. */
async function lossless(work: Work, request: ShotRequest, start: number, end: number, file: string): Promise<Lossless> {
	const isSource = request.recipe.stages.every(({ enabled }) => !enabled);
	if (isSource) return { source: request.source, start, own: false };
	const { engine, place, signal } = work;
	const settings = { container: 'mkv', codec: 'ffv1', audio: 'none', timecode: 'none' } as const;
	const report = await engine.export(
		{ ...request, range: { start, end }, ...settings, target: place.target(file), name: file },
		() => undefined,
		signal,
	);
	place.written(file, report.output.bytes);
	return { source: await openFile(work, file), start: 0, own: true };
}

async function renderCrop(
	work: Work,
	request: ShotRequest,
	rect: Rect,
	span: { readonly first: number; readonly count: number },
	name: (index: number) => string,
): Promise<RenderedCrop> {
	const { engine, depth, place, signal } = work;
	const files: string[] = [];
	for (let i = 0; i < span.count; i++) {
		const picture = await engine.still(request, span.first + i, 'result', signal);
		throwIfAborted(signal);
		const file = name(i);
		await place.put(file, await encodePng(cropPicture(picture, rect), depth));
		files.push(file);
	}
	const { x, y, width, height } = rect;
	return { x, y, width, height, firstFrame: span.first, files };
}

/**
 * What the truth shows of the shot, without loss; undefined where no version is named the truth, or nothing can be compared: the encoder
 * pads odd sides, and padded pictures have another size.
 */
async function truthOf(work: Work, requests: readonly ShotRequest[], shot: number): Promise<Lossless | undefined> {
	const { truth } = work.settings;
	const request = truth === undefined ? undefined : requests[truth];
	if (truth === undefined || !request) return undefined;
	const { start, end } = request.range;
	return lossless(work, request, start, end, reviewFile(shot, truth, '-truth.mkv'));
}

/**
 * The clips with what their codec kept of the grain, with lossless crops where that is too little, and with the judge's figures where
 * they are wanted. Pictures that were padded for the encoder (odd sides) are not compared: `grainKept` stays null.
 */
export async function measureShot(
	work: Work,
	requests: readonly ShotRequest[],
	clips: readonly RenderedClip[],
	{ shot, isEven, rate }: { readonly shot: number; readonly isEven: boolean; readonly rate: Rational },
): Promise<Pick<RenderedShot, 'clips' | 'sourceGrain'>> {
	const { engine, settings, meter, signal } = work;
	const { range } = requests[0]!;
	const count = range.end - range.start;
	const compared = Math.min(COMPARED, count);
	const at = Math.floor((count - compared) / 2);
	const canCompare = compared >= 2 && isEven;
	const canJudge = settings.judge && count <= MOST_MEASURED;
	const befores: Lossless[] = [];
	const measured: RenderedClip[] = [];
	let truth: Lossless | undefined;
	let asks = false;
	try {
		if (canJudge && isEven) truth = await truthOf(work, requests, shot);
		for (const [version, request] of requests.entries()) {
			meter.at('grain', shot, version, 0);
			const clip = clips[version]!;
			const after = await openFile(work, clip.file);
			try {
				let grainKept: number | null = null;
				if (canCompare) {
					const start = range.start + at;
					const before = await lossless(
						work,
						request,
						start,
						start + compared,
						reviewFile(shot, version, '-window.mkv'),
					);
					befores.push(before);
					const asked = { before: before.source, beforeStart: before.start, after, afterStart: at, frames: compared };
					const loss = await engine.codecLoss(asked, () => undefined, signal);
					// Where what is left looks like nothing of the version's grain, the share may fall below none.
					grainKept = loss.kept === null ? null : Math.max(0, loss.kept);
					asks ||= loss.asksOnCrops;
				}
				const against = version === settings.truth ? undefined : truth;
				const wish = {
					...{ source: after, range: { start: 0, end: count } },
					...(against ? { truth: { source: against.source, start: against.start } } : {}),
				};
				const metrics = canJudge ? await engine.measure(wish, () => undefined, signal) : null;
				measured.push({ ...clip, grainKept, metrics });
			} finally {
				await engine.close(after);
			}
		}
		const most = Math.min(settings.cropFrames, count, Math.round(CROP_SECONDS * toNumber(rate)));
		if (asks && most > 0) {
			const { rect } = await engine.cropPlace(befores, signal);
			const span = { first: Math.floor((count - most) / 2), count: most };
			for (const [version, request] of requests.entries()) {
				meter.at('grain', shot, version, 0);
				const name = (index: number): string => reviewFile(shot, version, `-crop-${index}.png`);
				const crop = await renderCrop(work, request, rect, span, name);
				measured[version] = { ...measured[version]!, crop };
			}
		}
	} finally {
		for (const { source, own } of truth ? [...befores, truth] : befores) if (own) await engine.close(source);
	}
	return { clips: measured, sourceGrain: await grainOfSource(work, requests, measured) };
}

/** Grain of the one source that all versions were made of; null where they are films of their own and none is named the source. */
async function grainOfSource(
	{ engine, settings, signal }: Work,
	requests: readonly ShotRequest[],
	clips: readonly RenderedClip[],
): Promise<RenderedShot['sourceGrain']> {
	const [first] = requests;
	// As voters see it: through the codec that all versions went through.
	if (settings.source !== undefined) return clips[settings.source]?.metrics?.grain ?? null;
	if (!settings.judge || !first || requests.some(({ source }) => source !== first.source)) return null;
	const untouched = requests.findIndex(({ recipe }) => recipe.stages.every(({ enabled }) => !enabled));
	// As voters see it, where the source is one of the versions.
	const seen = clips[untouched]?.metrics;
	if (seen) return seen.grain;
	const { range, source } = first;
	if (range.end - range.start > MOST_MEASURED) return null;
	return (await engine.measure({ source, range }, () => undefined, signal)).grain;
}
