/**
 * Pixel formats and color metadata in the terms of ITU-T H.273 and SMPTE. Names are those of ffmpeg where it has one, so
 * that probe output, reports and command lines read alike.
 */

import { type Phrase, phrase, say, type Text } from './phrases.ts';

/** Chroma layout. `gray` has one plane, `rgb` three of full size in R, G, B order. */
export type ChromaLayout = '420' | '422' | '444' | '411' | '410' | '440' | 'rgb' | 'gray';

/** How samples are stored in memory. Integer samples of more than 8 bit are little-endian 16-bit words, value in the low bits. */
export type SampleType = 'u8' | 'u16' | 'f32';

/** A planar pixel format: what the planes of a frame hold. Alpha, where there is one, is the last plane, of full size. */
export interface PixelFormat {
	readonly chroma: ChromaLayout;
	/** Significant bits a sample: 8, 9, 10, 12, 14, 16; 32 for f32. */
	readonly depth: number;
	readonly sample: SampleType;
	readonly alpha: boolean;
}

/** Color primaries; `unknown` is never guessed silently. */
export type Primaries =
	'bt709' | 'bt470m' | 'bt470bg' | 'smpte170m' | 'smpte240m' | 'film' | 'bt2020' | 'smpte431' | 'smpte432' | 'unknown';
/** Transfer characteristics. `log` is Cineon printing density (95/685), held as density, not as light. */
export type Transfer =
	| 'bt709'
	| 'gamma22'
	| 'gamma28'
	| 'smpte170m'
	| 'smpte240m'
	| 'linear'
	| 'srgb'
	| 'bt2020-10'
	| 'bt2020-12'
	| 'pq'
	| 'hlg'
	| 'log'
	| 'unknown';
/** Matrix coefficients. `rgb` is the identity. */
export type Matrix = 'rgb' | 'bt709' | 'fcc' | 'bt470bg' | 'smpte170m' | 'smpte240m' | 'ycgco' | 'bt2020nc' | 'unknown';
/** Quantization range. */
export type Range = 'limited' | 'full';
/** Where chroma samples sit (4:2:0 and 4:2:2). */
export type ChromaLocation = 'left' | 'center' | 'topleft' | 'unspecified';
/** Field order; `progressive` where there are no fields. */
export type FieldOrder = 'progressive' | 'tff' | 'bff' | 'unknown';

/** The color tags of a picture. */
export interface ColorTags {
	readonly primaries: Primaries;
	readonly transfer: Transfer;
	readonly matrix: Matrix;
	readonly range: Range;
	readonly chromaLocation: ChromaLocation;
}

/** Width and height in pixels. */
export interface Size {
	readonly width: number;
	readonly height: number;
}

/** Size of one plane. */
export interface PlaneLayout extends Size {
	/** Samples a row (no padding: stride equals width in all frames that cross threads). */
	readonly stride: number;
	/** Offset of the plane in a packed frame buffer, in samples. */
	readonly offset: number;
}

/** log2 subsampling of chroma planes, horizontally and vertically. */
export function chromaShift(chroma: ChromaLayout): { readonly x: number; readonly y: number } {
	switch (chroma) {
		case '420':
			return { x: 1, y: 1 };
		case '422':
			return { x: 1, y: 0 };
		case '411':
			return { x: 2, y: 0 };
		case '410':
			return { x: 2, y: 2 };
		case '440':
			return { x: 0, y: 1 };
		default:
			return { x: 0, y: 0 };
	}
}

/** Number of planes of a format, alpha included. */
export function planeCount(format: PixelFormat): number {
	return (format.chroma === 'gray' ? 1 : 3) + (format.alpha ? 1 : 0);
}

/** Bytes a sample. */
export function sampleBytes(format: PixelFormat): 1 | 2 | 4 {
	return format.sample === 'u8' ? 1 : format.sample === 'u16' ? 2 : 4;
}

/** The tightly packed planes of a frame: chroma sizes round up, as in every codec. */
export function planeLayouts(format: PixelFormat, size: Size): PlaneLayout[] {
	const shift = chromaShift(format.chroma);
	const layouts: PlaneLayout[] = [];
	let offset = 0;
	for (let i = 0; i < planeCount(format); i++) {
		const isChroma = (i === 1 || i === 2) && format.chroma !== 'rgb';
		const width = isChroma ? -(-size.width >> shift.x) : size.width;
		const height = isChroma ? -(-size.height >> shift.y) : size.height;
		layouts.push({ width, height, stride: width, offset });
		offset += width * height;
	}
	return layouts;
}

/** Bytes of a tightly packed frame. */
export function frameBytes(format: PixelFormat, size: Size): number {
	return planeLayouts(format, size).reduce((sum, p) => sum + p.width * p.height, 0) * sampleBytes(format);
}

/** True when two formats hold the same samples in the same planes. */
export function sameFormat(a: PixelFormat, b: PixelFormat): boolean {
	return a.chroma === b.chroma && a.depth === b.depth && a.sample === b.sample && a.alpha === b.alpha;
}

/** ffmpeg's name of a planar format (`yuv420p10le`, `gbrp16le`, `gray12le`, `gbrpf32le`); note that ffmpeg's gbr planes are in G, B, R order. */
export function ffmpegPixelFormat(format: PixelFormat): string {
	const suffix = format.sample === 'f32' ? 'f32le' : format.depth === 8 ? '' : `${format.depth}le`;
	if (format.chroma === 'gray') return format.alpha ? `ya${format.depth === 8 ? '8' : suffix}` : `gray${suffix}`;
	const a = format.alpha ? 'a' : '';
	return format.chroma === 'rgb' ? `gbr${a}p${suffix}` : `yuv${a}${format.chroma}p${suffix}`;
}

/** A chroma layout's name, as data: `4:2:0`, `RGB`, `gray`. */
export function layoutText(chroma: ChromaLayout): Text {
	if (chroma === 'rgb') return 'RGB';
	return chroma === 'gray' ? phrase('layout-gray') : chroma.split('').join(':');
}

/** Short text for people, as data: `4:2:0 10 bit`, `RGB 16 bit`. */
export function formatPhrase({ chroma, alpha, sample, depth }: PixelFormat): Phrase {
	const values = { layout: layoutText(chroma), alpha: alpha ? '+A' : '', depth };
	return phrase(sample === 'f32' ? 'format-float' : 'format-bits', values);
}

/** One of the color tags that have names. */
export type NamedTag = {
	[K in 'primaries' | 'transfer' | 'matrix']: { readonly tag: K; readonly value: ColorTags[K] };
}['primaries' | 'transfer' | 'matrix'];

/** A color tag's name, as data: `smpte170m` of a matrix → `BT.601 (525)`; `untagged` of `unknown`. */
export function tagText({ tag, value }: NamedTag): Text {
	if (value === 'unknown') return phrase('codec-untagged');
	switch (tag) {
		case 'primaries':
			return phrase(`primaries-${value}`);
		case 'transfer':
			return phrase(`transfer-${value}`);
		case 'matrix':
			return phrase(`matrix-${value}`);
	}
}

/** {@link tagText} of a transfer. */
export function transferText(value: Transfer): Text {
	return tagText({ tag: 'transfer', value });
}

/** {@link tagText} of a matrix. */
export function matrixText(value: Matrix): Text {
	return tagText({ tag: 'matrix', value });
}

/** {@link formatPhrase} in English. */
export function describeFormat(format: PixelFormat): string {
	return say(formatPhrase(format));
}
