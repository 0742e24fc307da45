/** What is needed to decode a probed file, and the command lines for it. */

import type { IndexedFrame } from '../../contracts/media.ts';
import type { ChromaLocation, Size } from '../../core/color.ts';
import { floor, mul, type Rational, rational } from '../../core/rational.ts';
import { SOURCE_PATH } from './ffprobe.ts';
import type { RawFormat } from './pixel-formats.ts';

/** How the frames of a file are found again. */
export type IndexMode =
	/** Every packet is a picture with its own time: decoding may start at any keyframe. */
	| 'packets'
	/** Times come from a decoding pass, which also gave each frame's checksum: a jump is believed only when checksums agree. */
	| 'decoded'
	/** The stream has no clock: frames are counted at its nominal rate, from the beginning. */
	| 'counted';

/** Everything that decoding needs to know; made by `probe.ts`. */
export interface DecodePlan {
	readonly blob: Blob;
	/** Stream index of the video. */
	readonly stream: number;
	readonly timebase: Rational;
	readonly pixFmt: string;
	readonly raw: RawFormat;
	readonly size: Size;
	readonly chromaLocation: ChromaLocation;
	readonly mode: IndexMode;
	/** Checksum of each frame, in `decoded` mode. */
	readonly checksums?: Uint32Array;
	/** Rate at which a stream without a clock is counted. */
	readonly countRate: Rational;
	/** Seconds by which ffmpeg will seek too early in this container, and we too late, to meet. */
	readonly seekShift: Rational;
	/** False for broadcast streams, where damage is normal and a damaged picture better than none. */
	readonly discardCorrupt: boolean;
}

/** What is known before the first frame is decoded. */
export type BasePlan = Pick<DecodePlan, 'blob' | 'stream' | 'mode' | 'countRate' | 'discardCorrupt' | 'seekShift'>;

/** ffmpeg moves seeks into streams with reordered frames back by 3/23 s in containers that seek by DTS (`fftools`, open_input_file). */
export const REORDER_SHIFT: Rational = { num: 3, den: 23 };

/** Arguments up to and including the input. `from` is the keyframe to seek to. */
export function inputArgs(
	plan: Pick<DecodePlan, 'mode' | 'countRate' | 'discardCorrupt' | 'seekShift'>,
	from?: IndexedFrame,
): string[] {
	const args = ['-hide_banner', '-nostats', '-loglevel', 'level+info', '-copyts'];
	if (plan.discardCorrupt) args.push('-fflags', '+discardcorrupt');
	if (plan.mode === 'counted') args.push('-r', `${plan.countRate.num}/${plan.countRate.den}`);
	if (from) args.push('-seek_timestamp', '1', '-noaccurate_seek', '-ss', seconds(from.pts, plan.seekShift));
	return [...args, '-noautorotate', '-i', SOURCE_PATH];
}

// Rounded up to the next microsecond, so that seeking backward from there finds this frame.
function seconds(pts: Rational, shift: Rational): string {
	const micros = floor(mul(pts, rational(1_000_000))) + 1 + floor(mul(shift, rational(1_000_000)));
	const text = String(Math.abs(micros)).padStart(7, '0');
	return `${micros < 0 ? '-' : ''}${text.slice(0, -6)}.${text.slice(-6)}`;
}

/** Arguments that pick the video stream and describe each frame; `fromTicks` drops frames before it, `checksum` adds one of the planes. */
export function videoArgs(stream: number, fromTicks?: number, checksum = false): string[] {
	const select = fromTicks === undefined ? '' : `select=gte(pts\\,${fromTicks}),`;
	return ['-map', `0:${stream}`, '-vf', `${select}showinfo=checksum=${checksum ? 1 : 0}`, '-fps_mode', 'passthrough'];
}
