/** What is odd about a file, in sentences with figures. Pure. */

import type { AudioTrackInfo, SourceNotice } from '../../contracts/media.ts';
import type { FieldOrder, PixelFormat, Size } from '../../core/color.ts';
import { chromaShift, tagText } from '../../core/color.ts';
import { type Phrase, phrase, say } from '../../core/phrases.ts';
import { compare, formatRational, type Rational, toNumber } from '../../core/rational.ts';
import { soundLead } from '../audio/lead.ts';
import type { FrameIndex } from './frame-index.ts';
import type { IndexMode } from './plan.ts';
import type { AssumedTag } from './tags.ts';

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
	readonly assumedTags: readonly AssumedTag[];
	/** Frames that can be read and frames that the header promises, where the file was cut short. */
	readonly truncated: { readonly readable: number; readonly promised: number } | undefined;
	readonly sharedMemory: boolean;
}

function note(kind: string, said: Phrase, severity: SourceNotice['severity'] = 'info', frame?: number): SourceNotice {
	return { severity, kind, message: say(said), phrase: said, ...(frame === undefined ? {} : { frame }) };
}

const ms = (seconds: number): string => `${(seconds * 1000).toFixed(seconds < 0.1 ? 2 : 1)} ms`;

/** What the lengths of frames say about the rate. */
function rateNotices({ index, codec }: Findings): SourceNotice[] {
	const [shortest, longest] = [ms(index.shortest), ms(index.longest)];
	const ratio = index.longest / index.shortest;
	const telecine = /^(mpeg2video|mpeg1video|h264)$/.test(codec) && Math.abs(ratio - 1.5) < 0.02;
	if (!index.constantRate && telecine) return [note('pulldown', phrase('pulldown', { shortest, longest }))];
	if (!index.constantRate) {
		return [note('vfr', phrase('vfr', { shortest, longest, rate: toNumber(index.rate).toFixed(3) }))];
	}
	if (index.longest - index.shortest <= 1e-9) return [];
	const values = { shortest, longest, rate: formatRational(index.rate) };
	return [note('rounded-timestamps', phrase('rounded-timestamps', values))];
}

function timeNotices(f: Findings): SourceNotice[] {
	const { index } = f;
	const list: SourceNotice[] = [];
	if (f.truncated) {
		const { readable, promised } = f.truncated;
		const values = { readable, promised, last: readable - 1 };
		const said = promised > readable ? phrase('truncated-of', values) : phrase('truncated', { readable });
		list.push(note('truncated', said, 'error', readable));
	}
	list.push(...rateNotices(f));
	if (f.missingDurations > 0)
		list.push(note('missing-durations', phrase('missing-durations', { count: f.missingDurations })));
	if (index.duplicates > 0)
		list.push(note('duplicate-timestamps', phrase('duplicate-timestamps', { count: index.duplicates }), 'warning'));
	if (f.mode === 'decoded') list.push(note('decoded-index', phrase('decoded-index')));
	if (f.mode === 'counted')
		list.push(note('no-timestamps', phrase('no-timestamps', { rate: formatRational(index.rate) }), 'warning'));
	const start = index.frames[0]?.pts;
	if (f.discarded > 0) list.push(note('edit-list', phrase('edit-list-cut', { count: f.discarded })));
	else if (start && start.num !== 0 && f.container === 'mov')
		list.push(note('edit-list', phrase('edit-list-start', { seconds: toNumber(start).toFixed(3) })));
	return list;
}

function pictureNotices(f: Findings): SourceNotice[] {
	const list: SourceNotice[] = [];
	const { width, height } = f.size;
	if (f.rotation !== 0) list.push(note('rotation', phrase('rotation', { degrees: f.rotation })));
	if (compare(f.sampleAspect, { num: 1, den: 1 }) !== 0) {
		const shown = Math.round(width * toNumber(f.sampleAspect));
		const aspect = `${f.sampleAspect.num}:${f.sampleAspect.den}`;
		list.push(note('non-square-pixels', phrase('non-square-pixels', { aspect, width, height, shown })));
	}
	const shift = chromaShift(f.format.chroma);
	if (width % (1 << shift.x) !== 0 || height % (1 << shift.y) !== 0) {
		list.push(note('odd-size', phrase('odd-size', { width, height })));
	}
	if (f.fields === 'tff' || f.fields === 'bff') list.push(note('interlaced', phrase(`interlaced-${f.fields}`)));
	if (f.converted) list.push(note('converted-format', phrase('converted-format', { format: f.pixFmt })));
	const transfer = f.assumedTags.find(({ tag }) => tag === 'transfer');
	const others = f.assumedTags.filter(({ tag }) => tag !== 'transfer');
	if (transfer) list.push(note('untagged-transfer', phrase('assumed-transfer', { transfer: tagText(transfer) })));
	const tags = others.map((tag) => phrase(`tag-${tag.tag}`, { value: tagText(tag) }));
	if (tags.length > 0) list.push(note('untagged-color', phrase('untagged-color', { tags })));
	return list;
}

/** All notices of a file. */
export function noticesOf(f: Findings): SourceNotice[] {
	const list = [...timeNotices(f), ...pictureNotices(f)];
	if (f.audio.length === 0) list.push(note('no-audio', phrase('no-audio')));
	const lead = f.audio[0] && f.index.frames[0] && soundLead(f.audio[0], f.index.frames[0].pts);
	if (lead && lead.num > 0)
		list.push(note('early-audio', phrase('early-audio', { seconds: toNumber(lead).toFixed(3) })));
	if (f.audio.length > 1) list.push(note('several-audio', phrase('several-audio', { count: f.audio.length })));
	if (f.videoTracks > 1) list.push(note('several-video', phrase('several-video', { count: f.videoTracks }), 'warning'));
	if (!f.sharedMemory) list.push(note('no-shared-memory', phrase('no-shared-memory'), 'warning'));
	return list;
}
