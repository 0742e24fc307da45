/** What an export proves about the file it wrote, before it says "done". */

import type { AudioResult } from '../contracts/media.ts';
import type { InvariantResult } from '../contracts/report.ts';
import type { MuxedFile } from '../contracts/workers.ts';
import { compare, formatRational, type Rational, rational, sub, toNumber, ZERO } from '../core/rational.ts';
import { type Timeline, timelineDuration } from '../core/timeline.ts';

/** Samples of one frame of the coarsest audio codec we write (AAC). */
const AUDIO_FRAME = 1024;

function absolute(value: Rational): Rational {
	return value.num < 0 ? { num: -value.num, den: value.den } : value;
}

const within = (a: Rational, b: Rational, tolerance: Rational): boolean => compare(absolute(sub(a, b)), tolerance) <= 0;

/** Largest rounding of a written time: Matroska counts milliseconds, the rest is exact where its clock can be. */
export function timeTolerance(container: string): Rational {
	return container === 'mkv' || container === 'webm' ? rational(1, 1000) : rational(1, 1_000_000);
}

function timestamps(timeline: Timeline, written: MuxedFile, tolerance: Rational): InvariantResult {
	const first = timeline.frames[0]?.pts ?? ZERO;
	const expected = timeline.frames.map((f) => sub(f.pts, first));
	const wrong = expected.findIndex((pts, i) => {
		const found = written.pts[i];
		return found === undefined || !within(found, pts, tolerance);
	});
	const show = (times: readonly Rational[], i: number) => {
		const time = times[i];
		return time ? `frame ${i} at ${formatRational(time)} s` : `no frame ${i}`;
	};
	const at = wrong < 0 ? Math.max(0, expected.length - 1) : wrong;
	return { name: 'timestamps', ok: wrong < 0, expected: show(expected, at), found: show(written.pts, at) };
}

function offset(
	audio: AudioResult | undefined,
	written: MuxedFile,
	tolerance: Rational,
	planned: Rational,
): InvariantResult {
	const { audioStart } = written;
	if (!audio) {
		const none = audioStart === undefined;
		return { name: 'av-offset', ok: none, expected: 'no audio', found: none ? 'no audio' : 'audio' };
	}
	const oneFrame = rational(AUDIO_FRAME, Math.max(1, audio.sampleRate));
	const limit = compare(oneFrame, tolerance) > 0 ? oneFrame : tolerance;
	return {
		name: 'av-offset',
		ok: audioStart !== undefined && within(audioStart, planned, limit),
		expected: `${formatRational(planned)} s`,
		found: audioStart ? `${formatRational(audioStart)} s` : 'no audio',
	};
}

/**
 * Compares what re-reading found with the plan's final timeline. `avOffset` is the planned first audio sample minus first
 * video frame, in seconds.
 */
export function checkInvariants(
	timeline: Timeline,
	written: MuxedFile,
	container: string,
	audio: AudioResult | undefined,
	avOffset: Rational,
): InvariantResult[] {
	const tolerance = timeTolerance(container);
	const frames = timeline.frames.length;
	const duration = timelineDuration(timeline);
	return [
		{ name: 'frame-count', ok: written.frames === frames, expected: String(frames), found: String(written.frames) },
		timestamps(timeline, written, tolerance),
		{
			name: 'duration',
			ok: within(written.duration, duration, tolerance),
			expected: `${formatRational(duration)} s`,
			found: `${formatRational(written.duration)} s (${toNumber(written.duration).toFixed(6)})`,
		},
		offset(audio, written, tolerance, avOffset),
	];
}
