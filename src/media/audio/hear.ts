/** Decodes a span of a source's sound for listening: stereo floats at the listener's rate, to the sample. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { mul, rational, round } from '../../core/rational.ts';
import type { InputFile, SoundRequest, SoundSpan, SourceInfo } from '../../contracts/media.ts';
import { concat } from '../mux/ebml.ts';
import { type ByteTaker, runAudio } from './run.ts';

const SOUND = '[sound]';
const SPAN = '[span]';
/** Longest span, in seconds: it is held in memory. */
const LONGEST = 60;

function assertRequest({ sampleRate, first, count }: SoundRequest): void {
	const whole = [sampleRate, first, count].every((n) => Number.isSafeInteger(n));
	if (whole && sampleRate > 0 && count > 0 && count <= LONGEST * sampleRate) return;
	throw new EmulsionError('usage', phrase('sound-span', { most: LONGEST, count, first, rate: sampleRate }));
}

/**
 * The span of the source's first audio track; silence where nothing of it lies in the span. Spans that follow one another join
 * without a seam where the track has the listener's rate, and within a sample where it is resampled.
 * @returns undefined where the source has no sound.
 * @throws EmulsionError `usage`, `input-unreadable`, `aborted`.
 */
export async function hearSound(
	files: readonly InputFile[],
	info: SourceInfo,
	request: SoundRequest,
	signal: AbortSignal,
): Promise<SoundSpan | undefined> {
	assertRequest(request);
	const [track] = info.audio;
	const file = files[0]?.file;
	if (!track || !file) return undefined;
	const { sampleRate, first, count } = request;
	const parts: Uint8Array<ArrayBuffer>[] = [];
	const taker: ByteTaker = { push: (data) => parts.push(data), settle: () => Promise.resolve() };
	const filters = [
		// Gaps are filled on the source's own clock before it is resampled; channels are mixed without clipping.
		`[0:${track.stream}]aresample=async=1:min_hard_comp=0.02,aresample=${sampleRate}:osf=flt:rematrix_maxval=1,aformat=channel_layouts=stereo`,
		`atrim=start_pts=${first}:end_pts=${first + count},asplit${SOUND}[b];[b]aresample=osf=u8,asetnsamples=n=${sampleRate}:p=0${SPAN}`,
	];
	const report = await runAudio(
		file,
		{ from: rational(first, sampleRate), to: rational(first + count, sampleRate) },
		['-filter_complex', filters.join(',')],
		['-map', SOUND, '-c:a', 'pcm_f32le', '-f', 'f32le'],
		['-map', SPAN, '-c:a', 'pcm_u8'],
		taker,
		signal,
	);
	const bytes = concat(parts);
	const samples = new Float32Array(bytes.buffer, 0, bytes.length >> 2);
	const start = report.packets[0]?.pts ?? 0;
	const silence = Math.max(0, round(mul(mul(rational(start), report.timebase), rational(sampleRate))) - first);
	const [left, right] = [new Float32Array(count), new Float32Array(count)];
	for (let i = 0; i < samples.length >> 1 && silence + i < count; i++) {
		left[silence + i] = samples[2 * i]!;
		right[silence + i] = samples[2 * i + 1]!;
	}
	return { left, right };
}
