/** Opens films: probes, then picks the engine that gives the source's own planes and says why. */

import type { OnProgress } from '../contracts/frames.ts';
import type { AudioRequest, AudioResult, MediaSource, SourceInfo, SourceInput } from '../contracts/media.ts';
import { EmulsionError, throwIfAborted } from '../core/errors.ts';
import type { DecodeOptions } from './ffmpeg/decode.ts';
import { type Probed, probeFile } from './ffmpeg/probe.ts';
import { type AudioOpener, FfmpegSource } from './ffmpeg/source.ts';

/** Knobs for tests and benches; none changes what comes out. */
export interface OpenOptions {
	readonly decode?: DecodeOptions;
}

/**
 * Opens a film file or an image sequence.
 * @param onProgress phases `probe` and `index`.
 * @throws EmulsionError `input-unreadable`, `input-no-video`, `input-encrypted`, `unsupported-format`, `usage`, `aborted`;
 * for sequences also `transfer-unknown`.
 */
export async function openSource(
	input: SourceInput,
	onProgress: OnProgress,
	signal: AbortSignal,
	options: OpenOptions = {},
): Promise<MediaSource> {
	throwIfAborted(signal);
	const first = input.files[0];
	if (!first) throw new EmulsionError('usage', 'No file was given.');
	const probed = await probeFile(first.file, onProgress, signal);
	return chooseEngine(input, probed, options);
}

function chooseEngine(input: SourceInput, probed: Probed, options: OpenOptions): MediaSource {
	return new FfmpegSource(probed, 'reads every format', audioOpener(input, probed.info), options.decode ?? {});
}

function audioOpener(_input: SourceInput, _info: SourceInfo): AudioOpener {
	return (_request: AudioRequest, _signal: AbortSignal): Promise<AudioResult | undefined> => Promise.resolve(undefined);
}
