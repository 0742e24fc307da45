/** The one door to all encoders. */

import type { ChunkEncoder, EncodeConfig } from '../../contracts/media.ts';
import { FfmpegEncoder } from './ffmpeg-encoder.ts';
import { CONTAINERS } from './formats.ts';
import { SequenceEncoder, type SequenceOptions, sequenceName } from './sequence-encoder.ts';
import { WebCodecsEncoder } from './webcodecs-encoder.ts';

/** An encoder for a configuration; a fresh codec starts with every chunk. `sequence` matters for image sequences only. */
export function createEncoder(config: EncodeConfig, sequence?: SequenceOptions): ChunkEncoder {
	const row = CONTAINERS[config.container];
	if (row.sequence) {
		const fallback = { name: (index: number) => sequenceName(`%06d${row.extension}`, index) };
		return new SequenceEncoder(config, sequence ?? fallback);
	}
	return config.engine === 'webcodecs' ? new WebCodecsEncoder(config) : new FfmpegEncoder(config);
}
