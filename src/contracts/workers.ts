/**
 * The worker interfaces, as comlink exposes them. Every long call takes an AbortSignal (a comlink transfer handler carries
 * it) and reports progress through a proxied callback; errors arrive as `EmulsionError`. Types only.
 *
 * Who talks to whom: the main thread makes the workers and gives the restore worker a MessagePort to each of the others;
 * frames then travel media → restore → encode without touching the main thread.
 */

import type { Size } from '../core/color.ts';
import type { Phrase } from '../core/phrases.ts';
import type { ProvenanceShares } from '../core/provenance.ts';
import type { ClipMetrics, CodecLoss, CropChoice } from '../core/quality.ts';
import type { Rational } from '../core/rational.ts';
import type { Shot } from '../core/shots.ts';
import type { FrameOrigin, Timeline, TimelineFrame } from '../core/timeline.ts';
import type { BackendInfo } from './compute.ts';
import type { FrameRange, OnProgress } from './frames.ts';
import type {
	AudioRequest,
	AudioResult,
	ContainerId,
	DecodeStats,
	EncodeCodec,
	EncodeConfig,
	EncodedChunk,
	SoundRequest,
	SoundSpan,
	SourceInfo,
	SourceInput,
	StretchMode,
} from './media.ts';
import type { CodecLossRequest, MeasureRequest } from './quality.ts';
import type { Recipe } from './recipe.ts';
import type { ExportReport } from './report.ts';

/** Handle of an open source, unique in the media worker. */
export type SourceId = string;

/** Decodes. One instance holds all open sources. */
export interface MediaWorkerApi {
	/** Connects a further client (the restore or the analyze worker) on a port. */
	connect(port: MessagePort): void;
	/** Opens a source, under the given id where a source is opened again in a new worker. */
	open(
		input: SourceInput,
		onProgress: OnProgress,
		signal: AbortSignal,
		id?: SourceId,
	): Promise<{ id: SourceId; info: SourceInfo }>;
	/** Streams frames over `port` with credit-based back-pressure (see `src/comms/frame-port.ts`). */
	stream(id: SourceId, range: FrameRange, port: MessagePort, signal: AbortSignal): Promise<void>;
	audio(id: SourceId, request: AudioRequest, signal: AbortSignal): Promise<AudioResult | undefined>;
	/** Removes what `AudioResult.stored` names; its file cannot be read any more. */
	dropAudio(stored: string): Promise<void>;
	/** Decodes a span of the first audio track for listening; undefined where the source has none. */
	sound(id: SourceId, request: SoundRequest, signal: AbortSignal): Promise<SoundSpan | undefined>;
	stats(id: SourceId): Promise<DecodeStats>;
	/** SHA-256 of the whole input (for the report), read as a stream. */
	hash(id: SourceId, signal: AbortSignal): Promise<string>;
	close(id: SourceId): Promise<void>;
}

/** The shots of a part of a film, exactly as in the whole film's list. */
export interface ShotsAround {
	/** Tiles the film; what lies outside of `known` is one shot before and one after it, marked `unseen`. */
	readonly shots: readonly Shot[];
	/** The whole shots that hold the part. */
	readonly known: FrameRange;
	/** Frames that were decoded and looked at; those looked at twice count twice. */
	readonly looked: number;
}

/** Looks at frames without a GPU or a model. */
export interface AnalyzeWorkerApi {
	connectMedia(port: MessagePort): void;
	shots(source: SourceId, frames: number, onProgress: OnProgress, signal: AbortSignal): Promise<readonly Shot[]>;
	/** Looks only as far around `part` as the bounds of its shots lie; the total of its progress is what is left at least. */
	shotsAround(
		source: SourceId,
		frames: number,
		part: FrameRange,
		onProgress: OnProgress,
		signal: AbortSignal,
	): Promise<ShotsAround>;
	/** Measures a part of an open source, mostly one shot of a version, for the automatic judge; phase `quality`. */
	measure(request: MeasureRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ClipMetrics>;
	/** How much of the grain an encoded clip keeps; phase `codec-loss`. */
	codecLoss(request: CodecLossRequest, onProgress: OnProgress, signal: AbortSignal): Promise<CodecLoss>;
	/** Where a lossless crop shows the grain best: two neighboring frames of each version, the same two moments. */
	cropPlace(
		versions: readonly { readonly source: SourceId; readonly start: number }[],
		signal: AbortSignal,
	): Promise<CropChoice>;
}

/** Where the frames of an image sequence go, and under which names. */
export interface SequenceSpec {
	/** One a frame of the final timeline. */
	readonly names: readonly string[];
	readonly target: TargetSpec;
}

/** Encodes chunks and joins them. */
export interface EncodeWorkerApi {
	connect(port: MessagePort): void;
	/** Throws `usage` where files of these names are at the target already and must stay; other targets answer at once. */
	claim(names: readonly string[], target: TargetSpec): Promise<void>;
	/**
	 * Opens an encode job; refuses with `unsupported-format` what the codec cannot hold. An image sequence needs the file
	 * names, one an output frame, and where finished frames go at once.
	 */
	open(config: EncodeConfig, sequence?: SequenceSpec): Promise<string>;
	encode(job: string, range: FrameRange, port: MessagePort, signal: AbortSignal): Promise<EncodedChunk>;
	/** Joins chunks and audio and writes them to the target's file `name`; then re-reads it. */
	mux(
		job: string,
		chunks: readonly EncodedChunk[],
		timeline: readonly TimelineFrame[],
		audio: AudioResult | undefined,
		target: TargetSpec,
		name: string,
		onProgress: OnProgress,
		signal: AbortSignal,
	): Promise<MuxedFile>;
	/** Publishes (`keep`) or removes a file that `mux` wrote, after the invariants were checked. */
	settle(job: string, keep: boolean): Promise<void>;
	close(job: string): Promise<void>;
}

/** What `mux` wrote and what re-reading it found. */
export interface MuxedFile {
	readonly bytes: number;
	readonly sha256: string;
	readonly frames: number;
	/** PTS of every frame in the written file, seconds from its first video frame. */
	readonly pts: readonly Rational[];
	/** Of the video track, in seconds. */
	readonly duration: Rational;
	/** Resolution of the file's clock in seconds: times are rounded to it (MP4 and MOV hold the plan's exactly). */
	readonly tick: Rational;
	/** First audio sample minus first video frame, in seconds, as a player presents them. */
	readonly audioStart?: Rational;
	readonly audioDuration?: Rational;
}

/** Where output goes. Handles and ports are transferable to the encode worker. */
export type TargetSpec =
	/** A folder the restorer chose (File System Access). */
	| { readonly kind: 'directory'; readonly handle: FileSystemDirectoryHandle }
	/** A file the restorer chose. */
	| { readonly kind: 'file'; readonly handle: FileSystemFileHandle }
	/** The origin's private file system, to be downloaded from there. */
	| { readonly kind: 'opfs'; readonly folder: string }
	/** Ordered same-origin writes, authorized by a one-run token (the terminal): PUT/POST under this base URL. */
	| {
			readonly kind: 'http';
			readonly base: string;
			readonly token: string;
			/** Name of the folder that the files go to, for the report. */
			readonly folder?: string;
	  };

/** A matte: an open source whose pictures say where a stage acts. */
export interface MatteInput {
	/** What a recipe's `region` calls it. */
	readonly id: string;
	readonly source: SourceId;
	/** As many as the film has, or 1: a still for all of it. */
	readonly frames: number;
	readonly size: Size;
	readonly rotation: SourceInfo['rotation'];
	/** Of the matte's own file. */
	readonly fingerprint: string;
}

/** What is to be rendered: everything a plan depends on. Structured-clone safe. */
export interface PlanRequest {
	readonly source: SourceId;
	readonly info: SourceInfo;
	/** Of the whole film; with a `range`, shots outside of it may be `unseen`. */
	readonly shots: readonly Shot[];
	readonly recipe: Recipe;
	/** Part of the source to take; default all. */
	readonly range?: FrameRange;
	/** What regions may name; default none. */
	readonly mattes?: readonly MatteInput[];
}

/** Name of a request that the restore worker was told; valid for one life of that worker. */
export type PlanId = string;

/** A request without what is known of its source. */
export type PlanParts = Omit<PlanRequest, 'info'>;

/** A plan, as the UI and the terminal show it before work starts. */
export interface PlanSummary {
	readonly size: Size;
	readonly sampleAspect: Rational;
	readonly timeline: Timeline;
	readonly rate: Rational;
	/** Order conflicts and other advice (`degrain after interpolate defeats …`). */
	readonly warnings: readonly Phrase[];
	/** Output ÷ source duration. */
	readonly stretch: Rational;
	/** Frames whose source planes will be copied. */
	readonly untouched: number;
}

/** What the viewer shows. */
export interface ViewState {
	/** Index in the *final* timeline. */
	readonly frame: number;
	readonly mode: 'source' | 'result' | 'wipe';
	/** Wipe position, 0 (all result) … 1 (all source), from the left. */
	readonly wipe: number;
	/** Canvas pixels a picture pixel; `fit` scales to the canvas. */
	readonly zoom: number | 'fit';
	/** Picture coordinates at the canvas center, 0…1. */
	readonly center: { readonly x: number; readonly y: number };
	/** `result`, or `<stage id>/<view>` such as `degrain-0/residual`, or `provenance`. */
	readonly view: string;
	/** Canvas size in device pixels. */
	readonly canvas: Size;
}

/** What was drawn. */
export interface ViewResult {
	readonly frame: number;
	/** Source frame shown beside or under it. */
	readonly sourceFrame: number;
	/** What the frame is on the timeline: original, repeated, created. What its pixels are is `provenance`'s to say. */
	readonly origin: FrameOrigin;
	/** Of the result at this frame; absent where the source alone or a stage's own view was drawn. */
	readonly provenance?: ProvenanceShares;
	/** Values that stand for `"auto"` at this frame, by recipe entry and parameter: those that were measured already. */
	readonly resolved?: Readonly<Record<string, Readonly<Record<string, number | undefined>>>>;
	/** What stages found of this frame's shot, by recipe entry: of shots that were looked at already. */
	readonly findings?: Readonly<Record<string, Phrase>>;
	readonly rendered: boolean;
	readonly seconds: number;
	/** Picture size of the result. */
	readonly size: Size;
}

/** Export settings from the dialog or the terminal. Absent fields follow the source. */
export interface ExportRequest extends PlanRequest {
	readonly container: ContainerId;
	readonly codec?: EncodeCodec;
	readonly engine?: 'software' | 'webcodecs';
	/** Bits a sample; default the source's where the codec holds it. */
	readonly depth?: number;
	readonly chroma?: '420' | '422' | '444' | 'rgb' | 'gray';
	readonly quality?: number;
	/** Most frames from one keyframe to the next; default by codec. Codecs whose frames stand alone ignore it. */
	readonly keyframes?: number;
	/** `none` writes no timecode; default the source's, where the container has a place for it. */
	readonly timecode?: 'none';
	/** `none` drops audio; default the first track. */
	readonly audio?: number | 'none';
	readonly stretchMode?: StretchMode;
	readonly target: TargetSpec;
	/** File name, or name pattern of a sequence; default made from the source's. */
	readonly name: string;
	/** Most frames a chunk (what an interruption can cost); default by what a frame costs and weighs. Part of the plan. */
	readonly chunkFrames?: number;
	/** Resumes this job id if it was interrupted; a changed plan starts anew with `plan-changed` in the notices. */
	readonly resume?: string;
}

/** What an export adds to its plan. */
export type ExportSettings = Omit<ExportRequest, keyof PlanRequest>;

/** Progress of an export. */
export interface ExportProgress {
	readonly phase: 'plan' | 'analyze' | 'render' | 'mux' | 'verify';
	readonly done: number;
	readonly total: number;
	readonly framesPerSecond: number;
	readonly remainingSeconds: number | null;
}

/** Backend wish. `auto` never takes a software adapter. */
export type BackendWish = 'auto' | 'webgpu' | 'wasm';

/** The one owner of device and models; plans, renders, previews, exports. */
export interface RestoreWorkerApi {
	/** Makes the backend. Throws `backend-unavailable` when the wish cannot be met. */
	init(options: {
		readonly backend: BackendWish;
		readonly memoryBudget?: number;
		readonly modelBase: string;
		readonly threads?: number;
	}): Promise<BackendInfo>;
	connectMedia(port: MessagePort): void;
	connectEncode(port: MessagePort): void;
	/** Takes the viewer's canvas; a restarted worker gets a new one. */
	attachCanvas(canvas: OffscreenCanvas): void | Promise<void>;
	/** Reports model runs and what they may take (`src/comms/watch.ts`), so that the owner can end a worker that hangs. */
	watch(port: MessagePort): void;
	/** Remembers a source, packet index and all, for the requests to come; `undefined` forgets it. */
	know(source: SourceId, info: SourceInfo | undefined): void;
	/**
	 * Remembers a request of a known source under a name that later calls carry: cloning a long film's shots, names and index
	 * with every preview would cost more than the preview. Calls with a name that was never told throw `internal`.
	 */
	remember(plan: PlanId, parts: PlanParts): void;
	/** Forgets a request; what runs on it goes on. */
	forget(plan: PlanId): void;
	/**
	 * Makes the models that a recipe names ready (session, canary), until a render or an export begins. Never throws for a model:
	 * who runs it does.
	 */
	warm(recipe: Recipe): Promise<void>;
	/** Plans; where a stage's timeline depends on the pictures the source is surveyed, which takes as long as decoding it. */
	plan(plan: PlanId, onProgress?: (p: ExportProgress) => void, signal?: AbortSignal): Promise<PlanSummary>;
	/** Draws; a newer call supersedes one still running (which then resolves with `rendered: false`). */
	view(plan: PlanId, state: ViewState, signal: AbortSignal): Promise<ViewResult>;
	/** Renders a range of the final timeline into the frame store. */
	render(plan: PlanId, range: FrameRange, onProgress: (p: ExportProgress) => void, signal: AbortSignal): Promise<void>;
	/** Renders, encodes, muxes, proves the invariants. Pausing errors (`quota-exceeded`) keep finished chunks. */
	export(
		plan: PlanId,
		settings: ExportSettings,
		onProgress: (p: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<ExportReport>;
	/** Jobs that were interrupted and can go on. */
	interrupted(): Promise<
		readonly { readonly id: string; readonly name: string; readonly done: number; readonly total: number }[]
	>;
	discard(job: string): Promise<void>;
	/** Interleaved R′G′B′ floats (source-referred, unclamped) of one rendered frame, for tests, thumbnails and stills. */
	still(
		plan: PlanId,
		frame: number,
		view: string,
		signal: AbortSignal,
	): Promise<{ readonly size: Size; readonly rgb: Float32Array<ArrayBuffer> }>;
	/** Counters for the badge and the tests. */
	status(): Promise<{
		readonly backend: BackendInfo;
		readonly bytesInUse: number;
		readonly peakBytes: number;
		readonly readbacks: number;
		/** Devices lost and replaced so far. */
		readonly recovered: number;
		/** Flows computed so far (found ones do not count). */
		readonly flows: number;
	}>;
	/** Loses the device on purpose (tests of recovery). */
	loseDevice(): Promise<void>;
}
