/**
 * Transfer functions of H.273 (and Cineon density) in both directions, as pure functions. Negative values are mirrored, so
 * that values outside 0…1 survive a round trip. The WGSL twin is `transfer.wgsl`.
 */

import { CINEON as DEFAULT_SCALE } from '../../core/cineon.ts';
import type { Transfer } from '../../core/color.ts';

/** How density codes stand for light: Kodak's Cineon numbers, changeable per source. */
export interface CineonScale {
	/** 10-bit code of black (D-min). */
	readonly black: number;
	/** 10-bit code of reference white. */
	readonly white: number;
	/** Printing density a code. */
	readonly density: number;
	/** Gamma of the negative. */
	readonly gamma: number;
}

/** The usual scale, as the shader takes it; see `core/cineon.ts`. */
export const CINEON: CineonScale = {
	black: DEFAULT_SCALE.black,
	white: DEFAULT_SCALE.white,
	density: DEFAULT_SCALE.densityPerCode,
	gamma: DEFAULT_SCALE.gamma,
};

/** Numbers by which the shader knows the curves. */
export const TRANSFER_IDS: Readonly<Record<Transfer, number>> = {
	linear: 0,
	bt709: 1,
	smpte170m: 1,
	'bt2020-10': 1,
	'bt2020-12': 1,
	// Untagged video is treated as BT.709 where light is needed (scaling only); its codes are never changed by this.
	unknown: 1,
	gamma22: 2,
	gamma28: 3,
	smpte240m: 4,
	srgb: 5,
	pq: 6,
	hlg: 7,
	log: 8,
};

/** ST 2084 constants. */
const PQ = { m1: 2610 / 16384, m2: 2523 / 32, c1: 3424 / 4096, c2: 2413 / 128, c3: 2392 / 128 };
/** ARIB STD-B67 constants. */
const HLG = { a: 0.17883277, b: 0.28466892, c: 0.55991073 };

/** Printing density above black of a log value 0…1 (full 10-bit scale). */
export function cineonDensity(value: number, scale: CineonScale = CINEON): number {
	return (value * 1023 - scale.black) * scale.density;
}

function logToLinear(v: number, s: CineonScale): number {
	const black = 10 ** (((s.black - s.white) * s.density) / s.gamma);
	return (10 ** (((v * 1023 - s.white) * s.density) / s.gamma) - black) / (1 - black);
}

function linearToLog(l: number, s: CineonScale): number {
	const black = 10 ** (((s.black - s.white) * s.density) / s.gamma);
	const light = Math.max(l * (1 - black) + black, 1e-6);
	return (s.white + (Math.log10(light) * s.gamma) / s.density) / 1023;
}

const DECODE: readonly ((v: number) => number)[] = [
	(v) => v,
	(v) => (v < 0.081242858 ? v / 4.5 : ((v + 0.099296827) / 1.099296827) ** (1 / 0.45)),
	(v) => v ** 2.2,
	(v) => v ** 2.8,
	(v) => (v < 0.0912863 ? v / 4 : ((v + 0.1115721) / 1.1115721) ** (1 / 0.45)),
	(v) => (v < 0.0404482 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4),
	(v) => {
		const p = Math.min(v, 1.2) ** (1 / PQ.m2);
		return (Math.max(p - PQ.c1, 0) / (PQ.c2 - PQ.c3 * p)) ** (1 / PQ.m1);
	},
	(v) => (v <= 0.5 ? (v * v) / 3 : (Math.exp((v - HLG.c) / HLG.a) + HLG.b) / 12),
];

const ENCODE: readonly ((l: number) => number)[] = [
	(l) => l,
	(l) => (l < 0.018053968 ? l * 4.5 : 1.099296827 * l ** 0.45 - 0.099296827),
	(l) => l ** (1 / 2.2),
	(l) => l ** (1 / 2.8),
	(l) => (l < 0.0228216 ? l * 4 : 1.1115721 * l ** 0.45 - 0.1115721),
	(l) => (l < 0.0031306684 ? l * 12.92 : 1.055 * l ** (1 / 2.4) - 0.055),
	(l) => {
		const p = l ** PQ.m1;
		return ((PQ.c1 + PQ.c2 * p) / (1 + PQ.c3 * p)) ** PQ.m2;
	},
	(l) => (l <= 1 / 12 ? Math.sqrt(3 * l) : HLG.a * Math.log(12 * l - HLG.b) + HLG.c),
];

const LOG_ID = TRANSFER_IDS.log;
const mirrored = (f: (v: number) => number, v: number): number => (v < 0 ? -f(-v) : f(v));

/**
 * Light of a coded value. 1 is reference white of the curve: 10 000 cd/m² for PQ, the nominal peak of the scene for HLG,
 * code 685 for log.
 */
export function toLinear(transfer: Transfer, value: number, scale: CineonScale = CINEON): number {
	const id = TRANSFER_IDS[transfer];
	return id === LOG_ID ? logToLinear(value, scale) : mirrored(DECODE[id] as (v: number) => number, value);
}

/** Coded value of light; the inverse of {@link toLinear} (log cannot hold less light than 10⁻⁶ of white). */
export function fromLinear(transfer: Transfer, light: number, scale: CineonScale = CINEON): number {
	const id = TRANSFER_IDS[transfer];
	return id === LOG_ID ? linearToLog(light, scale) : mirrored(ENCODE[id] as (v: number) => number, light);
}
