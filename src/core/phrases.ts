/**
 * Sentences as data: a code and its values cross threads, the reader's language is chosen where they are shown. The English
 * of this table is what the terminal and the report print; every other language has a table with the same keys.
 */

import { ERROR_PHRASES_EN } from './phrases-errors.ts';
import { NAME_PHRASES_EN } from './phrases-names.ts';
import { SHARE_PHRASES_EN } from './phrases-share.ts';
import { WORK_PHRASES_EN } from './phrases-work.ts';

/** Texts by code. `{names}` are placeholders for values. */
export const PHRASES_EN = {
	'list-comma': ', ',
	...ERROR_PHRASES_EN,
	...NAME_PHRASES_EN,
	...WORK_PHRASES_EN,
	...SHARE_PHRASES_EN,
	'truncated-of':
		'The file ends after frame {last}: {readable} of {promised} frames can be read. Restrict the range to 0:{readable}, or find a whole copy.',
	truncated: 'The file ends too soon; {readable} frames can be read.',
	pulldown:
		'Frames last two and three fields in turn ({shortest} and {longest}): film with repeat-field flags. Each frame is taken once.',
	vfr: 'Variable frame rate: frames last from {shortest} to {longest}, {rate} a second on average. Every timestamp is kept.',
	'rounded-timestamps':
		'The container rounds times: frames of a constant {rate} a second last from {shortest} to {longest}.',
	'missing-durations': "{count} frames carry no duration; it is derived from the next frame's time.",
	'duplicate-timestamps': '{count} frames have the time of another frame and are left out.',
	'decoded-index': 'Packets do not tell the time of every frame: the index comes from decoding the film once.',
	'no-timestamps': 'The stream has no timestamps: frames are counted at {rate} a second.',
	'edit-list-cut': 'The edit list cuts {count} coded frames away; they are not shown.',
	'edit-list-start': 'The edit list starts the picture at {seconds} s.',
	rotation: 'The picture is stored turned; it is shown rotated by {degrees}° clockwise.',
	'non-square-pixels': 'Pixels are {aspect}: {width}×{height} is shown as {shown}×{height}.',
	'odd-size': '{width}×{height} is not a whole number of chroma samples; encoders that need one get a repeated edge.',
	'interlaced-tff': 'Interlaced, top field first.',
	'interlaced-bff': 'Interlaced, bottom field first.',
	'converted-format':
		'Samples are stored in less than 8 bits a color or by a palette ({format}) and widened to 8-bit RGB.',
	'assumed-transfer': 'The transfer characteristics are not tagged; {transfer} is assumed.',
	'untagged-color': 'Color is not tagged; taken as usual for this size: {tags}.',
	'no-audio': 'No audio.',
	'early-audio':
		'The sound starts {seconds} s before the picture. Exports of the whole film keep it: their picture starts as much later. Exports of a range begin with a picture.',
	'several-audio': '{count} audio tracks; the first is taken unless another is chosen.',
	'several-video': '{count} video tracks; the first is taken.',
	'no-shared-memory': 'SharedArrayBuffer is not available: decoding runs in short pieces, slower.',
	'untagged-transfer':
		'The {format} files do not say which transfer they use. Say whether they are log, linear, BT.709 or sRGB.',
	'transfer-told': 'The files say that they are {stamped}; they are taken as {transfer}, as was said.',
	'assumed-rate': 'The files state no rate; 24 frames a second are assumed.',
	'not-an-image': '{path} is not an image that is read; it is left out.',
	'other-series':
		'{count} file(s) like {path} belong to another series and are left out; choose one with a pattern such as name%06d.dpx.',
	'duplicate-frame': '{path} has the number of {before} ({number}); it is left out.',
	'missing-frame': 'Frame {from} is missing before {name}.',
	'missing-frames': 'Frames {from}–{to} ({count}) are missing before {name}.',
	'held-frames':
		'Every frame keeps its place in time by its number: the frame before a gap is held over it ({count} missing).',
	'numbers-no-clock': '{count} numbers are missing, more than there are files: frames follow each other without gaps.',
	'mixed-size': '{name} is {found}, the others {expected}.',
	'mixed-depth': '{name} is {found}, the others {expected}.',
	'mixed-color': '{name} is tagged {found}, the others {expected}.',
	'header-all': 'All frames: {what}.',
	'header-some': '{count} frame(s), first {path}: {what}.',
	'header-orientation': 'orientation {code} ({name}); the picture is kept as stored',
	'header-mirrored': 'orientation {code} (mirrored); the picture is kept as stored',
	'header-unaligned': 'rows are not padded to 32-bit words as SMPTE 268M asks',
	'header-length': 'the length in the header is not the length of the file',
	'header-version': 'version "{version}"',
	'header-log': 'transfer 3 (logarithmic, undefined by the standard) is taken as Cineon log',
	'header-icc': 'an ICC profile is there, which is not read',
	'header-parts': 'the file has {count} parts; part {part}, the first that is a picture, is taken',
	'header-window': 'the data window is not the display window; the data window is taken',
	'order-defeats': '{later} after {earlier} defeats it: {reason}. Place {later} before {earlier}.',
	'order-timeline':
		'the frames that {earlier} creates are mixed from pictures {later} has not treated, so defects are blended before they can be found',
	'order-size':
		'{earlier} spreads what {later} should treat over more pixels, where it is harder to tell from detail and costs more',
	'order-other': '{later} expects the picture as it is before {earlier}',
} as const;

/** A key of {@link PHRASES_EN}. */
export type PhraseCode = keyof typeof PHRASES_EN;

/** A sentence as data, or words that are the same in every language (a name, a figure, another program's own words). */
export type Text = string | Phrase;

/**
 * A value in a sentence: a word or figure as it is, a sentence of its own, a list, lines of their own, a stage by its id, or a text of a stage's
 * `meta.ts` (a unit, what a parameter expects) by its English.
 */
export type PhraseValue =
	| Text
	| number
	| readonly Text[]
	| { readonly lines: readonly Text[] }
	| { readonly stage: string }
	| { readonly term: string };

/** A sentence as data. Structured-clone safe. */
export interface Phrase {
	readonly code: PhraseCode;
	readonly values?: Readonly<Record<string, PhraseValue>>;
}

/** A sentence as data; see {@link PHRASES_EN}. */
export function phrase(code: PhraseCode, values?: Phrase['values']): Phrase {
	return values === undefined ? { code } : { code, values };
}

function isValue(value: unknown): value is PhraseValue {
	if (typeof value === 'string' || typeof value === 'number') return true;
	if (Array.isArray(value)) return value.every((item) => typeof item === 'string' || isPhrase(item));
	if (typeof value !== 'object' || value === null) return false;
	const [key, ...rest] = Object.keys(value);
	if (rest.length === 0 && key === 'lines') {
		const { lines } = value as { readonly lines: unknown };
		return Array.isArray(lines) && isValue(lines);
	}
	if (rest.length === 0 && (key === 'stage' || key === 'term')) {
		return typeof (value as Record<string, unknown>)[key] === 'string';
	}
	return isPhrase(value);
}

/** True for a sentence of this program, whatever else may have come over a thread boundary or out of storage. */
export function isPhrase(value: unknown): value is Phrase {
	if (typeof value !== 'object' || value === null) return false;
	const { code, values, ...rest } = value as Record<string, unknown>;
	if (Object.keys(rest).length > 0 || typeof code !== 'string' || !Object.hasOwn(PHRASES_EN, code)) return false;
	return (
		values === undefined || (typeof values === 'object' && values !== null && Object.values(values).every(isValue))
	);
}

/** How a language calls what sentences name. */
export interface PhraseNames {
	/** A stage, by its id. */
	readonly stage: (id: string) => string;
	/** A text of a stage's `meta.ts`, by its English. */
	readonly term: (text: string) => string;
}

/** The sentence in a language: its table, and its names. Unknown placeholders stay as they are. */
export function sayIn(said: Text, table: Readonly<Record<PhraseCode, string>>, names: PhraseNames): string {
	if (typeof said === 'string') return said;
	const { values = {} } = said;
	return table[said.code].replace(/\{(\w+)\}/g, (whole, name: string) => {
		if (!Object.hasOwn(values, name)) return whole;
		const value = values[name]!;
		if (typeof value === 'number') return String(value);
		if (isList(value)) return value.map((item) => sayIn(item, table, names)).join(table['list-comma']);
		if (typeof value === 'object' && 'lines' in value)
			return value.lines.map((item) => sayIn(item, table, names)).join('\n');
		if (typeof value === 'object' && 'stage' in value) return names.stage(value.stage);
		if (typeof value === 'object' && 'term' in value) return names.term(value.term);
		return sayIn(value, table, names);
	});
}

function isList(value: PhraseValue): value is readonly Text[] {
	return Array.isArray(value);
}

const ENGLISH: PhraseNames = { stage: (id) => id, term: (text) => text };

/** The sentence in English, stages by their ids: what the terminal prints. */
export function say(said: Text): string {
	return sayIn(said, PHRASES_EN, ENGLISH);
}

/** A value with its sentences said: what is written to a file. */
export type Spoken<T> = T extends Phrase
	? string
	: T extends string | number | boolean | null | undefined
		? T
		: unknown extends T
			? T
			: T extends readonly (infer Item)[]
				? readonly Spoken<Item>[]
				: { readonly [K in keyof T]: Spoken<T[K]> };

/** Plain JSON with every sentence in it said in English. */
export function spoken<T>(value: T): Spoken<T> {
	const speak = (part: unknown): unknown => {
		if (isPhrase(part)) return say(part);
		if (Array.isArray(part)) return part.map(speak);
		if (typeof part !== 'object' || part === null) return part;
		return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, speak(item)]));
	};
	return speak(value) as Spoken<T>;
}
