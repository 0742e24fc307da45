/** What rendering a review's clips works with: the engine, the place of the files, the count of frames. */

import type { FrameRange } from '../../contracts/frames.ts';
import type { ClipProgress, ClipSettings } from '../../contracts/review.ts';
import type { PlanRequest, TargetSpec } from '../../contracts/workers.ts';
import type { Engine } from '../engine.ts';

/** Names of a review's files begin so: their exports are nobody's to go on with but the review's. */
const PREFIX = '~review-';

/** Name of a clip's or picture's file. */
export function reviewFile(shot: number, version: number, rest: string): string {
	return `${PREFIX}${shot}-${version}${rest}`;
}

/** True for names that {@link reviewFile} gives. */
export function isReviewFile(name: string): boolean {
	return name.startsWith(PREFIX);
}

/** What rendering asks of the engine. */
export type ClipEngine = Pick<
	Engine,
	'plan' | 'export' | 'still' | 'open' | 'close' | 'measure' | 'codecLoss' | 'cropPlace'
>;

/** Where clips and stills go. */
export interface ClipPlace {
	/** Target of a clip's export. */
	target(file: string): TargetSpec;
	/** A file was exported to {@link target}. */
	written(file: string, bytes: number): void;
	/** Gives back what was exported. */
	read(file: string): Promise<Blob>;
	/** Keeps a picture. */
	put(file: string, blob: Blob): Promise<void>;
}

/** A version's request for one shot. */
export type ShotRequest = PlanRequest & { readonly range: FrameRange };

/** Counts frames of all clips and stills, and says how long the rest will take by those that are done. */
export class Meter {
	readonly #tell: (progress: ClipProgress) => void;
	readonly #started = performance.now();
	readonly #total: number;
	#before = 0;

	constructor(total: number, tell: (progress: ClipProgress) => void) {
		this.#total = total;
		this.#tell = tell;
	}

	at(phase: ClipProgress['phase'], shot: number, version: number, done: number): void {
		const all = Math.min(this.#total, this.#before + done);
		const seconds = (performance.now() - this.#started) / 1000;
		const remainingSeconds = all > 0 && seconds > 1 ? (seconds / all) * (this.#total - all) : null;
		this.#tell({ phase, shot, version, done: all, total: this.#total, remainingSeconds });
	}

	finish(frames: number): void {
		this.#before += frames;
	}
}

/** What rendering works with. */
export interface Work {
	readonly engine: ClipEngine;
	readonly settings: ClipSettings;
	/** Bits a sample of every lossless picture: one for all versions, as a depth of its own would tell a version by its files. */
	readonly depth: 8 | 16;
	readonly place: ClipPlace;
	readonly meter: Meter;
	readonly signal: AbortSignal;
}
