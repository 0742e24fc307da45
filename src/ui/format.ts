/** Figures for people: sizes, durations, rates. All without a unit system's surprises (1 MB is 1,000,000 bytes). */

import type { Rational } from '../core/rational.ts';
import { formatTimecode } from '../core/timecode.ts';
import type { ReelNumbering } from '../project/schema.ts';

/** `1.4 GB`, `512 B`. */
export function formatBytes(bytes: number): string {
	const units = ['B', 'kB', 'MB', 'GB', 'TB'];
	let value = bytes;
	let unit = 0;
	while (value >= 1000 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit] ?? ''}`;
}

/** `0:07`, `12:34`, `1:02:03`; seconds round up, so that what remains is never shown as nothing. */
export function formatDuration(seconds: number): string {
	const total = Math.max(0, Math.ceil(seconds));
	const h = Math.floor(total / 3600);
	const m = Math.floor(total / 60) % 60;
	const s = String(total % 60).padStart(2, '0');
	return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

/** `24`, `23.976`, `59.94`. */
export function formatRate(rate: Rational): string {
	const value = rate.num / rate.den;
	return rate.den === 1 ? String(rate.num) : value.toFixed(3).replace(/0+$/, '').replace(/\.$/, '');
}

/** Timecode of a source frame in its reel's numbering. */
export function frameTimecode(frame: number, numbering: ReelNumbering): string {
	return formatTimecode(numbering.firstFrame + frame, { base: numbering.base, drop: numbering.drop });
}

/** `4:3`, `1.85:1`: the shape of the displayed picture. */
export function formatAspect(width: number, height: number, sampleAspect: Rational): string {
	const ratio = (width * sampleAspect.num) / (height * sampleAspect.den);
	const known: readonly (readonly [number, string])[] = [
		[4 / 3, '4:3'],
		[16 / 9, '16:9'],
		[1, '1:1'],
		[3 / 2, '3:2'],
		[11 / 8, '1.375:1'],
	];
	return known.find(([value]) => Math.abs(value - ratio) < 0.004)?.[1] ?? `${ratio.toFixed(2)}:1`;
}
