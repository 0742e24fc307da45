/** Geometry and verbs of the viewer. */

import type { Size } from '../../core/color.ts';
import type { ReelView } from '../../project/schema.ts';
import type { Workspace } from '../../state/workspace.svelte.ts';

/** Offered magnifications: canvas pixels a picture pixel. */
export const ZOOMS = [0.25, 0.5, 1, 2, 4, 8, 16] as const;
const MIN_ZOOM = 1 / 16;
const MAX_ZOOM = 32;

/** Size of the displayed picture in canvas pixels at magnification 1: wide pixels make it wider. */
export interface Geometry {
	readonly picture: Size;
	readonly canvas: Size;
}

/** Magnification at which the whole picture is seen. */
export function fitScale({ picture, canvas }: Geometry): number {
	return Math.min(canvas.width / picture.width, canvas.height / picture.height);
}

/** Magnification really used. */
export function scaleOf(view: Pick<ReelView, 'zoom'>, geometry: Geometry): number {
	return view.zoom === 'fit' ? fitScale(geometry) : view.zoom;
}

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** Zooms by a factor so that the picture point under a canvas position stays there. Positions are relative to the canvas center. */
export function zoomAt(
	view: Pick<ReelView, 'zoom' | 'center'>,
	geometry: Geometry,
	at: { readonly x: number; readonly y: number },
	factor: number,
): Pick<ReelView, 'zoom' | 'center'> {
	const before = scaleOf(view, geometry);
	const zoom = clamp(before * factor, MIN_ZOOM, MAX_ZOOM);
	const center = view.zoom === 'fit' ? { x: 0.5, y: 0.5 } : view.center;
	const { width, height } = geometry.picture;
	return {
		zoom,
		center: {
			x: clamp(center.x + at.x / (width * before) - at.x / (width * zoom), 0, 1),
			y: clamp(center.y + at.y / (height * before) - at.y / (height * zoom), 0, 1),
		},
	};
}

/** Moves the picture by canvas pixels. */
export function panBy(view: ReelView, geometry: Geometry, dx: number, dy: number): Pick<ReelView, 'center'> {
	const scale = scaleOf(view, geometry);
	const { width, height } = geometry.picture;
	return {
		center: {
			x: clamp(view.center.x - dx / (width * scale), 0, 1),
			y: clamp(view.center.y - dy / (height * scale), 0, 1),
		},
	};
}

/** The next offered magnification up or down. */
export function zoomStep(w: Workspace, direction: 1 | -1): void {
	const { zoom } = w.player.view;
	const now = zoom === 'fit' ? 1 : zoom;
	const next = direction === 1 ? ZOOMS.find((z) => z > now * 1.001) : [...ZOOMS].reverse().find((z) => z < now * 0.999);
	w.player.setView({ zoom: next ?? now });
}

/** Source against result, as they follow each other at one key. */
export function cycleMode(w: Workspace): void {
	w.player.setView({ mode: w.player.view.mode === 'source' ? 'result' : 'source' });
}

/** Moves the wipe; turns it on where it is off. */
export function nudgeWipe(w: Workspace, by: number): void {
	const { mode, wipe } = w.player.view;
	if (mode !== 'wipe') w.player.setView({ mode: 'wipe' });
	else w.player.setView({ wipe: clamp(wipe + by, 0, 1) });
}
