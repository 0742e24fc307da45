/** ffmpeg's names of color tags, and what is assumed where a video file has none. */

import {
	type ChromaLocation,
	type ColorTags,
	type FieldOrder,
	type Matrix,
	type NamedTag,
	type PixelFormat,
	type Primaries,
	type Range,
	type Size,
	type Transfer,
} from '../../core/color.ts';

const PRIMARIES: Readonly<Record<string, Primaries>> = {
	bt709: 'bt709',
	bt470m: 'bt470m',
	bt470bg: 'bt470bg',
	smpte170m: 'smpte170m',
	smpte240m: 'smpte240m',
	film: 'film',
	bt2020: 'bt2020',
	smpte431: 'smpte431',
	smpte432: 'smpte432',
};
const TRANSFERS: Readonly<Record<string, Transfer>> = {
	bt709: 'bt709',
	bt470m: 'gamma22',
	gamma22: 'gamma22',
	bt470bg: 'gamma28',
	gamma28: 'gamma28',
	smpte170m: 'smpte170m',
	smpte240m: 'smpte240m',
	linear: 'linear',
	'iec61966-2-1': 'srgb',
	'bt2020-10': 'bt2020-10',
	'bt2020-12': 'bt2020-12',
	smpte2084: 'pq',
	'arib-std-b67': 'hlg',
};
const MATRICES: Readonly<Record<string, Matrix>> = {
	gbr: 'rgb',
	rgb: 'rgb',
	bt709: 'bt709',
	fcc: 'fcc',
	bt470bg: 'bt470bg',
	smpte170m: 'smpte170m',
	smpte240m: 'smpte240m',
	ycgco: 'ycgco',
	bt2020nc: 'bt2020nc',
};
const LOCATIONS: Readonly<Record<string, ChromaLocation>> = { left: 'left', center: 'center', topleft: 'topleft' };

/** Color tags in ffmpeg's words, as probing or `showinfo` gives them; absent and `unknown` mean untagged. */
export interface RawTags {
	readonly range?: string | undefined;
	readonly space?: string | undefined;
	readonly primaries?: string | undefined;
	readonly transfer?: string | undefined;
	readonly location?: string | undefined;
}

/** A tag that a file lacks, and what is taken for it. */
export type AssumedTag = NamedTag;

/** Tags, and which of them were assumed. */
export interface ResolvedTags {
	readonly color: ColorTags;
	/** Assumed tags with the value taken. */
	readonly assumed: readonly AssumedTag[];
}

/** What standard-definition and high-definition video is made with where nothing is said: Rec. 601 (525 or 625 lines) below 720 lines, else Rec. 709. */
function conventional(size: Size): { primaries: Primaries; matrix: Matrix } {
	if (size.width >= 1280 || size.height >= 720) return { primaries: 'bt709', matrix: 'bt709' };
	const lines625 = size.height === 576 || size.height === 288;
	return lines625 ? { primaries: 'bt470bg', matrix: 'bt470bg' } : { primaries: 'smpte170m', matrix: 'smpte170m' };
}

/**
 * Our tags from ffmpeg's. RGB is full range with the identity matrix by definition; gray and `yuvj` are full range as ffmpeg
 * has it. What is left untagged follows the size's convention and is named in `assumed`.
 */
export function resolveTags(raw: RawTags, format: PixelFormat, pixFmt: string, size: Size): ResolvedTags {
	const assumed: AssumedTag[] = [];
	const assume = <T extends AssumedTag>(tag: T): T['value'] => {
		assumed.push(tag);
		return tag.value;
	};
	const rgb = format.chroma === 'rgb';
	const usual = conventional(size);
	const primaries =
		PRIMARIES[raw.primaries ?? ''] ?? assume({ tag: 'primaries', value: rgb ? 'bt709' : usual.primaries });
	const transfer = TRANSFERS[raw.transfer ?? ''] ?? assume({ tag: 'transfer', value: 'bt709' });
	const matrix = rgb
		? 'rgb'
		: format.chroma === 'gray'
			? (MATRICES[raw.space ?? ''] ?? usual.matrix)
			: (MATRICES[raw.space ?? ''] ?? assume({ tag: 'matrix', value: usual.matrix }));
	return {
		color: {
			primaries,
			transfer,
			matrix,
			range: rangeOf(raw.range, format, pixFmt),
			chromaLocation: LOCATIONS[raw.location ?? ''] ?? 'unspecified',
		},
		assumed,
	};
}

function rangeOf(tag: string | undefined, format: PixelFormat, pixFmt: string): Range {
	if (tag === 'pc' || tag === 'jpeg' || tag === 'full') return 'full';
	if (tag === 'tv' || tag === 'mpeg' || tag === 'limited') return 'limited';
	return format.chroma === 'rgb' || format.chroma === 'gray' || pixFmt.startsWith('yuvj') ? 'full' : 'limited';
}

/** Field order in ffprobe's words: the second letter is the field shown first. */
export function fieldOrder(name: string | undefined): FieldOrder {
	switch (name) {
		case 'progressive':
			return 'progressive';
		case 'tt':
		case 'bt':
			return 'tff';
		case 'bb':
		case 'tb':
			return 'bff';
		default:
			return 'unknown';
	}
}
