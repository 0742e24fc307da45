/** The viewer of the CPU backend: 8-bit pixels put on a 2D canvas. Only for the eye; nothing is read back from it. */

import type { Picture } from '../../contracts/compute.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { fromLinear, toLinear } from '../color/transfer.ts';
import { cpuFloats } from '../cpu-compute.ts';
import { displayCurve, mappingOf, PROVENANCE_COLORS, SURROUND, TINT, wipeColumn } from './view.ts';
import type { Mapping, ViewColor, Viewer, ViewLayout, ViewPictures } from './view.ts';

/** One side of the wipe, ready to be sampled. */
interface Side {
	readonly data: Float32Array;
	readonly width: number;
	readonly height: number;
	/** Distance between channels: 0 shows one channel as gray. */
	readonly area: number;
	readonly mapping: Mapping;
	readonly provenance: Float32Array | undefined;
	readonly show: (value: number) => number;
}

const DIVIDER = 0.9;

function clamp01(v: number): number {
	return v < 0 ? 0 : v > 1 ? 1 : v;
}

function showing({ transfer }: ViewColor): (value: number) => number {
	const { convert, gain } = displayCurve(transfer);
	return convert ? (v) => fromLinear('srgb', toLinear(transfer, v) * gain) : (v) => v;
}

function tint(value: number, kind: number, channel: number): number {
	if (kind < 0.5) return value;
	const color = kind >= 1.5 ? PROVENANCE_COLORS.generated : PROVENANCE_COLORS.repaired;
	return value * (1 - TINT) + (color[channel] as number) * TINT;
}

/** Adds up the samples of one canvas pixel into `sum` and returns how many there were. */
function samplePixel(side: Side, cx: number, cy: number, sum: Float64Array): number {
	const { mapping, width, height } = side;
	const n = mapping.samples;
	sum.fill(0);
	for (let j = 0; j < n; j++) {
		const v = cy + (j + 0.5) / n;
		for (let i = 0; i < n; i++) {
			const u = cx + (i + 0.5) / n;
			const x = Math.floor(u * mapping.columnX + v * mapping.columnY + mapping.originX);
			const y = Math.floor(u * mapping.rowX + v * mapping.rowY + mapping.originY);
			const inside = x >= 0 && y >= 0 && x < width && y < height;
			const pixel = y * width + x;
			for (let c = 0; c < 3; c++) {
				let value: number = SURROUND;
				if (inside) {
					value = side.show(side.data[pixel + c * side.area] as number);
					if (side.provenance) value = tint(value, side.provenance[pixel] as number, c);
					value = clamp01(value);
				}
				sum[c] = (sum[c] as number) + value;
			}
		}
	}
	return n * n;
}

/** See the file's comment. */
export class CpuViewer implements Viewer {
	readonly #canvas: OffscreenCanvas;
	readonly #context: OffscreenCanvasRenderingContext2D;

	constructor(canvas: OffscreenCanvas) {
		const context = canvas.getContext('2d', { alpha: false });
		if (context === null) throw new EmulsionError('capability-missing', phrase('canvas-context', { context: '2D' }));
		this.#canvas = canvas;
		this.#context = context;
	}

	draw(pictures: ViewPictures, layout: ViewLayout, color: ViewColor): Promise<void> {
		const { width, height } = layout.canvas;
		if (this.#canvas.width !== width) this.#canvas.width = width;
		if (this.#canvas.height !== height) this.#canvas.height = height;
		const image = new ImageData(width, height);
		render(image.data, pictures, layout, color);
		this.#context.putImageData(image, 0, 0);
		return Promise.resolve();
	}

	destroy(): void {
		// Nothing is owned.
	}
}

function sideOf(
	picture: Picture | undefined,
	reference: Picture,
	layout: ViewLayout,
	color: ViewColor,
	provenance?: Picture,
): Side | undefined {
	if (picture === undefined) return undefined;
	return {
		data: cpuFloats(picture),
		width: picture.width,
		height: picture.height,
		area: picture.channels > 1 ? picture.width * picture.height : 0,
		mapping: mappingOf(layout, reference, picture, color),
		provenance: provenance && cpuFloats(provenance),
		show: showing(color),
	};
}

/** Renders RGBA bytes of a canvas. */
function render(rgba: Uint8ClampedArray, pictures: ViewPictures, layout: ViewLayout, color: ViewColor): void {
	const reference = pictures.result ?? pictures.source;
	const source = reference && sideOf(pictures.source ?? pictures.result, reference, layout, color);
	const result = reference && sideOf(pictures.result ?? pictures.source, reference, layout, color, pictures.provenance);
	const wipe = wipeColumn(layout);
	const sum = new Float64Array(3);
	const { width, height } = layout.canvas;
	for (let y = 0, o = 0; y < height; y++) {
		for (let x = 0; x < width; x++, o += 4) {
			const divider = layout.mode === 'wipe' && Math.abs(x + 0.5 - wipe) < 1;
			const side = x < wipe ? source : result;
			const count = divider || !side ? 1 : samplePixel(side, x, y, sum);
			if (divider || !side) sum.fill(divider ? DIVIDER : SURROUND);
			for (let c = 0; c < 3; c++) rgba[o + c] = Math.round(((sum[c] as number) / count) * 255);
			rgba[o + 3] = 255;
		}
	}
}
