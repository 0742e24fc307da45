/**
 * What stands on the screen: one canvas a view, drawn from the player's pictures in one task. Geometry is in CSS pixels of
 * the canvas, drawing in its device pixels.
 */

/** How two pictures are compared. */
export const VIEW_MODES = ['wipe', 'side', 'toggle', 'difference'] as const;
/** See {@link VIEW_MODES}. */
export type ViewMode = (typeof VIEW_MODES)[number];

/** Gains of the difference: doublings, which 8-bit addition makes exactly. */
export const GAINS = [1, 2, 4, 8, 16, 32] as const;
/** Loupe: off, or device pixels a picture pixel. */
export const LOUPES = [0, 1, 2] as const;

/** What is looked at, and how. */
export interface View {
	readonly mode: ViewMode;
	/** Indexes among the player's pictures. */
	readonly a: number;
	readonly b: number;
	/** Which of the two `toggle` shows. */
	readonly shown: 'a' | 'b';
	/** Share of the picture's width that shows `a`, 0 to 1. */
	readonly wipe: number;
	/** One of {@link GAINS}. */
	readonly gain: number;
	/** One of {@link LOUPES}. */
	readonly loupe: number;
	/** The loupe's place, shares of the picture's width and height. */
	readonly at: { readonly x: number; readonly y: number };
}

/** A rectangle in CSS pixels. */
export interface Rect {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** Where pictures stand: one place, or two for side by side (`a` first). */
export type Layout = readonly Rect[];

function fit(box: Rect, aspect: number): Rect {
	const width = Math.min(box.width, box.height * aspect);
	const height = width / aspect;
	return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
}

/** Space between two pictures, CSS pixels. */
const GAP = 4;

/**
 * Places for the pictures; side by side or one above the other, whichever shows them larger.
 * @param aspect Width by height as displayed.
 */
export function layoutOf(mode: ViewMode, width: number, height: number, aspect: number): Layout {
	const whole = { x: 0, y: 0, width, height };
	if (mode !== 'side') return [fit(whole, aspect)];
	const half = (width - GAP) / 2;
	const beside = [whole, whole].map((_, i) => fit({ x: i * (half + GAP), y: 0, width: half, height }, aspect));
	const low = (height - GAP) / 2;
	const above = [whole, whole].map((_, i) => fit({ x: 0, y: i * (low + GAP), width, height: low }, aspect));
	return beside[0]!.width >= above[0]!.width ? beside : above;
}

/** Position in a picture, shares of its sides, of a point in the canvas; undefined beside the pictures. */
export function pointIn(layout: Layout, x: number, y: number): { x: number; y: number; picture: number } | undefined {
	for (const [picture, rect] of layout.entries()) {
		const at = { x: (x - rect.x) / rect.width, y: (y - rect.y) / rect.height };
		if (at.x >= 0 && at.x <= 1 && at.y >= 0 && at.y <= 1) return { ...at, picture };
	}
	return undefined;
}

/** Draws a view. */
export class Painter {
	readonly #canvas: HTMLCanvasElement;
	readonly #context: CanvasRenderingContext2D;
	/** Differences are made here, at the pictures' own size. */
	#work: { readonly canvas: HTMLCanvasElement; readonly context: CanvasRenderingContext2D } | undefined;

	constructor(canvas: HTMLCanvasElement) {
		this.#canvas = canvas;
		const context = canvas.getContext('2d', { alpha: false });
		if (!context) throw new TypeError('no 2D canvas');
		this.#context = context;
	}

	/**
	 * Paints.
	 * @param size The canvas's size in CSS pixels.
	 * @param scale Device pixels a CSS pixel.
	 */
	paint(
		pictures: readonly HTMLCanvasElement[],
		view: View,
		layout: Layout,
		size: { readonly width: number; readonly height: number },
		scale: number,
	): void {
		const canvas = this.#canvas;
		const context = this.#context;
		const width = Math.max(1, Math.round(size.width * scale));
		const height = Math.max(1, Math.round(size.height * scale));
		if (canvas.width !== width) canvas.width = width;
		if (canvas.height !== height) canvas.height = height;
		context.setTransform(1, 0, 0, 1, 0, 0);
		context.fillStyle = SURROUND;
		context.fillRect(0, 0, width, height);
		const a = pictures[view.a];
		const b = pictures[view.b];
		if (!a || !b || a.width === 0 || b.width === 0) return;
		const places = layout.map((rect) => deviceRect(rect, scale));
		const first = places[0]!;
		if (view.mode === 'side') {
			this.#whole(a, first);
			this.#whole(b, places[1] ?? first);
		} else if (view.mode === 'toggle') this.#whole(view.shown === 'a' ? a : b, first);
		else if (view.mode === 'difference') this.#whole(this.#difference(a, b, view.gain), first);
		else this.#wipe(a, b, first, view.wipe);
		if (view.loupe > 0) this.#loupes(a, b, view, places, scale);
	}

	#whole(picture: HTMLCanvasElement, to: Rect): void {
		const context = this.#context;
		// Pictures that are shown larger than they are keep their pixels; smaller ones are averaged.
		context.imageSmoothingEnabled = to.width < picture.width * 2;
		context.imageSmoothingQuality = 'high';
		context.drawImage(picture, to.x, to.y, to.width, to.height);
	}

	#wipe(a: HTMLCanvasElement, b: HTMLCanvasElement, to: Rect, share: number): void {
		const context = this.#context;
		const edge = Math.round(to.x + to.width * share);
		this.#clipped({ ...to, width: edge - to.x }, () => this.#whole(a, to));
		this.#clipped({ ...to, x: edge, width: to.x + to.width - edge }, () => this.#whole(b, to));
		context.fillStyle = LINE;
		if (share > 0 && share < 1) context.fillRect(edge - 1, to.y, 2, to.height);
	}

	#clipped(rect: Rect, draw: () => void): void {
		const context = this.#context;
		if (rect.width <= 0) return;
		context.save();
		context.beginPath();
		context.rect(rect.x, rect.y, rect.width, rect.height);
		context.clip();
		draw();
		context.restore();
	}

	/** |a − b| times the gain on 8-bit code values, each channel clipped at 255. */
	#difference(a: HTMLCanvasElement, b: HTMLCanvasElement, gain: number): HTMLCanvasElement {
		this.#work ??= workCanvas();
		const { canvas, context } = this.#work;
		if (canvas.width !== a.width) canvas.width = a.width;
		if (canvas.height !== a.height) canvas.height = a.height;
		context.imageSmoothingEnabled = false;
		context.globalCompositeOperation = 'copy';
		context.drawImage(a, 0, 0);
		context.globalCompositeOperation = 'difference';
		context.drawImage(b, 0, 0, a.width, a.height);
		context.globalCompositeOperation = 'lighter';
		for (let made = 1; made < gain; made *= 2) context.drawImage(canvas, 0, 0);
		return canvas;
	}

	#loupes(a: HTMLCanvasElement, b: HTMLCanvasElement, view: View, places: readonly Rect[], scale: number): void {
		const side = Math.round(Math.min(LOUPE_SIDE * scale, this.#canvas.width * 0.44, this.#canvas.height * 0.6));
		if (view.mode === 'side') {
			[a, b].forEach((picture, i) => {
				const rect = places[i] ?? places[0]!;
				const x = rect.x + rect.width * view.at.x - side / 2;
				const y = rect.y + rect.height * view.at.y - side / 2;
				this.#loupe(picture, a, view, x, y, side);
			});
			return;
		}
		const rect = places[0]!;
		const px = rect.x + rect.width * view.at.x;
		const py = rect.y + rect.height * view.at.y;
		// Beside one another above the pointer, below it where there is no room: a finger does not cover them.
		const gap = 12 * scale;
		const x = clamp(px - side, 0, this.#canvas.width - 2 * side);
		const y = py - side - gap >= 0 ? py - side - gap : clamp(py + gap, 0, this.#canvas.height - side);
		this.#loupe(a, a, view, x, y, side);
		this.#loupe(b, a, view, x + side, y, side);
	}

	/** A square of a picture around the place, nearest sampling; picture pixels are counted in `unit`'s size on both sides. */
	#loupe(
		picture: HTMLCanvasElement,
		unit: HTMLCanvasElement,
		view: View,
		left: number,
		top: number,
		side: number,
	): void {
		const context = this.#context;
		const x = Math.round(left);
		const y = Math.round(top);
		const pixels = Math.round(side / view.loupe);
		const factor = picture.width / unit.width;
		const sx = Math.round(unit.width * view.at.x - pixels / 2) * factor;
		const sy = Math.round(unit.height * view.at.y - pixels / 2) * (picture.height / unit.height);
		this.#clipped({ x, y, width: side, height: side }, () => {
			context.fillStyle = SURROUND;
			context.fillRect(x, y, side, side);
			context.imageSmoothingEnabled = false;
			const zoom = view.loupe / factor;
			context.drawImage(
				picture,
				x - sx * zoom,
				y - (sy * view.loupe * unit.height) / picture.height,
				picture.width * zoom,
				(picture.height * view.loupe * unit.height) / picture.height,
			);
		});
		context.strokeStyle = LINE;
		context.lineWidth = 1;
		context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
	}
}

/** Neutral gray around the pictures, as in `theme.css`. */
const SURROUND = '#1c1c1c';
const LINE = '#b4b4b4';
/** A loupe's side, CSS pixels. */
const LOUPE_SIDE = 220;

function clamp(value: number, least: number, most: number): number {
	return Math.max(least, Math.min(most, value));
}

/** To whole device pixels: pictures that are compared begin and end on the same ones. */
function deviceRect(rect: Rect, scale: number): Rect {
	const x = Math.round(rect.x * scale);
	const y = Math.round(rect.y * scale);
	return {
		...{ x, y },
		width: Math.max(1, Math.round((rect.x + rect.width) * scale) - x),
		height: Math.max(1, Math.round((rect.y + rect.height) * scale) - y),
	};
}

function workCanvas(): { readonly canvas: HTMLCanvasElement; readonly context: CanvasRenderingContext2D } {
	const canvas = document.createElement('canvas');
	const context = canvas.getContext('2d', { alpha: false });
	if (!context) throw new TypeError('no 2D canvas');
	return { canvas, context };
}
