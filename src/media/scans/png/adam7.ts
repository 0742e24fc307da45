/** Adam7, the interlacing of PNG (W3C third edition, 8.2): seven passes, each a coarser picture of its own. */
import type { Size } from '../../../core/color.ts';
import type { ScanPicture } from '../picture.ts';

/** Column and row a pass begins at, and the steps between its columns and rows. */
type Grid = readonly [x: number, y: number, across: number, down: number];

const GRIDS: readonly Grid[] = [
	[0, 0, 8, 8],
	[4, 0, 8, 8],
	[0, 4, 4, 8],
	[2, 0, 4, 4],
	[0, 2, 2, 4],
	[1, 0, 2, 2],
	[0, 1, 1, 2],
];

/** One pass: how large its picture is, and where its pixels lie in the whole one. */
export interface Adam7Pass {
	readonly size: Size;
	readonly grid: Grid;
}

/** The passes that a picture of `size` has, in file order; those without a pixel are left out, as they are in the file. */
export function adam7Passes({ width, height }: Size): Adam7Pass[] {
	return GRIDS.map((grid): Adam7Pass => {
		const [x, y, across, down] = grid;
		return { grid, size: { width: Math.ceil((width - x) / across), height: Math.ceil((height - y) / down) } };
	}).filter(({ size }) => size.width > 0 && size.height > 0);
}

/** Puts the pixels of a pass where they belong in the whole picture, which has the same format. */
export function spreadPass(part: ScanPicture, { size, grid }: Adam7Pass, whole: ScanPicture): void {
	const [x0, y0, across, down] = grid;
	part.planes.forEach((from, p) => {
		const to = whole.planes[p];
		if (!to) return;
		for (let y = 0, i = 0; y < size.height; y++) {
			let o = (y0 + y * down) * whole.size.width + x0;
			for (let x = 0; x < size.width; x++, o += across) to[o] = from[i++] as number;
		}
	});
}
