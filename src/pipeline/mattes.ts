/**
 * Mattes: pictures that say where a stage acts, opened as sources of their own (a film or a sequence of the film's length,
 * or one still for all of it). White is inside, code values are taken as they are.
 */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { MatteInput, PlanRequest } from '../contracts/workers.ts';
import type { Size } from '../core/color.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { type Phrase, phrase } from '../core/phrases.ts';
import { isMatteId, type MatteRegion, parseRegion } from '../core/regions.ts';
import { resize } from '../gpu/ops/resize/op.ts';
import type { KeyPart } from '../store/keys.ts';
import type { MediaClient } from './clients.ts';
import { toWorking } from './convert.ts';
import { matteOf } from './ops/matte.ts';
import { SourceReader } from './source-reader.ts';

/** Bytes of decoded matte frames that one reader keeps: a stage or two ask for the same frame. */
const READER_BUDGET = 16 * 2 ** 20;
/** Readers kept open. */
const READERS = 4;
/** Two aspect ratios within this share of each other are the same: mattes are often drawn on a proxy. */
const ASPECT_TOLERANCE = 0.01;

function invalid(id: string, what: Phrase): never {
	throw new EmulsionError('usage', phrase('about-matte', { id, what }), { path: `mattes.${id}` });
}

/** Checks that each matte fits the film. Throws `usage`. */
export function checkMattes({ mattes = [], info }: PlanRequest): void {
	const taken = new Set<string>();
	const [width, height] = [info.size.width, info.size.height];
	for (const { id, frames, size, rotation } of mattes) {
		if (!isMatteId(id)) invalid(id, phrase('matte-id'));
		if (taken.has(id)) invalid(id, phrase('matte-taken'));
		taken.add(id);
		if (frames !== 1 && frames !== info.frames.length) {
			invalid(id, phrase('matte-length', { found: frames, frames: info.frames.length }));
		}
		const aspect = (size.width * height) / (size.height * width);
		if (Math.abs(aspect - 1) > ASPECT_TOLERANCE || rotation !== info.rotation) {
			const turned = rotation !== info.rotation;
			const values = { width: size.width, height: size.height, filmWidth: width, filmHeight: height };
			invalid(id, turned ? phrase('matte-turned', { ...values, rotation }) : phrase('matte-shape', values));
		}
	}
}

function find(mattes: readonly MatteInput[], region: MatteRegion): MatteInput {
	const found = mattes.find(({ id }) => id === region.matte);
	if (!found) throw new EmulsionError('internal', `the plan knows no matte "${region.matte}"`);
	return found;
}

/** The matte's frame for a frame of the film. */
function frameOf({ frames }: MatteInput, source: number): number {
	return frames === 1 ? 0 : source;
}

/** What a frame rendered in a region depends on: the matte's own bytes and which of its frames. */
export function matteKey(mattes: readonly MatteInput[], region: MatteRegion, source: number): KeyPart {
	const matte = find(mattes, region);
	return { matte: matte.fingerprint, frame: frameOf(matte, source), inverted: region.inverted };
}

/** What all frames rendered in a region depend on; undefined for the whole picture. */
export function wholeMatteKey(mattes: readonly MatteInput[], region: string): KeyPart | undefined {
	const parsed = parseRegion(region);
	if (!parsed) return undefined;
	const { fingerprint, frames } = find(mattes, parsed);
	return { matte: fingerprint, frames, inverted: parsed.inverted };
}

/** Readers of mattes for one restore worker. */
export class MattePool {
	readonly #media: MediaClient;
	/** Oldest use first. */
	readonly #readers = new Map<string, SourceReader>();

	constructor(media: MediaClient) {
		this.#media = media;
	}

	/**
	 * One channel, 0 outside … 1 inside, at `size`. `who` keeps consumers apart that read at different places of the film.
	 * The caller owns the picture. Throws what decoding throws, naming the matte.
	 */
	async picture(
		compute: Compute,
		mattes: readonly MatteInput[],
		region: MatteRegion,
		source: number,
		size: Size,
		who: string,
		signal: AbortSignal,
	): Promise<Picture> {
		const matte = find(mattes, region);
		let picture;
		try {
			const reader = this.#reader(matte, who);
			picture = await reader.use(frameOf(matte, source), signal, (planes) => toWorking(compute, planes).picture);
		} catch (thrown) {
			const error = toEmulsionError(thrown);
			if (error.code === 'aborted') throw error;
			throw new EmulsionError(error.code, phrase('about-matte', { id: matte.id, what: error.said }), error.details);
		}
		const own = matteOf(compute, picture, region.inverted);
		picture.release();
		if (own.width === size.width && own.height === size.height) return own;
		const fitted = resize(compute, own, size.width, size.height);
		own.release();
		return fitted;
	}

	/** Ends all reading. */
	async close(): Promise<void> {
		const readers = [...this.#readers.values()];
		this.#readers.clear();
		for (const reader of readers) await reader.close();
	}

	#reader(matte: MatteInput, who: string): SourceReader {
		const slot = `${matte.source}/${who}`;
		const known = this.#readers.get(slot);
		const reader =
			known ??
			new SourceReader({
				open: (range, signal) => this.#media.frames(matte.source, range, signal),
				frames: matte.frames,
				budget: READER_BUDGET,
			});
		this.#readers.delete(slot);
		this.#readers.set(slot, reader);
		for (const [old, idle] of this.#readers) {
			if (this.#readers.size <= READERS) break;
			this.#readers.delete(old);
			// A reader closed under a running render opens its stream again: slower, not wrong.
			void idle.close();
		}
		return reader;
	}
}
