/** What is odd about a file, in sentences with figures. Pure. */

import type { AudioTrackInfo, SourceNotice } from '../../contracts/media.ts';
import type { FieldOrder, PixelFormat, Size } from '../../core/color.ts';
import { chromaShift } from '../../core/color.ts';
import { compare, formatRational, type Rational, toNumber } from '../../core/rational.ts';
import type { FrameIndex } from './frame-index.ts';
import type { IndexMode } from './plan.ts';

/** Findings that notices are made of. */
export interface Findings {
	readonly index: FrameIndex;
	readonly mode: IndexMode;
	readonly codec: string;
	readonly container: string;
	readonly size: Size;
	readonly format: PixelFormat;
	readonly pixFmt: string;
	readonly converted: boolean;
	readonly rotation: number;
	readonly sampleAspect: Rational;
	readonly fields: FieldOrder;
	readonly audio: readonly AudioTrackInfo[];
	readonly videoTracks: number;
	/** Packets without a duration of their own. */
	readonly missingDurations: number;
	/** Packets that the edit list cuts away. */
	readonly discarded: number;
	readonly assumedTags: readonly string[];
	/** Frames that can be read and frames that the header promises, where the file was cut short. */
	readonly truncated: { readonly readable: number; readonly promised: number } | undefined;
	readonly sharedMemory: boolean;
}

function note(
	kind: string,
	message: string,
	severity: SourceNotice['severity'] = 'info',
	frame?: number,
): SourceNotice {
	return { severity, kind, message, ...(frame === undefined ? {} : { frame }) };
}

const ms = (seconds: number): string => `${(seconds * 1000).toFixed(seconds < 0.1 ? 2 : 1)} ms`;

function timeNotices(f: Findings): SourceNotice[] {
	const { index } = f;
	const list: SourceNotice[] = [];
	if (f.truncated) {
		const { readable, promised } = f.truncated;
		list.push(
			note(
				'truncated',
				promised > readable
					? `The file ends after frame ${readable - 1}: ${readable} of ${promised} frames can be read. Restrict the range to 0:${readable}, or find a whole copy.`
					: `The file ends too soon; ${readable} frames can be read.`,
				'error',
				readable,
			),
		);
	}
	const ratio = index.longest / index.shortest;
	const telecine =
		!index.constantRate && /^(mpeg2video|mpeg1video|h264)$/.test(f.codec) && Math.abs(ratio - 1.5) < 0.02;
	if (telecine)
		list.push(
			note(
				'pulldown',
				`Frames last two and three fields in turn (${ms(index.shortest)} and ${ms(index.longest)}): film with repeat-field flags. Each frame is taken once.`,
			),
		);
	else if (!index.constantRate) {
		list.push(
			note(
				'vfr',
				`Variable frame rate: frames last from ${ms(index.shortest)} to ${ms(index.longest)}, ${toNumber(index.rate).toFixed(3)} a second on average. Every timestamp is kept.`,
			),
		);
	} else if (index.longest - index.shortest > 1e-9) {
		list.push(
			note(
				'rounded-timestamps',
				`The container rounds times: frames of a constant ${formatRational(index.rate)} a second last from ${ms(index.shortest)} to ${ms(index.longest)}.`,
			),
		);
	}
	if (f.missingDurations > 0)
		list.push(
			note(
				'missing-durations',
				`${f.missingDurations} frames carry no duration; it is derived from the next frame's time.`,
			),
		);
	if (index.duplicates > 0)
		list.push(
			note(
				'duplicate-timestamps',
				`${index.duplicates} frames have the time of another frame and are left out.`,
				'warning',
			),
		);
	if (f.mode === 'decoded')
		list.push(
			note(
				'decoded-index',
				'Packets do not tell the time of every frame: the index comes from decoding the film once.',
			),
		);
	if (f.mode === 'counted')
		list.push(
			note(
				'no-timestamps',
				`The stream has no timestamps: frames are counted at ${formatRational(index.rate)} a second.`,
				'warning',
			),
		);
	const start = index.frames[0]?.pts;
	if (f.discarded > 0)
		list.push(note('edit-list', `The edit list cuts ${f.discarded} coded frames away; they are not shown.`));
	else if (start && start.num !== 0 && f.container === 'mov')
		list.push(note('edit-list', `The edit list starts the picture at ${toNumber(start).toFixed(3)} s.`));
	return list;
}

function pictureNotices(f: Findings): SourceNotice[] {
	const list: SourceNotice[] = [];
	const { width, height } = f.size;
	if (f.rotation !== 0)
		list.push(note('rotation', `The picture is stored turned; it is shown rotated by ${f.rotation}° clockwise.`));
	if (compare(f.sampleAspect, { num: 1, den: 1 }) !== 0) {
		const shown = Math.round(width * toNumber(f.sampleAspect));
		list.push(
			note(
				'non-square-pixels',
				`Pixels are ${f.sampleAspect.num}:${f.sampleAspect.den}: ${width}×${height} is shown as ${shown}×${height}.`,
			),
		);
	}
	const shift = chromaShift(f.format.chroma);
	if (width % (1 << shift.x) !== 0 || height % (1 << shift.y) !== 0) {
		list.push(
			note(
				'odd-size',
				`${width}×${height} is not a whole number of chroma samples; encoders that need one get a repeated edge.`,
			),
		);
	}
	if (f.fields === 'tff' || f.fields === 'bff')
		list.push(note('interlaced', `Interlaced, ${f.fields === 'tff' ? 'top' : 'bottom'} field first.`));
	if (f.converted) list.push(note('converted-format', `Samples are stored as ${f.pixFmt} and widened to 8-bit RGB.`));
	const transfer = f.assumedTags.find((tag) => tag.startsWith('transfer'));
	const others = f.assumedTags.filter((tag) => !tag.startsWith('transfer'));
	if (transfer)
		list.push(
			note(
				'untagged-transfer',
				`The transfer characteristics are not tagged; ${transfer.split(' ')[1] ?? ''} is assumed.`,
			),
		);
	if (others.length > 0)
		list.push(note('untagged-color', `Color is not tagged; taken as usual for this size: ${others.join(', ')}.`));
	return list;
}

/** All notices of a file. */
export function noticesOf(f: Findings): SourceNotice[] {
	const list = [...timeNotices(f), ...pictureNotices(f)];
	if (f.audio.length === 0) list.push(note('no-audio', 'No audio.'));
	if (f.audio.length > 1)
		list.push(note('several-audio', `${f.audio.length} audio tracks; the first is taken unless another is chosen.`));
	if (f.videoTracks > 1)
		list.push(note('several-video', `${f.videoTracks} video tracks; the first is taken.`, 'warning'));
	if (!f.sharedMemory)
		list.push(
			note('no-shared-memory', 'SharedArrayBuffer is not available: decoding runs in short pieces, slower.', 'warning'),
		);
	return list;
}
