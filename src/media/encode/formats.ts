/**
 * What each container and codec can hold, as found by trying (FFmpeg 5.1 in wasm: libx264, prores_ks, ffv1; Chromium's
 * WebCodecs). `choose.ts` picks from it.
 */

import type { ChromaLayout, FieldOrder, PixelFormat, SampleType, Size } from '../../core/color.ts';
import { chromaShift } from '../../core/color.ts';
import type { ContainerId, EncodeCodec, EncodeConfig } from '../../contracts/media.ts';

/** Which encoder runs. */
export type EncodeEngine = EncodeConfig['engine'];

/** A pixel format by layout and depth. */
export function pixelFormat(chroma: ChromaLayout, depth: number, alpha = false): PixelFormat {
	const sample: SampleType = depth === 32 ? 'f32' : depth > 8 ? 'u16' : 'u8';
	return { chroma, depth, sample, alpha };
}

function grid(chromas: readonly ChromaLayout[], depths: readonly number[], alpha = false): PixelFormat[] {
	return chromas.flatMap((chroma) => depths.map((depth) => pixelFormat(chroma, depth, alpha)));
}

/** One codec of the table. */
export interface CodecRow {
	/** For people. */
	readonly label: string;
	/** Engines in order of preference. */
	readonly engines: readonly EncodeEngine[];
	/** Planes it takes, by engine where they differ. */
	readonly formats: (engine: EncodeEngine) => readonly PixelFormat[];
	/** Planes it takes besides from sources that have them, to be copied: nothing is converted to them. */
	readonly copies?: readonly PixelFormat[];
	/** True when decoding gives the planes back bit by bit. */
	readonly lossless: boolean;
	/** True when every frame stands alone. */
	readonly intra: boolean;
	/** Largest width or height. */
	readonly maxSide: number;
	/** Most 16×16 blocks a frame, where the codec's levels end. */
	readonly maxMacroblocks?: number;
	/** Quantization ranges that can be carried. */
	readonly ranges: readonly ('limited' | 'full')[];
	/** Can it mark fields? */
	readonly interlaced: boolean;
	/** Constant-quality scale: best, worst and default; absent where there is none. */
	readonly quality?: { readonly min: number; readonly max: number; readonly default: number };
}

const YUV: readonly ChromaLayout[] = ['420', '422', '444'];
const EIGHT_BIT_420 = [pixelFormat('420', 8)];
const BOTH = ['limited', 'full'] as const;
const STILL = { engines: ['software'], intra: true, ranges: ['full'], interlaced: false, maxSide: 65535 } as const;

const H264_SOFTWARE = [...grid(YUV, [8, 10]), ...grid(['gray'], [8, 10]), pixelFormat('rgb', 8)];

const FFV1_FORMATS = [
	...grid(YUV, [8, 9, 10, 12, 14, 16]),
	...grid(['411', '410'], [8]),
	...grid(['440'], [8, 10, 12]),
	...grid(['gray'], [8, 9, 10, 12, 16]),
	...grid(['rgb'], [8, 9, 10, 12, 14, 16]),
	...grid(YUV, [8, 9, 10, 16], true),
	...grid(['rgb'], [8, 10, 12, 16], true),
	pixelFormat('gray', 8, true),
];

const STILLS_8_16 = [...grid(['rgb', 'gray'], [8, 16]), ...grid(['rgb', 'gray'], [8, 16], true)];

/** The codecs. */
export const CODECS: Readonly<Record<EncodeCodec, CodecRow>> = {
	h264: {
		label: 'H.264',
		engines: ['software', 'webcodecs'],
		formats: (engine) => (engine === 'software' ? H264_SOFTWARE : EIGHT_BIT_420),
		lossless: false,
		intra: false,
		maxSide: 16384,
		maxMacroblocks: 139_264,
		ranges: BOTH,
		interlaced: true,
		quality: { min: 0, max: 51, default: 16 },
	},
	vp9: {
		label: 'VP9',
		engines: ['webcodecs'],
		formats: () => EIGHT_BIT_420,
		lossless: false,
		intra: false,
		maxSide: 16384,
		ranges: BOTH,
		interlaced: false,
		quality: { min: 0, max: 63, default: 20 },
	},
	av1: {
		label: 'AV1',
		engines: ['webcodecs'],
		formats: () => EIGHT_BIT_420,
		lossless: false,
		intra: false,
		maxSide: 16384,
		ranges: BOTH,
		interlaced: false,
		quality: { min: 0, max: 63, default: 20 },
	},
	'prores-422hq': {
		label: 'ProRes 422 HQ',
		engines: ['software'],
		formats: () => [pixelFormat('422', 10)],
		lossless: false,
		intra: true,
		maxSide: 16384,
		ranges: ['limited'],
		interlaced: true,
	},
	'prores-4444': {
		label: 'ProRes 4444',
		engines: ['software'],
		formats: () => [pixelFormat('444', 10), pixelFormat('444', 10, true)],
		lossless: false,
		intra: true,
		maxSide: 16384,
		ranges: ['limited'],
		interlaced: true,
	},
	ffv1: {
		label: 'FFV1',
		engines: ['software'],
		formats: () => FFV1_FORMATS,
		lossless: true,
		intra: true,
		maxSide: 32768,
		ranges: BOTH,
		interlaced: true,
	},
	png: { ...STILL, label: 'PNG', formats: () => STILLS_8_16, lossless: true },
	tiff: { ...STILL, label: 'TIFF', formats: () => STILLS_8_16, lossless: true },
	dpx: {
		...STILL,
		label: 'DPX',
		formats: () => [...grid(['rgb', 'gray'], [10, 12, 16]), ...grid(['rgb'], [10, 12, 16], true)],
		copies: [...grid(['rgb', 'gray'], [8]), pixelFormat('rgb', 8, true)],
		lossless: true,
		ranges: BOTH,
	},
	exr: {
		...STILL,
		label: 'OpenEXR (half)',
		formats: () => [...grid(['rgb', 'gray'], [32]), pixelFormat('rgb', 32, true)],
		lossless: false,
	},
};

/** One container of the table. */
export interface ContainerRow {
	readonly extension: string;
	/** Video codecs, the usual one first. */
	readonly codecs: readonly EncodeCodec[];
	/** One file a frame. */
	readonly sequence: boolean;
	/** Audio codecs (ffmpeg names; `pcm` is any) that are copied as they are. */
	readonly audioCopy: readonly string[];
	/** What other audio becomes. */
	readonly audioFallback: 'aac' | 'opus' | 'pcm' | 'none';
	readonly rotation: boolean;
	readonly timecode: boolean;
	readonly sampleAspect: boolean;
}

const SEQUENCE = {
	sequence: true,
	audioCopy: [],
	audioFallback: 'none',
	rotation: false,
	timecode: false,
	sampleAspect: false,
} as const;

/** The containers. */
export const CONTAINERS: Readonly<Record<ContainerId, ContainerRow>> = {
	mp4: {
		extension: '.mp4',
		codecs: ['h264', 'av1', 'vp9'],
		sequence: false,
		audioCopy: ['aac', 'mp3', 'opus', 'flac'],
		audioFallback: 'aac',
		rotation: true,
		timecode: true,
		sampleAspect: true,
	},
	mov: {
		extension: '.mov',
		codecs: ['prores-422hq', 'prores-4444'],
		sequence: false,
		audioCopy: ['aac', 'pcm'],
		audioFallback: 'pcm',
		rotation: true,
		timecode: true,
		sampleAspect: true,
	},
	mkv: {
		extension: '.mkv',
		codecs: ['ffv1'],
		sequence: false,
		audioCopy: ['aac', 'mp3', 'ac3', 'eac3', 'opus', 'vorbis', 'flac', 'pcm'],
		audioFallback: 'pcm',
		rotation: true,
		timecode: true,
		sampleAspect: true,
	},
	webm: {
		extension: '.webm',
		codecs: ['vp9', 'av1'],
		sequence: false,
		audioCopy: ['opus', 'vorbis'],
		audioFallback: 'opus',
		rotation: true,
		timecode: false,
		sampleAspect: true,
	},
	png: { ...SEQUENCE, extension: '.png', codecs: ['png'] },
	tiff: { ...SEQUENCE, extension: '.tiff', codecs: ['tiff'], rotation: true },
	dpx: { ...SEQUENCE, extension: '.dpx', codecs: ['dpx'], rotation: true, timecode: true, sampleAspect: true },
	exr: { ...SEQUENCE, extension: '.exr', codecs: ['exr'] },
};

/** Container of a file name by its extension; undefined for one that cannot be written. */
export function containerOfName(name: string): ContainerId | undefined {
	const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase();
	if (extension === 'tif') return 'tiff';
	return extension !== undefined && Object.hasOwn(CONTAINERS, extension) ? (extension as ContainerId) : undefined;
}

/**
 * Size an encoder takes: H.264, VP9 and AV1 with subsampled chroma need even sides (and rows in pairs of fields where
 * interlaced); every other codec takes any size.
 */
export function encodableSize(codec: EncodeCodec, format: PixelFormat, fields: FieldOrder, size: Size): Size {
	if (codec !== 'h264' && codec !== 'vp9' && codec !== 'av1') return size;
	const shift = chromaShift(format.chroma);
	const isInterlaced = codec === 'h264' && (fields === 'tff' || fields === 'bff');
	const stepX = 1 << shift.x;
	const stepY = (1 << shift.y) << (isInterlaced ? 1 : 0);
	return {
		width: Math.ceil(size.width / stepX) * stepX,
		height: Math.ceil(size.height / stepY) * stepY,
	};
}
