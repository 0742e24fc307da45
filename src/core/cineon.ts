/**
 * Cineon log: printing density as code values (Kodak, "Conversion of 10-bit log film data to 8-bit linear or video data",
 * 1995; SMPTE 268M transfer "printing density"). A code is a step of 0.002 density above the film's base; 95 is the
 * reference black (1 % card's floor, D-min), 685 the reference white (90 % card). All three change with the scanner, so
 * every function takes the reference. Codes are given at any depth; the reference is on the 10-bit scale, and deeper
 * codes are the same scale subdivided (0…2ⁿ−1 spans what 0…1023 spans).
 */

import { EmulsionError } from './errors.ts';
import { type Phrase, phrase } from './phrases.ts';

/** How a source's log codes relate to density and light. */
export interface CineonReference {
	/** 10-bit code of reference black. */
	readonly black: number;
	/** 10-bit code of reference white (linear 1). */
	readonly white: number;
	/** Density a 10-bit code. */
	readonly densityPerCode: number;
	/** Gamma of the negative: density a decade of exposure. */
	readonly gamma: number;
}

/** Kodak's defaults: 95/685, 0.002 density a code, negative gamma 0.6. */
export const CINEON: CineonReference = { black: 95, white: 685, densityPerCode: 0.002, gamma: 0.6 };

/** Highest code of the scale the reference is given on. */
const MAX_10_BIT = 1023;

/**
 * A reference with some values changed, checked: `0 ≤ black < white ≤ 1023`, density a code in (0, 0.1], gamma in (0, 4].
 * Throws `usage`, naming the value.
 */
export function cineonReference(changes: Partial<CineonReference> = {}): CineonReference {
	const reference = { ...CINEON, ...changes };
	const check = (ok: boolean, field: keyof CineonReference, legal: Phrase): void => {
		if (!ok) {
			const said = phrase('expected', { path: `Cineon ${field}`, expected: legal, got: reference[field] });
			throw new EmulsionError('usage', said, { path: field });
		}
	};
	check(reference.black >= 0 && reference.black < reference.white, 'black', phrase('kind-black'));
	check(reference.white <= MAX_10_BIT, 'white', phrase('kind-at-most', { max: MAX_10_BIT }));
	check(
		reference.densityPerCode > 0 && reference.densityPerCode <= 0.1,
		'densityPerCode',
		phrase('kind-above-zero', { max: 0.1 }),
	);
	check(reference.gamma > 0 && reference.gamma <= 4, 'gamma', phrase('kind-above-zero', { max: 4 }));
	return reference;
}

function scaleOf(bits: number): number {
	return MAX_10_BIT / (2 ** bits - 1);
}

/** Density above reference black of a code of `bits` bit; negative below black. Fractional codes are legal. */
export function codeToDensity(code: number, bits = 10, reference: CineonReference = CINEON): number {
	return (code * scaleOf(bits) - reference.black) * reference.densityPerCode;
}

/** Code of a density, not rounded and not clamped: the exact reverse of {@link codeToDensity}. */
export function densityToCode(density: number, bits = 10, reference: CineonReference = CINEON): number {
	return (density / reference.densityPerCode + reference.black) / scaleOf(bits);
}

/** Light of a density, relative to reference white = 1; reference black is 0, codes below it slightly negative, above white > 1. */
export function densityToLinear(density: number, reference: CineonReference = CINEON): number {
	const offset = blackOffset(reference);
	return (10 ** ((density - whiteDensity(reference)) / reference.gamma) - offset) / (1 - offset);
}

/** Density of light; light at or below what infinitely thin film lets through gives −Infinity. */
export function linearToDensity(linear: number, reference: CineonReference = CINEON): number {
	const offset = blackOffset(reference);
	const light = linear * (1 - offset) + offset;
	return light > 0 ? whiteDensity(reference) + reference.gamma * Math.log10(light) : -Infinity;
}

/** Light of a code; see {@link densityToLinear}. */
export function codeToLinear(code: number, bits = 10, reference: CineonReference = CINEON): number {
	return densityToLinear(codeToDensity(code, bits, reference), reference);
}

/** Code of light, not rounded and not clamped (−Infinity below all codes). */
export function linearToCode(linear: number, bits = 10, reference: CineonReference = CINEON): number {
	return densityToCode(linearToDensity(linear, reference), bits, reference);
}

/** A whole code of `bits` bit: rounded and clamped. NaN becomes 0. */
export function quantizeCode(code: number, bits = 10): number {
	const max = 2 ** bits - 1;
	return code > 0 ? Math.min(max, Math.round(code)) : 0;
}

/** Light of every code of `bits` bit, for tables on the GPU. */
export function cineonTable(bits = 10, reference: CineonReference = CINEON): Float32Array {
	return Float32Array.from({ length: 2 ** bits }, (_, code) => codeToLinear(code, bits, reference));
}

function whiteDensity(reference: CineonReference): number {
	return (reference.white - reference.black) * reference.densityPerCode;
}

function blackOffset(reference: CineonReference): number {
	return 10 ** (-whiteDensity(reference) / reference.gamma);
}
