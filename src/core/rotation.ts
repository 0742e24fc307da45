/** Pictures that are stored on their side: frames are worked on as they are stored, and turned for the eye alone. */

import type { Size } from './color.ts';

/** Clockwise turn in degrees that brings a stored picture upright. */
export type Rotation = 0 | 90 | 180 | 270;

/** A stored size as the eye sees it. */
export function upright({ width, height }: Size, rotation: Rotation): Size {
	return rotation % 180 === 0 ? { width, height } : { width: height, height: width };
}

/** For pixel (x, y) of the upright picture: its index, row by row, in the stored one of size `stored`. */
export function storedIndex({ width, height }: Size, rotation: Rotation): (x: number, y: number) => number {
	switch (rotation) {
		case 0:
			return (x, y) => y * width + x;
		case 90:
			return (x, y) => (height - 1 - x) * width + y;
		case 180:
			return (x, y) => (height - 1 - y) * width + (width - 1 - x);
		case 270:
			return (x, y) => x * width + (width - 1 - y);
	}
}
