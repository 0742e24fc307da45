/**
 * What the editor needs of the engine: the worker interfaces as the main thread sees them, plus the restart of a crashed
 * worker. The composition root hands in `src/services/engine.ts`; nothing in state or ui knows about workers.
 */

import type { BackendInfo } from '../contracts/compute.ts';
import type { FrameRange, OnProgress } from '../contracts/frames.ts';
import type { SoundRequest, SoundSpan, SourceInfo, SourceInput } from '../contracts/media.ts';
import type { CodecLossRequest, MeasureRequest } from '../contracts/quality.ts';
import type { ExportReport } from '../contracts/report.ts';
import type {
	BackendWish,
	ExportProgress,
	ExportRequest,
	PlanRequest,
	PlanSummary,
	SourceId,
	ViewResult,
	ViewState,
} from '../contracts/workers.ts';
import type { Size } from '../core/color.ts';
import type { ClipMetrics, CodecLoss, CropChoice } from '../core/quality.ts';
import type { Shot } from '../core/shots.ts';

/** An export that was interrupted and can go on. */
export interface InterruptedJob {
	readonly id: string;
	readonly name: string;
	readonly done: number;
	readonly total: number;
}

/** Pixels of one frame: interleaved R′G′B′, 0…1. */
export interface StillPicture {
	readonly size: Size;
	readonly rgb: Float32Array<ArrayBuffer>;
}

/** See the file's comment. Every rejection is an `EmulsionError`. */
export interface EnginePort {
	/** Starts workers and backend; throws `backend-unavailable`. */
	start(wish: BackendWish): Promise<BackendInfo>;
	open(
		input: SourceInput,
		onProgress: OnProgress,
		signal: AbortSignal,
	): Promise<{ readonly id: SourceId; readonly info: SourceInfo }>;
	close(id: SourceId): Promise<void>;
	/** A span of the source's sound; undefined where it has none. */
	sound(id: SourceId, request: SoundRequest, signal: AbortSignal): Promise<SoundSpan | undefined>;
	shots(id: SourceId, info: SourceInfo, onProgress: OnProgress, signal: AbortSignal): Promise<readonly Shot[]>;
	/** Hands the viewer's canvas over; once for each life of the restore worker. */
	attachCanvas(canvas: OffscreenCanvas): Promise<void>;
	/** Plans; stages whose timeline depends on the pictures are analyzed first, which may take long. */
	plan(request: PlanRequest, onProgress: (progress: ExportProgress) => void, signal: AbortSignal): Promise<PlanSummary>;
	view(request: PlanRequest, state: ViewState, signal: AbortSignal): Promise<ViewResult>;
	render(
		request: PlanRequest,
		range: FrameRange,
		onProgress: (progress: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<void>;
	export(
		request: ExportRequest,
		onProgress: (progress: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<ExportReport>;
	/** See `AnalyzeWorkerApi`. */
	measure(request: MeasureRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ClipMetrics>;
	codecLoss(request: CodecLossRequest, onProgress: OnProgress, signal: AbortSignal): Promise<CodecLoss>;
	cropPlace(
		versions: readonly { readonly source: SourceId; readonly start: number }[],
		signal: AbortSignal,
	): Promise<CropChoice>;
	interrupted(): Promise<readonly InterruptedJob[]>;
	discard(job: string): Promise<void>;
	still(request: PlanRequest, frame: number, view: string, signal: AbortSignal): Promise<StillPicture>;
	/** Calls back with the name of a worker that was replaced; `restore` wants a new canvas. Returns the removal. */
	onRestart(listener: (worker: string) => void): () => void;
}
