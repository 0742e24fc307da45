/** What an export proves about the file it wrote, before it says "done". */

import type { AudioResult } from '../contracts/media.ts';
import type { InvariantResult } from '../contracts/report.ts';
import type { MuxedFile } from '../contracts/workers.ts';
import { compare, formatRational, isExact, type Rational, rational, sub, toNumber, ZERO } from '../core/rational.ts';
import { phrase } from '../core/phrases.ts';
import { type Timeline, timelineDuration } from '../core/timeline.ts';

/** Samples of one frame of the coarsest audio codec we write (AAC). */
const AUDIO_FRAME = 1024;

function absolute(value: Rational): Rational {
	return value.num < 0 ? { num: -value.num, den: value.den } : value;
}

const within = (a: Rational, b: Rational, tolerance: Rational): boolean => compare(absolute(sub(a, b)), tolerance) <= 0;

/** How far a written time may be off: not at all where the file's clock can hold it, else by the clock's rounding. */
function agrees(found: Rational, expected: Rational, tick: Rational): boolean {
	const tolerance = tick.num === 0 || isExact(expected, tick) ? ZERO : tick;
	return within(found, expected, tolerance);
}

function timestamps(timeline: Timeline, written: MuxedFile): InvariantResult {
	const first = timeline.frames[0]?.pts ?? ZERO;
	const expected = timeline.frames.map((f) => sub(f.pts, first));
	const wrong = expected.findIndex((pts, i) => {
		const found = written.pts[i];
		return found === undefined || !agrees(found, pts, written.tick);
	});
	const show = (times: readonly Rational[], i: number) => {
		const time = times[i];
		return time ? phrase('frame-at', { index: i, time: formatRational(time) }) : phrase('frame-none', { index: i });
	};
	const at = wrong < 0 ? Math.max(0, expected.length - 1) : wrong;
	return { name: 'timestamps', ok: wrong < 0, expected: show(expected, at), found: show(written.pts, at) };
}

function offset(audio: AudioResult | undefined, written: MuxedFile, planned: Rational): InvariantResult {
	const { audioStart } = written;
	if (!audio) {
		const none = audioStart === undefined;
		return {
			name: 'av-offset',
			ok: none,
			expected: phrase('audio-none'),
			found: phrase(none ? 'audio-none' : 'audio-there'),
		};
	}
	const oneFrame = rational(AUDIO_FRAME, Math.max(1, audio.sampleRate));
	const limit = compare(oneFrame, written.tick) > 0 ? oneFrame : written.tick;
	return {
		name: 'av-offset',
		ok: audioStart !== undefined && within(audioStart, planned, limit),
		expected: `${formatRational(planned)} s`,
		found: audioStart ? `${formatRational(audioStart)} s` : phrase('audio-none'),
	};
}

/**
 * Compares what re-reading found with the plan's final timeline. `avOffset` is the planned first audio sample minus first
 * video frame, in seconds.
 */
export function checkInvariants(
	timeline: Timeline,
	written: MuxedFile,
	audio: AudioResult | undefined,
	avOffset: Rational,
): InvariantResult[] {
	const frames = timeline.frames.length;
	const duration = timelineDuration(timeline);
	return [
		{ name: 'frame-count', ok: written.frames === frames, expected: String(frames), found: String(written.frames) },
		timestamps(timeline, written),
		{
			name: 'duration',
			ok: agrees(written.duration, duration, written.tick),
			expected: `${formatRational(duration)} s`,
			found: `${formatRational(written.duration)} s (${toNumber(written.duration).toFixed(6)})`,
		},
		offset(audio, written, avOffset),
	];
}
