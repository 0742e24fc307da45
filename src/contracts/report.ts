/** The report of an export. Types only; every figure is measured during the run. */

import type { Phrase, Spoken, Text } from '../core/phrases.ts';
import type { ProvenanceShares } from '../core/provenance.ts';
import type { BackendInfo } from './compute.ts';
import type { ModelUse } from './models.ts';

/** One proven statement about the written file. */
export interface InvariantResult {
	/** `frame-count`, `timestamps`, `duration`, `av-offset`; from the terminal also `bytes-on-disk`. */
	readonly name: string;
	readonly ok: boolean;
	readonly expected: Text;
	readonly found: Text;
}

/** Seconds spent in one stage, over all frames. */
export interface StageTime {
	readonly id: string;
	readonly stage: string;
	readonly frames: number;
	readonly computeSeconds: number;
	readonly uploadSeconds: number;
	readonly readbackSeconds: number;
}

/** Provenance of the whole output: the shares of its frames added up, so that together they are its frames. */
export interface ProvenanceSummary extends ProvenanceShares {
	/** Frames whose source planes were copied unconverted. */
	readonly copiedFrames: number;
}

/** What a stage found of a shot. */
export interface Finding {
	/** Recipe entry. */
	readonly stage: string;
	/** Index of the shot, from 0. */
	readonly shot: number;
	readonly said: Phrase;
}

/** Numbered files that are one film. */
export interface SequenceFiles {
	/** Folder they lie in, without those above it; null where it has no name (a download). */
	readonly folder: string | null;
	/** Their names, with `%06d` (or `%d`, where numbers have no leading zeros) for the number. */
	readonly pattern: string;
	/** Number of the first file and of the last; between them there may be gaps. */
	readonly first: number;
	readonly last: number;
}

/** What a run did, its sentences as data. Times of day appear nowhere. */
export interface ExportReport {
	readonly version: 1;
	readonly app: string;
	readonly input: {
		readonly name: string;
		readonly bytes: number;
		readonly sha256: string;
		readonly engine: string;
		readonly engineReason: Text;
		readonly frames: number;
		readonly duration: string;
		readonly timebase: string;
		readonly avOffset: string | null;
		/** framemd5 of the planes read, one a frame, in order. */
		readonly frameMd5: readonly string[];
		readonly notices: readonly string[];
	};
	readonly output: {
		/** File name; of a sequence folder, pattern and numbers (`reel1/frame_%06d.dpx 86400–86447`). */
		readonly name: string;
		/** Null where one file was written. */
		readonly sequence: SequenceFiles | null;
		readonly container: string;
		readonly codec: string;
		readonly format: Phrase;
		readonly bytes: number;
		/** Of the file; of a sequence: of the list that `sha256sum` prints for all its files, in the order of their numbers. */
		readonly sha256: string;
		readonly frames: number;
		readonly duration: string;
		readonly timebase: string;
		readonly avOffset: string | null;
		readonly frameMd5: readonly string[];
		/** Codec, and whether its packets were copied; null without sound. */
		readonly audio: Phrase | null;
		/** Conversions applied on the way out (chroma resampling with its measured error, padding of odd sizes, dithering). */
		readonly conversions: readonly Phrase[];
	};
	readonly backend: BackendInfo;
	readonly models: readonly ModelUse[];
	readonly seconds: {
		readonly total: number;
		readonly decode: number;
		readonly encode: number;
		readonly cache: number;
		readonly stages: readonly StageTime[];
	};
	readonly peakMemoryBytes: number;
	readonly provenance: ProvenanceSummary;
	readonly invariants: readonly InvariantResult[];
	readonly chunks: { readonly total: number; readonly resumed: number };
	/** What stages found of the shots, in order. */
	readonly findings: readonly Finding[];
	readonly recipe: unknown;
	/** Mattes that the recipe's regions could name, with what identifies their files. */
	readonly mattes: readonly { readonly id: string; readonly frames: number; readonly fingerprint: string }[];
}

/** `report.json`: the report with its sentences in English (`spoken` in `src/core/phrases.ts`). */
export type ReportFile = Spoken<ExportReport>;
