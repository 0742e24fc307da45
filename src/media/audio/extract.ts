/** The audio of an export: one stream, cut to the range on the source's own clock, ready for the muxer. */

import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { compare } from '../../core/rational.ts';
import type { AudioRequest, AudioResult, InputFile, SourceInfo } from '../../contracts/media.ts';
import { copyAudio } from './copy.ts';
import { planAudio } from './plan.ts';
import { transcodeAudio } from './transcode.ts';

/**
 * Takes one audio track. Packets are copied where container and timeline allow; else the sound becomes PCM (mov, mkv),
 * AAC (mp4) or Opus (webm), encoded once. `offset` and `duration` count presented samples: priming and edit lists of
 * the source are applied.
 * @returns undefined where there is no audio in the range, or the container or the request takes none.
 * @throws EmulsionError `usage` for an unknown track, an empty range, or a stretched timeline without a mode;
 * `input-unreadable`, `aborted`.
 */
export async function extractAudio(
	files: readonly InputFile[],
	info: SourceInfo,
	request: AudioRequest,
	signal: AbortSignal,
): Promise<AudioResult | undefined> {
	throwIfAborted(signal);
	const track = request.stream === undefined ? info.audio[0] : info.audio.find((t) => t.stream === request.stream);
	if (!track) {
		if (request.stream === undefined) return undefined;
		const known = info.audio.map((t) => String(t.stream));
		throw new EmulsionError('usage', phrase('audio-stream', { known, stream: request.stream }));
	}
	if (compare(request.to, request.from) <= 0) {
		throw new EmulsionError('usage', phrase('audio-range'));
	}
	const file = files[0]?.file;
	if (!file) return undefined;
	const plan = planAudio(track, request);
	if (plan.kind === 'none') return undefined;
	if (plan.kind === 'copy') return copyAudio(file, info.container, track, request, signal);
	return transcodeAudio(file, track, request, plan, signal);
}
