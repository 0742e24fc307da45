/** The one door to all encoders. */

import type { ChunkEncoder, EncodeConfig } from '../../contracts/media.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { checkEncodeSize } from './choose.ts';
import { FfmpegEncoder } from './ffmpeg-encoder.ts';
import { CODECS, CONTAINERS } from './formats.ts';
import { SequenceEncoder, type SequenceOptions, sequenceName } from './sequence-encoder.ts';
import { WebCodecsEncoder } from './webcodecs-encoder.ts';

/**
 * An encoder for a configuration; a fresh codec starts with every chunk. `sequence` matters for image sequences only.
 * @throws EmulsionError `unsupported-format` for sizes and engines the codec does not have.
 */
export function createEncoder(config: EncodeConfig, sequence?: SequenceOptions): ChunkEncoder {
	const row = CONTAINERS[config.container];
	const codec = CODECS[config.codec];
	if (!codec.engines.includes(config.engine)) {
		throw new EmulsionError(
			'unsupported-format',
			phrase('not-by-engine', { codec: codec.label, engine: phrase(`encoder-${config.engine}`) }),
		);
	}
	checkEncodeSize(config.codec, config.size);
	if (row.sequence) {
		const fallback = { name: (index: number) => sequenceName(`%06d${row.extension}`, index) };
		return new SequenceEncoder(config, sequence ?? fallback);
	}
	return config.engine === 'webcodecs' ? new WebCodecsEncoder(config) : new FfmpegEncoder(config);
}
