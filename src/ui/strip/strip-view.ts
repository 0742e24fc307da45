/** What the shot strip shows: the visible part of the reel, its tick marks, the shots that can be seen. */

import type { Shot } from '../../core/shots.ts';

/** The part of the reel on screen. */
export interface StripWindow {
	/** First frame shown, may be fractional. */
	readonly start: number;
	/** Frames shown. */
	readonly length: number;
	/** Width in CSS pixels. */
	readonly width: number;
}

/** Position of a frame's left edge in CSS pixels. */
export function frameX(window: StripWindow, frame: number): number {
	return ((frame - window.start) / window.length) * window.width;
}

/** Frame at a position, not clamped. */
export function frameAtX(window: StripWindow, x: number): number {
	return Math.floor(window.start + (x / window.width) * window.length);
}

/** Frames of the ruler's marks: a step of 1, 2, 5 or 10 frames, or whole seconds and minutes, at least `gap` pixels apart. */
export function ruler(window: StripWindow, base: number, firstFrame: number, gap = 96): number[] {
	const steps = [1, 2, 5, 10, base, 2 * base, 5 * base, 10 * base, 30 * base];
	for (let minutes = 1; minutes <= 240; minutes *= 2) steps.push(minutes * 60 * base);
	const perFrame = window.width / window.length;
	const step = [...steps].sort((a, b) => a - b).find((s) => s * perFrame >= gap) ?? 240 * 60 * base;
	const first = Math.ceil((window.start + firstFrame) / step) * step - firstFrame;
	const marks: number[] = [];
	for (let frame = first; frame < window.start + window.length && marks.length < 100; frame += step) marks.push(frame);
	return marks;
}

/** A shot on screen; `count` > 1 where several are too narrow to be told apart. */
export interface StripShot {
	readonly index: number;
	readonly count: number;
	readonly shot: Shot;
	readonly x: number;
	readonly width: number;
}

/** The shots in the window. Neighbors narrower than `narrow` pixels are drawn as one block, so that a long reel stays cheap. */
export function visibleShots(shots: readonly Shot[], window: StripWindow, narrow = 3): StripShot[] {
	const found: StripShot[] = [];
	const end = window.start + window.length;
	for (let index = 0; index < shots.length; index++) {
		const shot = shots[index];
		if (!shot || shot.end <= window.start) continue;
		if (shot.start >= end) break;
		const x = frameX(window, shot.start);
		const width = frameX(window, shot.end) - x;
		const last = found.at(-1);
		if (last && width < narrow && last.width < narrow * 4 && last.index + last.count === index && last.width < 12) {
			found[found.length - 1] = { ...last, count: last.count + 1, width: x + width - last.x };
		} else found.push({ index, count: 1, shot, x, width });
	}
	return found;
}
