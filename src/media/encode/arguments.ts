/** ffmpeg.wasm command lines of the software encoders: deterministic (one thread, bitexact, no clock), colors tagged. */

import { codecText } from '../../core/codecs.ts';
import { type ColorTags, type PixelFormat, ffmpegPixelFormat } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type Rational, formatRational, toNumber } from '../../core/rational.ts';
import type { EncodeConfig } from '../../contracts/media.ts';
import type { PackedLayout } from './planes.ts';

/** Preset of libx264: half as fast as superfast for 37 % fewer bytes; slower ones gain nothing in size at constant quality. */
export const X264_PRESET = 'veryfast';

const TRANSFERS: Readonly<Partial<Record<ColorTags['transfer'], string>>> = {
	srgb: 'iec61966-2-1',
	'bt2020-10': 'bt2020-10',
	'bt2020-12': 'bt2020-12',
	pq: 'smpte2084',
	hlg: 'arib-std-b67',
	log: 'unknown',
	gamma22: 'bt470m',
	gamma28: 'bt470bg',
};

/** A packed layout where the encoder takes no planes of this format. */
export function packedLayout(codec: EncodeConfig['codec'], format: PixelFormat): PackedLayout | undefined {
	if (format.depth !== 8 || (codec !== 'ffv1' && codec !== 'h264')) return undefined;
	if (format.chroma === 'rgb') return format.alpha ? 'bgra' : 'bgr0';
	return format.chroma === 'gray' && format.alpha ? 'ya8' : undefined;
}

/** ffmpeg's name of the bytes that are fed. */
export function inputPixelFormat(config: EncodeConfig): string {
	return packedLayout(config.codec, config.format) ?? ffmpegPixelFormat(config.format);
}

/**
 * Rate told to the encoder. Packets carry frame numbers, not times: Matroska's millisecond clock tells them apart up to
 * 500 frames a second, and rate control needs no more than the order of magnitude.
 */
export function feedRate(rate: Rational): Rational {
	const value = toNumber(rate);
	return value > 0 && value <= 240 && rate.den <= 1_000_000 ? rate : { num: 240, den: 1 };
}

function tagFilter(config: EncodeConfig): string {
	const { primaries, transfer, matrix, range } = config.color;
	const field = config.fields === 'tff' ? 'tff' : config.fields === 'bff' ? 'bff' : 'prog';
	const colorspace = matrix === 'rgb' ? 'gbr' : matrix;
	return [
		`setparams=field_mode=${field}`,
		`range=${range === 'full' ? 'pc' : 'tv'}`,
		`color_primaries=${primaries}`,
		`color_trc=${TRANSFERS[transfer] ?? transfer}`,
		`colorspace=${colorspace}`,
	].join(':');
}

function isInterlaced(config: EncodeConfig): boolean {
	return config.fields === 'tff' || config.fields === 'bff';
}

function x264Arguments(config: EncodeConfig): string[] {
	const isRgb = config.format.chroma === 'rgb';
	const interlaced = isInterlaced(config) ? [`-flags:v`, '+bitexact+ildct+ilme'] : ['-flags:v', '+bitexact'];
	return [
		...['-c:v', isRgb ? 'libx264rgb' : 'libx264', '-preset', X264_PRESET],
		...['-crf', String(config.quality ?? 16), ...interlaced],
		// A new keyframe every ten seconds at most where nothing else is asked; the chunk starts with one in any case.
		...['-g', String(config.keyframes ?? Math.max(1, Math.round(10 * toNumber(feedRate(config.rate)))))],
		...(config.fields === 'bff' ? ['-x264-params', 'bff=1'] : []),
	];
}

/** Version 3 (slices with checksums); FFmpeg's slices are wrong for pictures of a few pixels, which get version 1. */
function ffv1Arguments(config: EncodeConfig): string[] {
	const large = config.size.width >= 64 && config.size.height >= 64;
	const version = large ? ['-level', '3', '-slicecrc', '1', '-slices', '4'] : ['-level', '1'];
	const field =
		config.fields === 'tff' ? ['-field_order', 'tt'] : config.fields === 'bff' ? ['-field_order', 'bb'] : [];
	return ['-c:v', 'ffv1', ...version, '-g', '1', '-flags:v', '+bitexact', ...field];
}

function proresArguments(config: EncodeConfig): string[] {
	const profile = config.codec === 'prores-4444' ? '4' : '3';
	const flags = isInterlaced(config) ? '+bitexact+ildct' : '+bitexact';
	return [
		...['-c:v', 'prores_ks', '-profile:v', profile, '-vendor', 'apl0', '-flags:v', flags],
		...(config.codec === 'prores-4444' ? ['-alpha_bits', config.format.alpha ? '16' : '0'] : []),
	];
}

function codecArguments(config: EncodeConfig): string[] {
	switch (config.codec) {
		case 'h264':
			return x264Arguments(config);
		case 'ffv1':
			return ffv1Arguments(config);
		case 'prores-422hq':
		case 'prores-4444':
			return proresArguments(config);
		default:
			throw new EmulsionError(
				'unsupported-format',
				phrase('not-by-engine', { codec: codecText(config.codec), engine: phrase('encoder-software') }),
			);
	}
}

/** The whole command line: raw frames from `input`, Matroska packets to `output`, both not seekable. */
export function encodeArguments(config: EncodeConfig, input: string, output: string): string[] {
	const { width, height } = config.size;
	const chroma = config.color.chromaLocation;
	const location = chroma === 'unspecified' ? [] : ['-chroma_sample_location', chroma];
	return [
		...['-hide_banner', '-loglevel', 'warning', '-f', 'rawvideo', '-pixel_format', inputPixelFormat(config)],
		...['-video_size', `${width}x${height}`, '-framerate', formatRational(feedRate(config.rate)), ...location],
		...['-i', input, '-map', '0:v', '-vf', tagFilter(config), ...codecArguments(config), '-threads', '1', ...location],
		...['-fps_mode', 'passthrough', '-map_metadata', '-1', '-fflags', '+bitexact', '-f', 'matroska', output],
	];
}
