/** Small pictures of shots, made one at a time while nothing else runs, and kept while the tab lives. */

import { SvelteMap } from 'svelte/reactivity';
import type { PlanRequest } from '../contracts/workers.ts';
import { type Rotation, storedIndex, upright } from '../core/rotation.ts';
import { EMPTY_RECIPE } from '../project/recipe.ts';
import type { EnginePort, StillPicture } from './engine-port.ts';

/** Height of a thumbnail in pixels. */
const HEIGHT = 96;
/** Bytes of pictures that are kept, the oldest going first; a shot list may be longer than memory. */
const MAX_BYTES = 24 << 20;

/** Shrinks a picture by averaging to {@link HEIGHT} rows, upright, and turns it into 8-bit RGBA. */
export function shrink(still: StillPicture, rotation: Rotation): ImageData {
	const at = storedIndex(still.size, rotation);
	const { width, height } = upright(still.size, rotation);
	const h = Math.min(HEIGHT, height);
	const w = Math.max(1, Math.round((width * h) / height));
	const out = new ImageData(w, h);
	for (let y = 0; y < h; y++) {
		const y0 = Math.floor((y * height) / h);
		const y1 = Math.max(y0 + 1, Math.floor(((y + 1) * height) / h));
		for (let x = 0; x < w; x++) {
			const x0 = Math.floor((x * width) / w);
			const x1 = Math.max(x0 + 1, Math.floor(((x + 1) * width) / w));
			for (let c = 0; c < 3; c++) {
				let sum = 0;
				for (let j = y0; j < y1; j++) for (let i = x0; i < x1; i++) sum += still.rgb[at(i, j) * 3 + c] ?? 0;
				out.data[(y * w + x) * 4 + c] = Math.round((255 * sum) / ((y1 - y0) * (x1 - x0)));
			}
			out.data[(y * w + x) * 4 + 3] = 255;
		}
	}
	return out;
}

/** See the file's comment. */
export class Thumbnails {
	readonly #engine: EnginePort;
	readonly #busy: () => boolean;
	readonly #pictures = new SvelteMap<string, ImageData>();
	#wanted: { readonly key: string; readonly request: PlanRequest; readonly frame: number }[] = [];
	/** The one being made. */
	#making: string | undefined;
	#bytes = 0;
	#working = false;

	/** `busy` tells whether something more important runs. */
	constructor(engine: EnginePort, busy: () => boolean) {
		this.#engine = engine;
		this.#busy = busy;
	}

	/** The picture of a source frame; undefined until it is made. */
	get(source: string, frame: number): ImageData | undefined {
		return this.#pictures.get(`${source}/${frame}`);
	}

	/** Asks for pictures; the list replaces what was asked before. */
	want(request: PlanRequest, frames: readonly number[]): void {
		const plain: PlanRequest = { ...request, recipe: EMPTY_RECIPE };
		this.#wanted = frames
			.map((frame) => ({ key: `${request.source}/${frame}`, request: plain, frame }))
			.filter(({ key }) => !this.#pictures.has(key) && key !== this.#making);
		void this.#work();
	}

	async #work(): Promise<void> {
		if (this.#working) return;
		this.#working = true;
		try {
			while (this.#wanted.length > 0) {
				if (this.#busy()) {
					await new Promise((resolve) => setTimeout(resolve, 250));
					continue;
				}
				const next = this.#wanted.shift();
				if (!next) break;
				this.#making = next.key;
				const still = await this.#engine.still(next.request, next.frame, 'result', AbortSignal.timeout(30_000));
				this.#keep(next.key, shrink(still, next.request.info.rotation));
			}
		} catch {
			// A shot without its thumbnail is drawn as a block; the viewer will report what is wrong with the frame.
			this.#wanted = [];
		} finally {
			this.#working = false;
			this.#making = undefined;
		}
	}

	#keep(key: string, picture: ImageData): void {
		this.#pictures.set(key, picture);
		this.#bytes += picture.data.byteLength;
		for (const [oldest, { data }] of this.#pictures) {
			if (this.#bytes <= MAX_BYTES || oldest === key) break;
			this.#pictures.delete(oldest);
			this.#bytes -= data.byteLength;
		}
	}
}
