/** What the viewer shows and where: geometry and colors that both drawers share. Pure. */

import type { Picture } from '../../contracts/compute.ts';
import type { ViewState } from '../../contracts/workers.ts';
import type { Size, Transfer } from '../../core/color.ts';
import { type Rotation, upright } from '../../core/rotation.ts';
import { TRANSFER_IDS } from '../color/transfer.ts';

/** How a view is laid out; see `ViewState`. */
export type ViewLayout = Pick<ViewState, 'mode' | 'wipe' | 'zoom' | 'center' | 'canvas'>;

/** Pictures of one drawing; all borrowed. 3 channels R′G′B′, or 1 shown as gray. */
export interface ViewPictures {
	readonly source?: Picture;
	readonly result?: Picture;
	/** One channel of `PROVENANCE` values, drawn as a tint over the result. */
	readonly provenance?: Picture;
}

/** How stored values become what the eye sees. */
export interface ViewColor {
	/** Linear, log, PQ and HLG pictures are brought to sRGB for the eye; others are shown as they are. */
	readonly transfer: Transfer;
	/** Width ÷ height of one pixel as it is stored. */
	readonly pixelAspect: number;
	/** Clockwise turn that brings the stored picture upright; default none. */
	readonly rotation?: Rotation;
}

/** Tint of repaired pixels (teal) and of generated ones (magenta), R′G′B′; strength {@link TINT}. */
export const PROVENANCE_COLORS = { repaired: [0.1, 0.75, 0.7], generated: [0.95, 0.2, 0.75] } as const;
/** Share of the tint. */
export const TINT = 0.5;
/** Neutral surround, R′G′B′. */
export const SURROUND = 0.11;
/** Most samples a side that one canvas pixel averages when the picture is shown smaller than it is. */
const MAX_SAMPLES = 8;

/** Reference white of a curve in its own light: 203 cd/m² for PQ, 75 % for HLG (ITU-R BT.2408). */
const WHITE: Readonly<Partial<Record<Transfer, number>>> = { pq: 203 / 10000, hlg: 0.26496256 };

/** Picture pixels by which samples are moved, so that those on the border of two pixels fall to the same one everywhere. */
const TIE = 1e-3;

/** Curve to be undone for display, and the factor on its light. `id` 0 with `convert` false shows values as they are. */
export function displayCurve(transfer: Transfer): { convert: boolean; id: number; gain: number } {
	const convert = transfer === 'linear' || transfer === 'log' || transfer === 'pq' || transfer === 'hlg';
	return { convert, id: TRANSFER_IDS[transfer], gain: 1 / (WHITE[transfer] ?? 1) };
}

/** Affine map from canvas pixels to a picture's pixels, at pixel centers: column `x·columnX + y·columnY + originX`, row alike. */
export interface Mapping {
	readonly originX: number;
	readonly originY: number;
	readonly columnX: number;
	readonly columnY: number;
	readonly rowX: number;
	readonly rowY: number;
	/** Samples a side to average in one canvas pixel: 1 from 1:1 on (nearest), more below. */
	readonly samples: number;
}

/** How a picture lies: width ÷ height of its stored pixels, and the turn that brings it upright. */
export type Posture = Pick<ViewColor, 'pixelAspect' | 'rotation'>;

/** Canvas pixels a pixel of the upright picture (vertically) of a layout; `size` is as stored. */
export function zoomOf(layout: ViewLayout, size: Size, { pixelAspect, rotation = 0 }: Posture): number {
	if (layout.zoom !== 'fit') return layout.zoom;
	const { width, height } = upright(size, rotation);
	const aspect = rotation % 180 === 0 ? pixelAspect : 1 / pixelAspect;
	return Math.min(layout.canvas.width / (width * aspect), layout.canvas.height / height);
}

/**
 * Where `picture` lies on the canvas. `reference` is the size that zoom counts in (the result's): source and result of
 * different sizes cover the same place. Both sizes are as stored.
 */
export function mappingOf(layout: ViewLayout, reference: Size, picture: Size, posture: Posture): Mapping {
	const { pixelAspect, rotation = 0 } = posture;
	const zoom = zoomOf(layout, reference, posture);
	const [whole, shown] = [upright(reference, rotation), upright(picture, rotation)];
	const center = layout.zoom === 'fit' ? { x: 0.5, y: 0.5 } : layout.center;
	const stepX = shown.width / whole.width / (zoom * (rotation % 180 === 0 ? pixelAspect : 1 / pixelAspect));
	const stepY = shown.height / whole.height / zoom;
	// Upright first, then the turn back to how the picture is stored.
	const u = center.x * shown.width - (layout.canvas.width / 2) * stepX + TIE;
	const v = center.y * shown.height - (layout.canvas.height / 2) * stepY + TIE;
	const samples = Math.min(MAX_SAMPLES, Math.max(1, Math.ceil(Math.max(stepX, stepY) - 1e-6)));
	switch (rotation) {
		case 0:
			return { originX: u, originY: v, columnX: stepX, columnY: 0, rowX: 0, rowY: stepY, samples };
		case 90:
			return {
				originX: v,
				originY: picture.height - u,
				columnX: 0,
				columnY: stepY,
				rowX: -stepX,
				rowY: 0,
				samples,
			};
		case 180:
			return {
				originX: picture.width - u,
				originY: picture.height - v,
				columnX: -stepX,
				columnY: 0,
				rowX: 0,
				rowY: -stepY,
				samples,
			};
		case 270:
			return { originX: picture.width - v, originY: u, columnX: 0, columnY: -stepY, rowX: stepX, rowY: 0, samples };
	}
}

/** Canvas column left of which the source shows. */
export function wipeColumn(layout: ViewLayout): number {
	if (layout.mode === 'source') return layout.canvas.width;
	return layout.mode === 'result' ? 0 : Math.round(layout.wipe * layout.canvas.width);
}

/** Draws one view at a time. */
export interface Viewer {
	/** Draws and resolves when the canvas holds it. The pictures may be released then. */
	draw(pictures: ViewPictures, layout: ViewLayout, color: ViewColor): Promise<void>;
	/** Lets go of what the drawer owns; the canvas stays. */
	destroy(): void;
}
