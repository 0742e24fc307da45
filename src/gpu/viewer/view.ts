/** What the viewer shows and where: geometry and colors that both drawers share. Pure. */

import type { Picture } from '../../contracts/compute.ts';
import type { ViewState } from '../../contracts/workers.ts';
import type { Size, Transfer } from '../../core/color.ts';
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

/** How values become display colors. */
export interface ViewColor {
	/** Linear, log, PQ and HLG pictures are brought to sRGB for the eye; others are shown as they are. */
	readonly transfer: Transfer;
	/** Width ÷ height of one pixel. */
	readonly pixelAspect: number;
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

/** Affine map from canvas pixels to a picture's pixels: `x · step + origin` at pixel centers. */
export interface Mapping {
	readonly originX: number;
	readonly originY: number;
	readonly stepX: number;
	readonly stepY: number;
	/** Samples a side to average in one canvas pixel: 1 from 1:1 on (nearest), more below. */
	readonly samples: number;
}

/** Canvas pixels a picture pixel (vertically) of a layout. */
export function zoomOf(layout: ViewLayout, size: Size, pixelAspect: number): number {
	if (layout.zoom !== 'fit') return layout.zoom;
	return Math.min(layout.canvas.width / (size.width * pixelAspect), layout.canvas.height / size.height);
}

/**
 * Where `picture` lies on the canvas. `reference` is the size that zoom counts in (the result's): source and result of
 * different sizes cover the same place.
 */
export function mappingOf(layout: ViewLayout, reference: Size, picture: Size, pixelAspect: number): Mapping {
	const zoom = zoomOf(layout, reference, pixelAspect);
	const center = layout.zoom === 'fit' ? { x: 0.5, y: 0.5 } : layout.center;
	const stepX = picture.width / reference.width / (zoom * pixelAspect);
	const stepY = picture.height / reference.height / zoom;
	return {
		originX: center.x * picture.width - (layout.canvas.width / 2) * stepX + TIE,
		originY: center.y * picture.height - (layout.canvas.height / 2) * stepY + TIE,
		stepX,
		stepY,
		samples: Math.min(MAX_SAMPLES, Math.max(1, Math.ceil(Math.max(stepX, stepY) - 1e-6))),
	};
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
