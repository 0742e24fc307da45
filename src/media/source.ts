/** Opens films: probes, then picks the engine that gives the source's own planes, and says why. */

import type { OnProgress } from '../contracts/frames.ts';
import type { MediaSource, SourceInfo, SourceInput } from '../contracts/media.ts';
import { codecText } from '../core/codecs.ts';
import { EmulsionError, throwIfAborted } from '../core/errors.ts';
import { phrase, type Text } from '../core/phrases.ts';
import type { DecodeOptions } from './ffmpeg/decode.ts';
import { type Probed, probeFile } from './ffmpeg/probe.ts';
import { type AudioOpener, FfmpegSource } from './ffmpeg/source.ts';
import { openWebCodecs, type WebCodecsOptions, WebCodecsSource } from './webcodecs/source.ts';

/** Knobs for tests and benches; none changes what comes out. */
export interface OpenOptions {
	readonly decode?: DecodeOptions;
	readonly webcodecs?: WebCodecsOptions;
}

/**
 * Opens a film file or an image sequence. The engine is WebCodecs where it gives exactly the source's planes (it is faster),
 * else ffmpeg.wasm; `input.engine` forces one. `info.engineReason` says why.
 * @param onProgress phases `probe` and `index`, or those of a sequence's survey.
 * @throws EmulsionError `input-unreadable`, `input-truncated`, `input-no-video`, `input-encrypted`, `unsupported-format`, `usage`,
 * `aborted`; see `scans/` for sequences.
 */
export async function openSource(
	input: SourceInput,
	onProgress: OnProgress,
	signal: AbortSignal,
	options: OpenOptions = {},
): Promise<MediaSource> {
	throwIfAborted(signal);
	const first = input.files[0];
	if (!first) throw new EmulsionError('usage', phrase('no-files'));
	if (input.kind === 'sequence' || input.engine === 'scans') {
		const { openScans } = await import('./scans/source.ts');
		return openScans(input, signal, onProgress);
	}
	const probed = await probeFile(first.file, onProgress, signal);
	const audio = audioOpener(input, probed.info);
	if (input.engine === 'ffmpeg') return new FfmpegSource(probed, phrase('engine-chosen'), audio, options.decode);
	const opened = await openWebCodecs(first.file, probed, audio, options.webcodecs ?? {}, signal);
	if (opened instanceof WebCodecsSource) return opened;
	if (input.engine === 'webcodecs')
		throw new EmulsionError('unsupported-format', phrase('not-webcodecs', { name: probed.info.name, why: opened }));
	return withFfmpeg(probed, opened, audio, options);
}

function withFfmpeg(probed: Probed, reason: Text, audio: AudioOpener, options: OpenOptions): MediaSource {
	if (!probed.plan) {
		const { name, codec } = probed.info;
		throw new EmulsionError(
			'unsupported-format',
			phrase('browser-only', { name, codec: codecText(codec), why: reason }),
		);
	}
	return new FfmpegSource(probed, reason, audio, options.decode);
}

function audioOpener(input: SourceInput, info: SourceInfo): AudioOpener {
	return async (request, signal) => {
		if (info.audio.length === 0) return undefined;
		const { extractAudio } = await import('./audio/extract.ts');
		return extractAudio(input.files, info, request, signal);
	};
}
