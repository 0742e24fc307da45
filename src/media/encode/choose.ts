/** Chooses codec, engine and planes for an export: the source's own format where the container holds it, else the nearest that loses least, with every conversion said. */

import {
	chromaShift,
	type ColorTags,
	formatPhrase,
	layoutText,
	type Matrix,
	matrixText,
	type PixelFormat,
	sameFormat,
	type Size,
	type Transfer,
	transferText,
} from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { type Phrase, phrase, type PhraseValue, type Text } from '../../core/phrases.ts';
import { ONE } from '../../core/rational.ts';
import type { ContainerId, EncodeCodec, EncodeConfig, SourceInfo } from '../../contracts/media.ts';
import type { ExportRequest } from '../../contracts/workers.ts';
import { CODECS, CONTAINERS, type CodecRow, type EncodeEngine, encodableSize } from './formats.ts';

/** What is to be encoded: probe results of a source, or the same facts of a final timeline. */
export type EncodeSource = Pick<
	SourceInfo,
	'format' | 'size' | 'color' | 'fields' | 'sampleAspect' | 'rotation' | 'timebase' | 'rate' | 'timecode'
>;

/** What the restorer asked for. Absent fields follow the source. */
export type EncodeWishes = Pick<ExportRequest, 'codec' | 'engine' | 'depth' | 'chroma' | 'quality' | 'keyframes'>;

/** A decided configuration and what it does to the picture on the way out. */
export interface EncodeChoice {
	readonly config: EncodeConfig;
	/** One sentence each; empty when planes are copied as they are. */
	readonly conversions: readonly Phrase[];
}

/** Longest distance of keyframes that may be asked for: encoders count no further. */
const MAX_KEYFRAMES = 10_000;

/** Depth in which float counts as better than any integer. */
function effectiveDepth(format: PixelFormat): number {
	return format.sample === 'f32' ? 17 : format.depth;
}

/** What is lost (weights: chroma resolution, alpha, bits, color model) when `from` is written as `to`; 0 for equal formats. */
function loss(from: PixelFormat, to: PixelFormat): number {
	if (sameFormat(from, to)) return 0;
	let sum = 0.01;
	if (from.alpha !== to.alpha) sum += from.alpha ? 8 : 0.5;
	if (from.chroma !== 'gray') {
		if (to.chroma === 'gray') sum += 1000;
		const a = chromaShift(from.chroma);
		const b = chromaShift(to.chroma);
		for (const d of [b.x - a.x, b.y - a.y]) sum += d > 0 ? 20 * d : -0.3 * d;
		if ((from.chroma === 'rgb') !== (to.chroma === 'rgb')) sum += 3;
	} else if (to.chroma !== 'gray') sum += to.chroma === '420' ? 0.5 : 1;
	const bits = effectiveDepth(from) - effectiveDepth(to);
	return sum + (bits > 0 ? 4 * bits : -0.1 * bits);
}

/** The format of the list that loses least; undefined for an empty list. Exported for its tests. */
export function nearestFormat(source: PixelFormat, held: readonly PixelFormat[]): PixelFormat | undefined {
	return held.reduce<PixelFormat | undefined>(
		(best, f) => (best === undefined || loss(source, f) < loss(source, best) ? f : best),
		undefined,
	);
}

function fits(format: PixelFormat, wishes: EncodeWishes): boolean {
	if (wishes.depth !== undefined && format.depth !== wishes.depth) return false;
	return wishes.chroma === undefined || format.chroma === wishes.chroma;
}

function refuse(what: PhraseValue, wish: PhraseValue, held: PhraseValue): EmulsionError {
	return new EmulsionError('unsupported-format', phrase('cannot-hold', { what, wish, held }));
}

function describeWish({ chroma, depth }: EncodeWishes): Text {
	const layout = chroma === undefined ? '' : layoutText(chroma);
	if (depth === undefined) return layout;
	return phrase(chroma === undefined ? 'wish-depth' : 'wish-format', { chroma: layout, depth });
}

function pickCodec(
	container: ContainerId,
	source: PixelFormat,
	wishes: EncodeWishes,
): { codec: EncodeCodec; engine: EncodeEngine; format: PixelFormat } {
	const row = CONTAINERS[container];
	if (wishes.codec !== undefined && !row.codecs.includes(wishes.codec)) {
		const labels = row.codecs.map((c) => CODECS[c].label);
		throw refuse(row.extension, CODECS[wishes.codec].label, labels);
	}
	const codecs = wishes.codec === undefined ? row.codecs : [wishes.codec];
	const candidates = codecs.flatMap((codec) => {
		const engine = wishes.engine ?? CODECS[codec].engines[0];
		if (engine === undefined || !CODECS[codec].engines.includes(engine)) return [];
		const { formats, copies = [] } = CODECS[codec];
		const held = [...formats(engine), ...copies.filter((f) => sameFormat(f, source))];
		const format = nearestFormat(
			source,
			held.filter((f) => fits(f, wishes)),
		);
		return format ? [{ codec, engine, format }] : [];
	});
	const best = candidates.reduce<(typeof candidates)[number] | undefined>(
		(b, c) => (b === undefined || loss(source, c.format) < loss(source, b.format) ? c : b),
		undefined,
	);
	// Among codecs that hold something suitable the container's usual one wins, but for ProRes, where the picture decides.
	const usual = candidates[0];
	const picked = container === 'mov' ? best : usual;
	if (picked) return picked;
	throw noCandidate(codecs, wishes);
}

function noCandidate(codecs: readonly EncodeCodec[], wishes: EncodeWishes): EmulsionError {
	const labels = codecs.map((c) => CODECS[c].label);
	const engines = new Set(codecs.flatMap((c) => CODECS[c].engines));
	if (wishes.engine !== undefined && !engines.has(wishes.engine)) {
		return new EmulsionError(
			'unsupported-format',
			phrase('cannot-engine', {
				engine: phrase(`encoder-${wishes.engine}`),
				codecs: labels,
				held: [...engines].map((engine) => phrase(`encoder-${engine}`)),
			}),
		);
	}
	const formats = codecs.flatMap((c) => CODECS[c].engines.flatMap((e) => CODECS[c].formats(e)));
	const held = formats.filter((format, i) => formats.findIndex((f) => sameFormat(f, format)) === i).map(formatPhrase);
	return refuse(labels, describeWish(wishes), held);
}

/** Refuses sizes a codec has no level or field for. */
export function checkEncodeSize(codec: EncodeCodec, size: Size): void {
	const row = CODECS[codec];
	const macroblocks = Math.ceil(size.width / 16) * Math.ceil(size.height / 16);
	const tooMany = row.maxMacroblocks !== undefined && macroblocks > row.maxMacroblocks;
	if (Math.max(size.width, size.height) <= row.maxSide && !tooMany) return;
	const limit = tooMany
		? phrase('limit-blocks', { count: row.maxMacroblocks ?? 0 })
		: phrase('limit-side', { side: row.maxSide });
	throw new EmulsionError(
		'unsupported-format',
		phrase('cannot-size', { codec: row.label, width: size.width, height: size.height, limit }),
	);
}

function matrixFor(source: ColorTags): Matrix {
	return source.primaries === 'bt2020' ? 'bt2020nc' : 'bt709';
}

/** Tags of what is written: the source's, but for what the target's planes force. */
function targetColor(
	source: EncodeSource,
	format: PixelFormat,
	row: CodecRow,
): { color: ColorTags; changes: Phrase[] } {
	const changes: Phrase[] = [];
	let { matrix, range, chromaLocation } = source.color;
	const wasRgb = source.format.chroma === 'rgb';
	const isRgb = format.chroma === 'rgb';
	if (isRgb) {
		if (!wasRgb) changes.push(phrase('change-to-rgb', { matrix: matrixText(matrix), range: phrase(`range-${range}`) }));
		matrix = 'rgb';
		if (!wasRgb) range = 'full';
		chromaLocation = 'unspecified';
	} else if (wasRgb && format.chroma !== 'gray') {
		matrix = matrixFor(source.color);
		range = 'limited';
		changes.push(phrase('change-from-rgb', { matrix: matrixText(matrix), range: phrase('range-limited') }));
	}
	if (!row.ranges.includes(range)) {
		const only = row.ranges[0] ?? 'full';
		changes.push(
			phrase('change-range', { from: phrase(`range-${range}`), to: phrase(`range-${only}`), codec: row.label }),
		);
		range = only;
	}
	const transfer = targetTransfer(source, row, changes);
	const subsampled = chromaShift(format.chroma).x > 0;
	if (!subsampled) chromaLocation = 'unspecified';
	else if (chromaLocation === 'unspecified' && format.chroma !== source.format.chroma) chromaLocation = 'left';
	return { color: { ...source.color, transfer, matrix, range, chromaLocation }, changes };
}

/** OpenEXR holds linear light: whatever else the source holds has to be converted on the way out. */
function targetTransfer(source: EncodeSource, row: CodecRow, changes: Phrase[]): Transfer {
	const { transfer } = source.color;
	if (row !== CODECS.exr || transfer === 'linear') return transfer;
	if (transfer === 'unknown') {
		throw new EmulsionError('transfer-unknown', phrase('exr-transfer'));
	}
	changes.push(phrase('change-linear', { transfer: transferText(transfer) }));
	return 'linear';
}

function formatChanges(from: PixelFormat, to: PixelFormat): Phrase[] {
	if (sameFormat(from, to)) return [];
	const changes = [phrase('change-format', { from: formatPhrase(from), to: formatPhrase(to) })];
	if (from.alpha && !to.alpha) changes.push(phrase('change-alpha'));
	if (effectiveDepth(to) < effectiveDepth(from)) {
		changes.push(phrase(to.depth === 8 ? 'change-dithered' : 'change-rounded', { depth: to.depth }));
	}
	return changes;
}

function paddingChange(from: Size, to: Size): Phrase[] {
	const [columns, rows] = [to.width - from.width, to.height - from.height];
	if (columns === 0 && rows === 0) return [];
	const sizes = { width: from.width, height: from.height, toWidth: to.width, toHeight: to.height };
	const edge = rows === 0 ? 'columns' : columns === 0 ? 'rows' : 'both';
	return [phrase(`change-padding-${edge}`, { ...sizes, columns, rows })];
}

function lostTags(source: EncodeSource, container: ContainerId, row: CodecRow): Phrase[] {
	const box = CONTAINERS[container];
	const lost: Phrase[] = [];
	if (source.rotation !== 0 && !box.rotation) lost.push(phrase('lost-rotation', { degrees: source.rotation }));
	const { num, den } = source.sampleAspect;
	if (num !== den && !box.sampleAspect) lost.push(phrase('lost-aspect', { aspect: `${num}:${den}` }));
	const isInterlaced = source.fields === 'tff' || source.fields === 'bff';
	if (isInterlaced && !row.interlaced) lost.push(phrase('lost-fields', { codec: row.label }));
	const isLog = source.color.transfer === 'log';
	if (isLog && !box.sequence) lost.push(phrase('lost-log'));
	return lost;
}

/**
 * Decides how a source is written into a container. The format is the source's own where the codec holds it, so that
 * untouched planes are copied bit by bit; else the nearest that loses least.
 * @throws EmulsionError `unsupported-format` for wishes, sizes or codecs the container cannot hold.
 */
export function chooseEncode(source: EncodeSource, container: ContainerId, wishes: EncodeWishes = {}): EncodeChoice {
	const { codec, engine, format } = pickCodec(container, source.format, wishes);
	const row = CODECS[codec];
	const size = encodableSize(codec, format, source.fields, source.size);
	checkEncodeSize(codec, size);
	const { color, changes } = targetColor(source, format, row);
	const quality = row.quality && clampQuality(wishes.quality, row.quality);
	const keyframes = row.intra ? undefined : checkKeyframes(wishes.keyframes);
	const config: EncodeConfig = {
		container,
		codec,
		engine,
		format,
		size,
		color,
		fields: row.interlaced ? source.fields : 'progressive',
		sampleAspect: source.sampleAspect.num > 0 ? source.sampleAspect : ONE,
		rotation: source.rotation,
		timebase: source.timebase,
		rate: source.rate,
		...(quality === undefined ? {} : { quality }),
		...(keyframes === undefined ? {} : { keyframes }),
		...(source.timecode === undefined || !CONTAINERS[container].timecode ? {} : { timecode: source.timecode }),
	};
	const conversions = [
		...formatChanges(source.format, format),
		...changes,
		...paddingChange(source.size, size),
		...lostTags(source, container, row),
	];
	return { config, conversions };
}

function clampQuality(wish: number | undefined, scale: { min: number; max: number; default: number }): number {
	if (wish === undefined) return scale.default;
	if (Number.isFinite(wish) && wish >= scale.min && wish <= scale.max) return wish;
	throw new EmulsionError(
		'usage',
		phrase('expected', {
			path: 'quality',
			expected: phrase('kind-range', { min: scale.min, max: scale.max }),
			got: wish,
		}),
	);
}

function checkKeyframes(wish: number | undefined): number | undefined {
	if (wish === undefined || (Number.isInteger(wish) && wish >= 1 && wish <= MAX_KEYFRAMES)) return wish;
	const expected = phrase('kind-whole', { min: 1, max: MAX_KEYFRAMES });
	throw new EmulsionError('usage', phrase('expected', { path: 'keyframes', expected, got: wish }), {
		path: 'keyframes',
	});
}
