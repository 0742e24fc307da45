/** What ffmpeg's `showinfo` filter says about a frame: the one way to exact time, field flags and tags beside raw planes. */

import type { FieldOrder } from '../../core/color.ts';
import type { RawTags } from './tags.ts';

/** A parsed description. */
export interface ShownFrame {
	/** In ticks of the stream's timebase; undefined where the decoder has none. */
	readonly ticks: number | undefined;
	readonly pixFmt: string;
	readonly width: number;
	readonly height: number;
	readonly fields: FieldOrder;
	readonly keyframe: boolean;
	/** Adler-32 of the planes where the filter computed one (`checksum=1`). */
	readonly checksum: number | undefined;
	/** The part that holds the tags, unparsed: frames of one shot share it, and parsing it can be cached. */
	readonly tagText: string;
}

const HEAD = / n: *\d+ +pts: *(\S+) .*? fmt:(\S+) .*? s:(\d+)x(\d+) +i:(\S) +iskey:(\d)/;

/** Parses the two joined log lines of a frame; undefined when they are not such lines. */
export function parseShowinfo(info: string): ShownFrame | undefined {
	const match = HEAD.exec(info);
	if (!match) return undefined;
	const ticks = Number(match[1]);
	const cut = info.indexOf('color_range:');
	return {
		ticks: Number.isSafeInteger(ticks) ? ticks : undefined,
		pixFmt: match[2] ?? '',
		width: Number(match[3]),
		height: Number(match[4]),
		fields: match[5] === 'T' ? 'tff' : match[5] === 'B' ? 'bff' : 'progressive',
		keyframe: match[6] === '1',
		checksum: parseChecksum(info),
		tagText: cut < 0 ? '' : info.slice(cut),
	};
}

function parseChecksum(info: string): number | undefined {
	const match = / checksum:([0-9A-F]{8})/.exec(info);
	return match ? Number.parseInt(match[1]!, 16) : undefined;
}

/** Tags in a description's `tagText`. */
export function parseTagText(text: string): RawTags {
	const value = (name: string): string | undefined => new RegExp(`${name}:(\\S+)`).exec(text)?.[1];
	return {
		range: value('color_range'),
		space: value('color_space'),
		primaries: value('color_primaries'),
		transfer: value('color_trc'),
	};
}

/** Timebase in the filter's `config in` line, as `num/den`. */
export function parseConfigTimebase(line: string): string | undefined {
	return /config in time_base: (\d+\/\d+)/.exec(line)?.[1];
}

/** Adler-32 of packed planes as `showinfo` computes it (both sums start at 0). */
export function planesChecksum(planes: Uint8Array): number {
	let a = 0;
	let b = 0;
	for (let i = 0; i < planes.length;) {
		// The longest run for which the sums stay exact 32-bit integers.
		const end = Math.min(planes.length, i + 5552);
		for (; i < end; i++) {
			a += planes[i]!;
			b += a;
		}
		a %= 65521;
		b %= 65521;
	}
	return b * 65536 + a;
}
