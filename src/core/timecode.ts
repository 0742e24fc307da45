/**
 * SMPTE ST 12-1 timecode: frame numbers as hours, minutes, seconds, frames. Drop-frame timecode skips the numbers 0 and 1
 * (0 to 3 at 60) at the start of every minute that is no multiple of ten, so that 29.97 frames a second keep clock time.
 */

import { EmulsionError } from './errors.ts';
import { phrase } from './phrases.ts';

/** How a reel is numbered. */
export interface TimecodeFormat {
	/** Frames a timecode second: the rate rounded up (24 for 23.976, 30 for 29.97). Whole, 1 to 120. */
	readonly base: number;
	/** Drop-frame; only with a base that is a multiple of 30. */
	readonly drop: boolean;
}

const TIMECODE = /^(\d{2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})$/;

function checkFormat({ base, drop }: TimecodeFormat): void {
	if (!Number.isInteger(base) || base < 1 || base > 120)
		throw new EmulsionError('usage', phrase('timecode-base', { base }));
	if (drop && base % 30 !== 0) throw new EmulsionError('usage', phrase('timecode-drop-base', { base }));
}

/**
 * Frame number of a timecode such as `01:00:00:00` or `01:00:00;02`. The separator before the frames is accepted in any form;
 * whether numbers are dropped is told by `format`.
 * @throws EmulsionError `usage` where the text is no timecode, a part is out of range, or the number is a dropped one.
 */
export function parseTimecode(text: string, format: TimecodeFormat): number {
	checkFormat(format);
	const { base, drop } = format;
	const match = TIMECODE.exec(text.trim());
	const [hours, minutes, seconds, frame] = [1, 2, 3, 5].map((i) => Number(match?.[i] ?? Number.NaN)) as [
		number,
		number,
		number,
		number,
	];
	if (!(hours < 24 && minutes < 60 && seconds < 60 && frame < base))
		throw new EmulsionError('usage', phrase('timecode-text', { base, text: JSON.stringify(text) }));
	const dropped = drop ? base / 15 : 0;
	if (minutes % 10 !== 0 && seconds === 0 && frame < dropped)
		throw new EmulsionError('usage', phrase('timecode-dropped', { text: JSON.stringify(text) }));
	const total = hours * 60 + minutes;
	return (total * 60 + seconds) * base + frame - dropped * (total - Math.floor(total / 10));
}

/** Timecode of a frame number; wraps at 24 hours, as clocks do. Drop-frame has `;` before the frames. */
export function formatTimecode(frames: number, format: TimecodeFormat): string {
	checkFormat(format);
	if (!Number.isSafeInteger(frames)) throw new EmulsionError('usage', phrase('timecode-frames', { frames }));
	const { base, drop } = format;
	const dropped = drop ? base / 15 : 0;
	const perTen = 600 * base - 9 * dropped;
	const day = 144 * perTen;
	let number = ((frames % day) + day) % day;
	if (drop) {
		const tens = Math.floor(number / perTen);
		const rest = number % perTen;
		const minutes = rest < 60 * base ? 0 : 1 + Math.floor((rest - 60 * base) / (60 * base - dropped));
		number += dropped * (9 * tens + minutes);
	}
	const two = (value: number): string => String(value).padStart(2, '0');
	const seconds = Math.floor(number / base);
	const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
	return `${clock}${drop ? ';' : ':'}${two(number % base)}`;
}
