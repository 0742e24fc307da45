/** What the pipeline needs of the media and encode workers; the worker entries make these from message ports. Types only. */

import type { FrameRange, FrameStream, OnProgress } from '../contracts/frames.ts';
import type { AudioRequest, AudioResult, DecodeStats, EncodeConfig, EncodedChunk } from '../contracts/media.ts';
import type { MuxedFile, SequenceSpec, SourceId, TargetSpec } from '../contracts/workers.ts';
import type { TimelineFrame } from '../core/timeline.ts';

/** Decoding. */
export interface MediaClient {
	frames(id: SourceId, range: FrameRange, signal: AbortSignal): FrameStream;
	audio(id: SourceId, request: AudioRequest, signal: AbortSignal): Promise<AudioResult | undefined>;
	/** Removes what `AudioResult.stored` names. */
	dropAudio(stored: string): Promise<void>;
	stats(id: SourceId): Promise<DecodeStats>;
	/** SHA-256 of the whole input. */
	hash(id: SourceId, signal: AbortSignal): Promise<string>;
}

/** Encoding and joining. */
export interface EncodeClient {
	/** Throws `usage` where files of these names are at the target already and must stay. */
	claim(names: readonly string[], target: TargetSpec): Promise<void>;
	open(config: EncodeConfig, sequence?: SequenceSpec): Promise<string>;
	encode(job: string, range: FrameRange, frames: FrameStream, signal: AbortSignal): Promise<EncodedChunk>;
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
	settle(job: string, keep: boolean): Promise<void>;
	close(job: string): Promise<void>;
}
