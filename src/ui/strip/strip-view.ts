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

/** A block narrower than this has no thumbnail, in CSS pixels. */
const NARROWEST = 36;

/** Least of a thumbnail's width that is shown, the sides cut off, to make room for one more. */
const LEAST_SHOWN = 0.6;

/** A place for a thumbnail in a shot's block. */
export interface ThumbnailSlot {
	/** The source frame it shows. */
	readonly frame: number;
	/** Left edge in the block, in CSS pixels. */
	readonly x: number;
	/** Width, in CSS pixels: a thumbnail's or less. */
	readonly width: number;
	/** Lower is wanted sooner: the first of every shot, the last, then those between. */
	readonly rank: 0 | 1 | 2;
}

/** Frames of a shot that show its own picture alone: without those of the dissolves at its ends, where any are left. */
export function ownFrames(shots: readonly Shot[], index: number): { readonly first: number; readonly last: number } {
	const shot = shots[index];
	if (!shot) return { first: 0, last: 0 };
	const first = shot.dissolve?.to ?? shot.start;
	const last = (shots[index + 1]?.dissolve?.from ?? shot.end) - 1;
	return first <= last ? { first, last } : { first: shot.start, last: shot.end - 1 };
}

/**
 * The thumbnails of a shot: as many as fill its block side by side, their sides cut off where they do not quite fit, the first frame and
 * the last at its ends; one of its middle where there is no room for two. Frames between keep to a grid that halves as the block doubles,
 * so that most stay the same while the strip is zoomed. Only those on screen are given.
 * @param thumb width of a whole thumbnail in CSS pixels.
 */
export function thumbnailSlots(
	shots: readonly Shot[],
	item: StripShot,
	view: StripWindow,
	thumb: number,
): ThumbnailSlot[] {
	if (item.count > 1 || item.width < NARROWEST || thumb <= 0) return [];
	const { first, last } = ownFrames(shots, item.index);
	const full = Math.ceil(item.width / thumb);
	const fits = item.width / full >= LEAST_SHOWN * thumb ? full : full - 1;
	const count = Math.min(fits, last - first + 1);
	if (count < 2) {
		return [{ frame: Math.floor((first + last) / 2), x: 0, width: Math.min(thumb, item.width), rank: 0 }];
	}
	const stride = item.width / count;
	const frames = (last - first) / (count - 1);
	const grid = 2 ** Math.max(0, Math.floor(Math.log2(frames / 2)));
	const slots: ThumbnailSlot[] = [];
	const begin = Math.max(0, Math.floor(-item.x / stride));
	for (let k = begin; k < count && item.x + k * stride < view.width; k++) {
		const between = first + Math.round((k * frames) / grid) * grid;
		const frame = k === 0 ? first : k === count - 1 ? last : between;
		const rank = k === 0 ? 0 : k === count - 1 ? 1 : 2;
		slots.push({ frame, x: k * stride, width: Math.min(thumb, stride), rank });
	}
	return slots;
}
