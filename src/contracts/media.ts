/**
 * Media: one interface, several engines (ffmpeg.wasm, WebCodecs, scans). A source is probed once, then gives planes and
 * audio by range; a writer takes planes and gives a file whose time was checked. Types only.
 */

import type { ColorTags, FieldOrder, PixelFormat, Size, Transfer } from '../core/color.ts';
import type { Phrase, Text } from '../core/phrases.ts';
import type { Rational } from '../core/rational.ts';
import type { Rotation } from '../core/rotation.ts';
import type { TimelineFrame } from '../core/timeline.ts';
import type { FrameRange, FrameStream, OnProgress, PlanarFrame } from './frames.ts';

/** Which engine decodes. `scans` is an image sequence. */
export type DecodeEngine = 'ffmpeg' | 'webcodecs' | 'scans';

/** A file as the tab has it: a File (which WORKERFS reads without copying), with its relative path for sequences. */
export interface InputFile {
	/** Path relative to the chosen folder, or the bare name. */
	readonly path: string;
	readonly file: File;
}

/** Something the restorer opened. */
export interface SourceInput {
	/** One entry for a film file; many for a sequence. */
	readonly files: readonly InputFile[];
	readonly kind: 'file' | 'sequence';
	/** `%06d` pattern that restricts and orders a sequence; absent: natural order of all images found. */
	readonly pattern?: string;
	/** Rate of a sequence in frames a second; default 24/1. */
	readonly rate?: Rational;
	/** The restorer's answer where the source is untagged; overrides nothing that is tagged. */
	readonly transfer?: Transfer;
	/** Forces an engine (tests, benches). */
	readonly engine?: DecodeEngine;
}

/** Something about a source that a restorer should know before work starts. */
export interface SourceNotice {
	readonly severity: 'info' | 'warning' | 'error';
	/** Machine-readable kind, e.g. `vfr`, `rotation`, `missing-frames`, `truncated-frame`, `odd-size`, `edit-list`, `untagged-transfer`. */
	readonly kind: string;
	/** English sentence with the figures. */
	readonly message: string;
	/** The same sentence as data, to be said in the reader's language; absent where it is another program's own. */
	readonly phrase?: Phrase;
	readonly frame?: number;
	readonly path?: string;
}

/** One frame of the packet index, in presentation order. */
export interface IndexedFrame {
	readonly pts: Rational;
	readonly duration: Rational;
	readonly keyframe: boolean;
}

/** One audio track. */
export interface AudioTrackInfo {
	/** Stream index in the container. */
	readonly stream: number;
	readonly codec: string;
	readonly sampleRate: number;
	readonly channels: number;
	readonly language?: string;
	/** Start in seconds on the source's clock, edit lists and priming applied. */
	readonly start: Rational;
	readonly duration?: Rational;
}

/** All that probing found. Structured-clone safe. */
export interface SourceInfo {
	readonly name: string;
	readonly kind: 'file' | 'sequence';
	/** Container's short name (`mov`, `matroska`, `mxf`, `avi`, `dpx`…). */
	readonly container: string;
	readonly codec: string;
	readonly profile?: string;
	/** Bytes of the file, or of all frames of a sequence. */
	readonly bytes: number;
	/** Coded size in pixels, before rotation. */
	readonly size: Size;
	/** Clockwise rotation to display upright. */
	readonly rotation: Rotation;
	/** Sample (pixel) aspect ratio. */
	readonly sampleAspect: Rational;
	readonly format: PixelFormat;
	readonly color: ColorTags;
	readonly fields: FieldOrder;
	/** Seconds a tick of the video stream. */
	readonly timebase: Rational;
	/** Nominal rate; equal to the measured one when `constantRate`. */
	readonly rate: Rational;
	readonly constantRate: boolean;
	/** Every presented frame, in order: the packet index. */
	readonly frames: readonly IndexedFrame[];
	readonly audio: readonly AudioTrackInfo[];
	/** First video PTS minus first audio PTS in seconds, where there is audio. */
	readonly avOffset?: Rational;
	/** Timecode of the first frame (`01:00:00:00`, `;` before frames for drop-frame). */
	readonly timecode?: string;
	/** SHA-256 of the first and last MiB and the length: recognizes the source when a project is reopened. */
	readonly fingerprint: string;
	readonly notices: readonly SourceNotice[];
	/** The engine that will decode, and why. */
	readonly engine: DecodeEngine;
	readonly engineReason: Text;
	/** File names of a sequence, one a frame (gaps have none and no frame). */
	readonly names?: readonly string[];
	/** Reel numbering of a sequence: number in the name of the first frame. */
	readonly firstNumber?: number;
}

/** An open source. Close it: engines hold workers and file handles. */
export interface MediaSource {
	readonly info: SourceInfo;
	/**
	 * Frames `range.start` ≤ index < `range.end` in presentation order. Pulling drives the decoder (bounded read-ahead);
	 * returning early stops it. Throws `input-truncated` with the frame's index where data ends too soon.
	 */
	frames(range: FrameRange, signal: AbortSignal): FrameStream;
	/**
	 * Bytes of one audio track remuxed or transcoded into a file that a muxer takes as is; see {@link AudioRequest}.
	 * Undefined where the source has no such track.
	 */
	audio(request: AudioRequest, signal: AbortSignal): Promise<AudioResult | undefined>;
	/**
	 * Takes back the buffer of a frame whose reader has finished with it; a later frame may come in it. Never a duty: engines
	 * that cannot use buffers again have no such method, and what is not given back is collected.
	 */
	recycle?(data: ArrayBuffer): void;
	/** Counters for the report. */
	stats(): DecodeStats;
	close(): Promise<void>;
}

/** What to do with audio whose timeline was stretched. */
export type StretchMode = 'keep-pitch' | 'resample' | 'drop';

/** How the audio of an export is made. */
export interface AudioRequest {
	/** Stream index; default the first track. */
	readonly stream?: number;
	/** Target container; decides copy against transcode. */
	readonly container: ContainerId;
	/** Part of the source's clock to take, in seconds. */
	readonly from: Rational;
	readonly to: Rational;
	/** First picture on the source's clock, in seconds; later than `from` where sound before it is kept. */
	readonly picture: Rational;
	/** Output duration ÷ source duration; 1 where time is untouched. */
	readonly stretch: Rational;
	readonly stretchMode?: StretchMode;
}

/** Audio ready for the muxer: a packet file (`src/media/mux/packets.ts`) and what was done. */
export interface AudioResult {
	readonly file: Blob;
	/** Where the bytes rest on the disk: to be dropped by this name (`MediaWorkerApi.dropAudio`) when the file is written. */
	readonly stored?: string;
	readonly codec: string;
	readonly copied: boolean;
	/** First presented sample minus first picture, in seconds of the output; negative where the sound starts before it. */
	readonly offset: Rational;
	readonly duration: Rational;
	readonly sampleRate: number;
}

/** A span of sound to listen to, in samples of the listener's rate. */
export interface SoundRequest {
	/** Samples a second that the listener plays. */
	readonly sampleRate: number;
	/** First sample: seconds on the source's clock × `sampleRate`; may be negative. */
	readonly first: number;
	/** Samples; at most a minute of them. */
	readonly count: number;
}

/** The samples asked for, −1 … 1: other channels are mixed into two. */
export interface SoundSpan {
	readonly left: Float32Array<ArrayBuffer>;
	readonly right: Float32Array<ArrayBuffer>;
}

/** Where decode time went. */
export interface DecodeStats {
	readonly frames: number;
	readonly seconds: number;
	readonly engine: DecodeEngine;
}

/** Containers that can be written. */
export type ContainerId = 'mp4' | 'webm' | 'mov' | 'mkv' | 'png' | 'tiff' | 'dpx' | 'exr';
/** Video codecs that can be written. */
export type EncodeCodec =
	'h264' | 'av1' | 'vp9' | 'prores-422hq' | 'prores-4444' | 'ffv1' | 'png' | 'tiff' | 'dpx' | 'exr';

/** Settings of an encode; everything a resumed export has to find unchanged. */
export interface EncodeConfig {
	readonly container: ContainerId;
	readonly codec: EncodeCodec;
	/** `software` (ffmpeg.wasm, reproducible bytes) or `webcodecs`. */
	readonly engine: 'software' | 'webcodecs';
	/** Planes the encoder takes. */
	readonly format: PixelFormat;
	readonly size: Size;
	readonly color: ColorTags;
	readonly fields: FieldOrder;
	readonly sampleAspect: Rational;
	readonly rotation: Rotation;
	readonly timebase: Rational;
	/** Nominal rate. */
	readonly rate: Rational;
	/** Constant quality, codec's own scale (x264 crf; VP9/AV1 quantizer); ignored by lossless and ProRes. */
	readonly quality?: number;
	/** Most frames from one keyframe to the next; absent: the codec's usual distance. */
	readonly keyframes?: number;
	readonly timecode?: string;
}

/** One encoded chunk: the packets of a fresh encoder that starts on a keyframe, or the files of a sequence's frames. */
export interface EncodedChunk {
	readonly range: FrameRange;
	/** The chunk's packets (`src/media/mux/packets.ts`); empty for sequences, see `files`. */
	readonly data: Blob;
	/** Sequences only: one file a frame. */
	readonly files?: readonly { readonly name: string; readonly data: Blob }[];
	/** MD5 of each frame's planes as handed to the encoder, in order. */
	readonly frameMd5: readonly string[];
	readonly seconds: number;
}

/** Encodes the frames of one chunk. */
export interface ChunkEncoder {
	/**
	 * Frames are consumed in order; exactly `range.end − range.start` of them. The encoder's queue is bounded. It is done with a
	 * frame's buffer when it asks for the next one.
	 */
	encode(frames: FrameStream, range: FrameRange, signal: AbortSignal): Promise<EncodedChunk>;
	close(): Promise<void>;
}

/** Where bytes go: a download, a file handle, OPFS, or the terminal's same-origin writer. Writes are ordered, append only unless `at` is given. */
export interface ByteSink {
	write(data: Uint8Array<ArrayBuffer>, at?: number): Promise<void>;
	/** Flushes and publishes the file under its name. */
	close(): Promise<void>;
	/** Removes what was written. */
	abort(): Promise<void>;
}

/** A folder to write a sequence into, or the parent of a single file. */
export interface OutputTarget {
	/** Opens a file for writing; the bytes appear under `name` only after `close()`. */
	create(name: string): Promise<ByteSink>;
	/** What is already there under that name, if it can be read (resume; verification). */
	read(name: string): Promise<Blob | undefined>;
}

/** Joins chunks and audio into the container, with exact timestamps from the plan; no clock, no random ids. */
export type MuxFile = (
	config: EncodeConfig,
	chunks: readonly EncodedChunk[],
	timeline: readonly TimelineFrame[],
	audio: AudioResult | undefined,
	sink: ByteSink,
	onProgress: OnProgress,
	signal: AbortSignal,
) => Promise<{ readonly bytes: number; readonly sha256: string }>;

/** What re-reading a written file found; compared with the plan. */
export interface WrittenFileInfo {
	readonly frames: number;
	readonly pts: readonly Rational[];
	readonly duration: Rational;
	readonly avOffset?: Rational;
}

/** A planar frame with nothing decoded: used where only the clock matters. */
export type FrameClock = Pick<PlanarFrame, 'pts' | 'duration' | 'index'>;
