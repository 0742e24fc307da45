/**
 * Color tags as still formats carry them: ITU-T H.273 code points (PNG cICP), CIE chromaticities (TIFF, EXR, PNG cHRM), and
 * one line of text for what a format has no place for (Cineon log in a PNG or TIFF).
 */
import type { ColorTags, Primaries, Range, Transfer } from '../../core/color.ts';

const PRIMARY_CODES: Readonly<Partial<Record<Primaries, number>>> = {
	bt709: 1,
	bt470m: 4,
	bt470bg: 5,
	smpte170m: 6,
	smpte240m: 7,
	film: 8,
	bt2020: 9,
	smpte431: 11,
	smpte432: 12,
};
const TRANSFER_CODES: Readonly<Partial<Record<Transfer, number>>> = {
	bt709: 1,
	gamma22: 4,
	gamma28: 5,
	smpte170m: 6,
	smpte240m: 7,
	linear: 8,
	srgb: 13,
	'bt2020-10': 14,
	'bt2020-12': 15,
	pq: 16,
	hlg: 18,
};

function keyOf<K extends string>(codes: Readonly<Partial<Record<K, number>>>, code: number): K | undefined {
	return (Object.keys(codes) as K[]).find((key) => codes[key] === code);
}

/** H.273 code of primaries; 2 (unspecified) where they are unknown. */
export function primariesCode(primaries: Primaries): number {
	return PRIMARY_CODES[primaries] ?? 2;
}

/** Primaries of an H.273 code; `unknown` for unspecified and reserved codes. */
export function primariesFromCode(code: number): Primaries {
	return keyOf(PRIMARY_CODES, code) ?? 'unknown';
}

/** H.273 code of a transfer; 2 (unspecified) for `unknown` and for Cineon log, which H.273 has no code for. */
export function transferCode(transfer: Transfer): number {
	return TRANSFER_CODES[transfer] ?? 2;
}

/** Transfer of an H.273 code; `unknown` for unspecified, reserved and its own logarithmic codes (9, 10: not Cineon). */
export function transferFromCode(code: number): Transfer {
	return keyOf(TRANSFER_CODES, code) ?? 'unknown';
}

/** CIE 1931 xy of white, red, green and blue. */
export type Chromaticities = readonly [number, number, number, number, number, number, number, number];

const D65 = [0.3127, 0.329] as const;
const C = [0.31, 0.316] as const;
const CHROMATICITIES: Readonly<Partial<Record<Primaries, Chromaticities>>> = {
	bt709: [...D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06],
	bt470m: [...C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08],
	bt470bg: [...D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06],
	smpte170m: [...D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07],
	film: [...C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049],
	bt2020: [...D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046],
	smpte431: [0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06],
	smpte432: [...D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06],
};

/** Chromaticities of primaries, white first; none for `unknown`. */
export function chromaticitiesOf(primaries: Primaries): Chromaticities | undefined {
	return CHROMATICITIES[primaries === 'smpte240m' ? 'smpte170m' : primaries];
}

/** Primaries whose chromaticities agree to 0.002 in every coordinate; `unknown` otherwise. */
export function primariesFromChromaticities(xy: ArrayLike<number>): Primaries {
	const names = Object.keys(CHROMATICITIES) as Primaries[];
	return names.find((n) => CHROMATICITIES[n]?.every((v, i) => Math.abs(v - (xy[i] ?? NaN)) <= 0.002)) ?? 'unknown';
}

/** The tags as one line of text: `emulsion:color primaries=bt709 transfer=log range=full`. */
export function colorText(color: ColorTags): string {
	return `emulsion:color primaries=${color.primaries} transfer=${color.transfer} range=${color.range}`;
}

/** True when H.273 codes say all there is to say. */
export function codesSuffice(color: ColorTags): boolean {
	return color.transfer === 'unknown' || TRANSFER_CODES[color.transfer] !== undefined;
}

/** Reads {@link colorText}; unknown words are `unknown`, other text gives nothing. */
export function parseColorText(text: string): Pick<ColorTags, 'primaries' | 'transfer' | 'range'> | undefined {
	const match = /emulsion:color primaries=([\w-]+) transfer=([\w-]+) range=(\w+)/.exec(text);
	if (!match) return undefined;
	const [, primaries = '', transfer = '', range = ''] = match;
	return {
		primaries: (Object.keys(PRIMARY_CODES) as Primaries[]).find((p) => p === primaries) ?? 'unknown',
		transfer:
			transfer === 'log'
				? 'log'
				: ((Object.keys(TRANSFER_CODES) as Transfer[]).find((t) => t === transfer) ?? 'unknown'),
		range: (['full', 'limited'] as Range[]).find((r) => r === range) ?? 'full',
	};
}
