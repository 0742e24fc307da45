/**
 * The project document, version 3: reels with their sources, mattes, numbering, shots, recipe, versions, marks and view; reviews
 * that were made of them, and the record of what came of those. Plain, immutable,
 * JSON-safe data; everything that changes it is a command (`commands.ts`), everything that reads it from outside goes
 * through `validate.ts`.
 */

import type { Recipe } from '../contracts/recipe.ts';
import type { SourceInfo } from '../contracts/media.ts';
import type { Size, Transfer } from '../core/color.ts';
import type { Rational } from '../core/rational.ts';
import type { Shot } from '../core/shots.ts';
import { parseTimecode } from '../core/timecode.ts';
import { EMPTY_RECIPE } from './recipe.ts';
import type { RecordEntry, ReviewRef } from './review-records.ts';

/** The version this program writes. */
export const PROJECT_VERSION = 3;
/** Marks a file as a project. */
export const PROJECT_KIND = 'emulsion-project';

/** Most reels a project may hold. */
export const MAX_REELS = 64;
/** Most mattes a reel may hold. */
export const MAX_MATTES = 64;
/** Most versions a reel may keep. */
export const MAX_KEPT_VERSIONS = 100;
/** Most shots a reel may hold. */
export const MAX_SHOTS = 100_000;
/** Most frames a reel may hold (a day at 120 frames a second). */
export const MAX_FRAMES = 10_368_000;

/** How the frames of a reel are numbered: `86400` at base 24 is 01:00:00:00. */
export interface ReelNumbering {
	/** Number of the reel's first frame, 0 or more. */
	readonly firstFrame: number;
	/** Frames a timecode second, 1 to 120. */
	readonly base: number;
	/** Drop-frame; only with a base that is a multiple of 30. */
	readonly drop: boolean;
}

/** What a project keeps of a source: enough to recognize it and to ask for it again; never its bytes. */
export interface SourceRef {
	readonly name: string;
	readonly kind: 'file' | 'sequence';
	/** See `SourceInfo.fingerprint`. */
	readonly fingerprint: string;
	readonly bytes: number;
	readonly frames: number;
	readonly size: Size;
	readonly rate: Rational;
	/** Same-origin address it was opened from, absent for files. */
	readonly url?: string;
	/** The restorer's answer for an untagged source. */
	readonly transfer?: Transfer;
}

/** What a project keeps of a matte: a picture for each of the film's frames, or one still for all, that regions may name. */
export interface MatteRef {
	/** What a stage's `region` calls it; see `isMatteId`. */
	readonly id: string;
	/** Of its file, or of the first of its frames. */
	readonly name: string;
	readonly kind: 'file' | 'sequence';
	/** See `SourceInfo.fingerprint`. */
	readonly fingerprint: string;
	/** As many as the film has, or 1. */
	readonly frames: number;
	readonly size: Size;
}

/** In and out points as frame indices of the source; `out` is the frame after the last. Null where not set. */
export interface Marks {
	readonly in: number | null;
	readonly out: number | null;
}

/** What the viewer shows of a reel. Kept with the project, never undone. */
export interface ReelView {
	/** Source frame under the playhead. */
	readonly frame: number;
	readonly mode: 'source' | 'result' | 'wipe';
	/** Wipe position, 0 to 1 from the left. */
	readonly wipe: number;
	/** Canvas pixels a picture pixel, or `fit`. */
	readonly zoom: number | 'fit';
	/** Picture coordinates at the canvas center, 0 to 1. */
	readonly center: { readonly x: number; readonly y: number };
	/** `result`, `provenance`, or `<stage id>/<view>`. */
	readonly view: string;
}

/** A recipe that was kept under a name, to be compared and gone back to. */
export interface RecipeVersion {
	readonly id: string;
	readonly name: string;
	readonly recipe: Recipe;
	/** When it was kept, ms since 1970. */
	readonly keptAt: number;
}

/** One reel: a source and everything decided about it. */
export interface Reel {
	readonly id: string;
	readonly source: SourceRef;
	readonly mattes: readonly MatteRef[];
	readonly numbering: ReelNumbering;
	/** Shots that tile the source; null until they are detected or imported. */
	readonly shots: readonly Shot[] | null;
	readonly recipe: Recipe;
	readonly versions: readonly RecipeVersion[];
	readonly marks: Marks;
	readonly view: ReelView;
}

/** The whole document. */
export interface Project {
	readonly version: typeof PROJECT_VERSION;
	readonly id: string;
	readonly name: string;
	readonly reels: readonly Reel[];
	/** Id of the reel on screen; null where there is none. */
	readonly activeReel: string | null;
	/** Reviews that were made, oldest first. */
	readonly reviews: readonly ReviewRef[];
	/** What came of reviews, oldest first; nothing in it is ever changed. */
	readonly record: readonly RecordEntry[];
}

/** The view a reel starts with. */
export const DEFAULT_VIEW: ReelView = {
	frame: 0,
	mode: 'result',
	wipe: 0.5,
	zoom: 'fit',
	center: { x: 0.5, y: 0.5 },
	view: 'result',
};

/** No in or out point. */
export const NO_MARKS: Marks = { in: null, out: null };

/** A project without reels. */
export function emptyProject(id: string, name: string): Project {
	return { version: PROJECT_VERSION, id, name, reels: [], activeReel: null, reviews: [], record: [] };
}

/** The reference a project keeps of a probed source. */
export function sourceRef(info: SourceInfo, extra: { readonly url?: string; readonly transfer?: Transfer }): SourceRef {
	return {
		name: info.name,
		kind: info.kind,
		fingerprint: info.fingerprint,
		bytes: info.bytes,
		frames: info.frames.length,
		size: info.size,
		rate: info.rate,
		...(extra.url === undefined ? {} : { url: extra.url }),
		...(extra.transfer === undefined ? {} : { transfer: extra.transfer }),
	};
}

/** The reference a project keeps of a probed matte. */
export function matteRef(id: string, { name, kind, fingerprint, frames, size }: SourceInfo): MatteRef {
	return { id, name, kind, fingerprint, frames: frames.length, size };
}

/**
 * Numbering of a freshly opened source: its own timecode where it has one, the numbers in its file names where it is a
 * sequence, else from zero (nothing is guessed; the restorer may set it).
 */
export function numberingOf(info: SourceInfo): ReelNumbering {
	const base = Math.min(120, Math.max(1, Math.ceil(info.rate.num / info.rate.den - 1e-6)));
	if (info.timecode !== undefined) {
		const drop = /[;,]/.test(info.timecode) && base % 30 === 0;
		try {
			return { firstFrame: parseTimecode(info.timecode, { base, drop }), base, drop };
		} catch {
			// A timecode that does not exist at this rate says nothing about the numbering.
		}
	}
	return { firstFrame: info.firstNumber ?? 0, base, drop: false };
}

/** A reel for a freshly opened source. */
export function newReel(id: string, source: SourceRef, numbering: ReelNumbering): Reel {
	return {
		...{ id, source, mattes: [], numbering, shots: null },
		...{ recipe: EMPTY_RECIPE, versions: [], marks: NO_MARKS, view: DEFAULT_VIEW },
	};
}

/** The reel with this id, or undefined. */
export function reelById(project: Project, id: string | null): Reel | undefined {
	return project.reels.find((reel) => reel.id === id);
}

/** Shots of a reel; one that spans it while none are known. */
export function shotsOf(reel: Pick<Reel, 'shots' | 'source'>): readonly Shot[] {
	return reel.shots ?? [{ start: 0, end: reel.source.frames, transitionIn: 'start', source: 'detected' }];
}
