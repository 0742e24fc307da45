/**
 * Where the picture changes between two frames, block by block, without motion compensation and after a change of exposure.
 *
 * The exposure (gain and offset of luma) is fitted to the half of the picture that agrees best: least trimmed squares, Rousseeuw,
 * "Least median of squares regression", J. Amer. Statist. Assoc. 79 (1984). So a title, a hand or a person that comes in does not
 * move the rest of the picture's prediction, as a fit over all of it would.
 */
import { BLOCK, type FrameFeatures, MAX_GAIN, MIN_GAIN } from './features.ts';

/** Rounds of fitting and trimming; the halves hardly change after the second. */
const ROUNDS = 3;
/** Variance (0…1) under which half a picture is too flat to tell a gain: it is drawn to 1. */
const FLAT = 0.01 ** 2;

/** Mean absolute change (0…1, luma and both chroma planes summed) of each block of a picture, row by row. */
export interface ChangeMap {
	readonly columns: number;
	readonly rows: number;
	readonly values: Float32Array;
}

function middle(values: Float32Array): number {
	const sorted = values.slice().sort();
	return sorted[sorted.length >> 1] ?? 0;
}

/** Gain and offset that turn a's luma into b's where the two agree best. */
function fitExposure(a: FrameFeatures, b: FrameFeatures): { gain: number; offset: number } {
	let gain = 1;
	let offset = middle(b.coarse.map((v, i) => v - a.coarse[i]!));
	for (let round = 0; round < ROUNDS; round++) {
		const errors = b.coarse.map((v, i) => Math.abs(v - gain * a.coarse[i]! - offset));
		const limit = middle(errors);
		let n = 0;
		let sa = 0;
		let sb = 0;
		let saa = 0;
		let sab = 0;
		errors.forEach((error, i) => {
			if (error > limit) return;
			const u = a.coarse[i]!;
			const v = b.coarse[i]!;
			n++;
			sa += u;
			sb += v;
			saa += u * u;
			sab += u * v;
		});
		const variance = saa / n - (sa / n) ** 2;
		const covariance = sab / n - (sa * sb) / (n * n);
		gain = Math.max(MIN_GAIN, Math.min(MAX_GAIN, (covariance + FLAT) / (variance + FLAT)));
		offset = sb / n - (gain * sa) / n;
	}
	return { gain, offset };
}

/** Measures the change from a to b, which must have the same size. */
export function changeMap(a: FrameFeatures, b: FrameFeatures): ChangeMap {
	const { width, height } = a.thumb;
	const columns = Math.ceil(width / BLOCK);
	const rows = Math.ceil(height / BLOCK);
	const { gain, offset } = fitExposure(a, b);
	const values = new Float32Array(columns * rows);
	const counts = new Float32Array(columns * rows);
	for (let y = 0; y < height; y++) {
		const row = Math.floor((y * rows) / height) * columns;
		for (let x = 0; x < width; x++) {
			const at = row + Math.floor((x * columns) / width);
			const i = y * width + x;
			values[at]! +=
				Math.abs(gain * a.thumb.luma[i]! + offset - b.thumb.luma[i]!) +
				Math.abs(a.thumb.cb[i]! - b.thumb.cb[i]!) +
				Math.abs(a.thumb.cr[i]! - b.thumb.cr[i]!);
			counts[at]!++;
		}
	}
	for (let at = 0; at < values.length; at++) values[at]! /= counts[at]!;
	return { columns, rows, values };
}

/** The smallest share (0…1) of marked blocks in any of the four halves of a picture: left, right, upper, lower. */
export function leastHalf(map: ChangeMap, marked: (value: number, at: number) => boolean): number {
	const { columns, rows, values } = map;
	const share = (inside: (x: number, y: number) => boolean): number => {
		let all = 0;
		let found = 0;
		values.forEach((value, at) => {
			if (!inside(at % columns, Math.floor(at / columns))) return;
			all++;
			if (marked(value, at)) found++;
		});
		return found / all;
	};
	// A middle column or row counts with both halves, so that none is ever empty.
	const centerX = (columns - 1) / 2;
	const centerY = (rows - 1) / 2;
	return Math.min(
		share((x) => x <= centerX),
		share((x) => x >= centerX),
		share((_, y) => y <= centerY),
		share((_, y) => y >= centerY),
	);
}
