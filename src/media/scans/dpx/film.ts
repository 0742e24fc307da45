/**
 * The parts of a DPX header that identify a frame of film or tape: keycode, timecode, frame position; and the codes for
 * transfer, colorimetry and orientation in the program's own terms.
 */
import type { ColorTags, Primaries, Transfer } from '../../../core/color.ts';
import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import type { DpxHeader } from './header.ts';

/** A film edge code as SMPTE 268M stores it: digits as text, exactly as the scanner wrote them. */
export interface Keycode {
	/** Manufacturer, 2 digits. */
	readonly manufacturer: string;
	/** Film type, 2 digits. */
	readonly type: string;
	/** Prefix, 6 digits. */
	readonly prefix: string;
	/** Count, 4 digits. */
	readonly count: string;
	/** Offset in perforations, 2 digits. */
	readonly perfOffset: string;
}

/** Where a scanned picture came from and how it is to be shown. */
export interface ScanIdentity {
	readonly keycode?: Keycode;
	/** `HH:MM:SS:FF`. */
	readonly timecode?: string;
	/** The 32 user bits of the timecode. */
	readonly userBits?: number;
	/** Position of the frame in its sequence, from 0. */
	readonly framePosition?: number;
	readonly sequenceLength?: number;
	readonly heldCount?: number;
	/** Frames a second: the film section's, else the television section's. */
	readonly frameRate?: number;
	readonly filmFormat?: string;
	readonly frameId?: string;
	readonly slate?: string;
	/** 0–7, see {@link describeOrientation}. */
	readonly orientation: number;
	/** Pixel aspect ratio, width to height. */
	readonly pixelAspect?: readonly [number, number];
}

/** `MM TT PPPPPP CCCC+OO`, as keycodes are written by hand; empty parts are shown as `-`. */
export function formatKeycode(code: Keycode): string {
	const part = (text: string): string => (text === '' ? '-' : text);
	return `${part(code.manufacturer)} ${part(code.type)} ${part(code.prefix)} ${part(code.count)}+${part(code.perfOffset)}`;
}

/** Reads {@link formatKeycode}'s text. Throws `usage` on anything else. */
export function parseKeycode(text: string): Keycode {
	const match = /^(\S{1,2}) (\S{1,2}) (\S{1,6}) ([^\s+]{1,4})\+(\S{1,2})$/.exec(text.trim());
	if (!match)
		throw new EmulsionError(
			'usage',
			phrase('expected', { path: 'keycode', expected: '"MM TT PPPPPP CCCC+OO"', got: `"${text}"` }),
		);
	const [manufacturer, type, prefix, count, perfOffset] = match.slice(1).map((p) => (p === '-' ? '' : p)) as [
		string,
		string,
		string,
		string,
		string,
	];
	return { manufacturer, type, prefix, count, perfOffset };
}

/** Text of a BCD timecode word (`0x01020304` → `01:02:03:04`); `undefined` where a digit is not decimal. */
export function timecodeFromBcd(word: number): string | undefined {
	const hex = (word >>> 0).toString(16).padStart(8, '0');
	return /^\d{8}$/.test(hex) ? hex.replace(/(..)(..)(..)(..)/, '$1:$2:$3:$4') : undefined;
}

/** BCD word of `HH:MM:SS:FF` (drop-frame text with `;` is accepted: DPX has no flag for it). Throws `usage` on anything else. */
export function bcdFromTimecode(text: string): number {
	const match = /^(\d\d):([0-5]\d):([0-5]\d)[:;](\d\d)$/.exec(text);
	if (!match)
		throw new EmulsionError(
			'usage',
			phrase('expected', { path: 'timecode', expected: 'HH:MM:SS:FF', got: `"${text}"` }),
		);
	return parseInt(match.slice(1).join(''), 16);
}

/** The keycode of a header, where any part of it is there. */
export function keycodeOf(header: DpxHeader): Keycode | undefined {
	const code: Keycode = {
		manufacturer: header.get('film.manufacturer') ?? '',
		type: header.get('film.type') ?? '',
		prefix: header.get('film.prefix') ?? '',
		count: header.get('film.count') ?? '',
		perfOffset: header.get('film.perfOffset') ?? '',
	};
	return Object.values(code).every((p) => p === '') ? undefined : code;
}

/** Writes a keycode into a header. */
export function setKeycode(header: DpxHeader, code: Keycode): void {
	header.set('film.manufacturer', code.manufacturer);
	header.set('film.type', code.type);
	header.set('film.prefix', code.prefix);
	header.set('film.count', code.count);
	header.set('film.perfOffset', code.perfOffset);
}

/** All that identifies the frame. Absent fields are absent. */
export function identityOf(header: DpxHeader): ScanIdentity {
	const bcd = header.get('tv.timecode');
	const x = header.get('orientation.aspectHorizontal');
	const y = header.get('orientation.aspectVertical');
	const found = {
		keycode: keycodeOf(header),
		timecode: bcd === undefined ? undefined : timecodeFromBcd(bcd),
		userBits: header.get('tv.userBits'),
		framePosition: header.get('film.framePosition'),
		sequenceLength: header.get('film.sequenceLength'),
		heldCount: header.get('film.heldCount'),
		frameRate: frameRateOf(header),
		filmFormat: header.get('film.format'),
		frameId: header.get('film.frameId'),
		slate: header.get('film.slate'),
		pixelAspect: x !== undefined && y !== undefined && x > 0 && y > 0 ? ([x, y] as const) : undefined,
	};
	const present = Object.fromEntries(Object.entries(found).filter(([, v]) => v !== undefined));
	return { ...(present as Omit<ScanIdentity, 'orientation'>), orientation: header.get('image.orientation') ?? 0 };
}

function frameRateOf(header: DpxHeader): number | undefined {
	const rates = [header.get('film.frameRate'), header.get('tv.frameRate')];
	return rates.find((rate) => rate !== undefined && rate > 0 && rate < 1000);
}

const ORIENTATIONS = [
	'left to right, top to bottom',
	'right to left, top to bottom',
	'left to right, bottom to top',
	'right to left, bottom to top',
	'top to bottom, left to right',
	'top to bottom, right to left',
	'bottom to top, left to right',
	'bottom to top, right to left',
];

/** The order in which a DPX orientation code (0–7) says pixels and lines run. Pictures are kept as stored; 0 is upright. */
export function describeOrientation(code: number): string {
	return ORIENTATIONS[code] ?? `unknown (${code})`;
}

/** DPX transfer codes with one meaning here. Printing density (1) and logarithmic (3) are Cineon log; codes not listed say nothing usable. */
const TRANSFERS: Readonly<Record<number, Transfer>> = {
	1: 'log',
	2: 'linear',
	3: 'log',
	5: 'bt709',
	6: 'bt709',
	7: 'smpte170m',
	8: 'smpte170m',
};
const TRANSFER_CODES: Readonly<Partial<Record<Transfer, number>>> = { log: 1, linear: 2, bt709: 6, smpte170m: 8 };
const PRIMARIES: Readonly<Record<number, Primaries>> = {
	5: 'bt709',
	6: 'bt709',
	7: 'bt470bg',
	8: 'smpte170m',
	9: 'smpte170m',
	10: 'bt470bg',
};
const COLORIMETRIC_CODES: Readonly<Partial<Record<Primaries, number>>> = { bt709: 6, bt470bg: 7, smpte170m: 8 };

/** Transfer a DPX code means; `unknown` for user-defined, unspecified and reserved codes. */
export function transferFromDpx(code: number | undefined): Transfer {
	return (code === undefined ? undefined : TRANSFERS[code]) ?? 'unknown';
}

/** DPX code of a transfer; 0 (user-defined) for those the standard of 2003 has no code for. */
export function transferToDpx(transfer: Transfer): number {
	return TRANSFER_CODES[transfer] ?? 0;
}

/** Color tags of an element of a header. */
export function colorOf(header: DpxHeader, element: number): ColorTags {
	const bits = header.element(element, 'bits') ?? 0;
	const low = header.element(element, 'lowCode');
	const high = header.element(element, 'highCode');
	const limited = bits >= 8 && low === 16 << (bits - 8) && high === 235 << (bits - 8);
	return {
		primaries: PRIMARIES[header.element(element, 'colorimetric') ?? -1] ?? 'unknown',
		transfer: transferFromDpx(header.element(element, 'transfer')),
		matrix: 'rgb',
		range: limited ? 'limited' : 'full',
		chromaLocation: 'unspecified',
	};
}

/** Writes color tags into an element. A code that already means the same is left alone, so that a rewrite changes nothing. */
export function setColor(header: DpxHeader, element: number, color: ColorTags): void {
	if (transferFromDpx(header.element(element, 'transfer')) !== color.transfer || !header.element(element, 'transfer')) {
		header.setElement(element, 'transfer', transferToDpx(color.transfer));
	}
	const known = PRIMARIES[header.element(element, 'colorimetric') ?? -1] ?? 'unknown';
	if (known !== color.primaries || header.element(element, 'colorimetric') === undefined) {
		// Printing density is its own colorimetry: log without known primaries is tagged so in both fields.
		const fallback = color.transfer === 'log' ? 1 : 0;
		header.setElement(element, 'colorimetric', COLORIMETRIC_CODES[color.primaries] ?? fallback);
	}
}
