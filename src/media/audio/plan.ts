/** Decides what becomes of a source's audio in a container: copied, brought to PCM, or transcoded once. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { ONE, equal } from '../../core/rational.ts';
import type { AudioRequest, AudioTrackInfo } from '../../contracts/media.ts';
import { CONTAINERS } from '../encode/formats.ts';

/** What is done. */
export type AudioPlan =
	| { readonly kind: 'none' }
	/** Packets as they are. */
	| { readonly kind: 'copy' }
	/** Linear PCM, little-endian; `exact` where no sample changes. */
	| { readonly kind: 'pcm'; readonly codec: string; readonly exact: boolean }
	| { readonly kind: 'encode'; readonly codec: 'aac' | 'opus'; readonly sampleRate: number };

const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000];
const OPUS_RATE = 48000;

/** PCM that holds a source's samples: its own depth where it is PCM, 24 bit for what a codec decodes to. */
function pcmFor(codec: string): { codec: string; exact: boolean } {
	const pcm = /^pcm_([suf])(\d+)/.exec(codec);
	const bits = Number(pcm?.[2] ?? 0);
	if (pcm?.[1] === 'f') return { codec: `pcm_f${bits}le`, exact: true };
	if (bits > 0 && bits <= 16) return { codec: 'pcm_s16le', exact: bits === 16 && pcm?.[1] === 's' };
	if (bits === 24) return { codec: 'pcm_s24le', exact: true };
	if (bits === 32) return { codec: 'pcm_s32le', exact: true };
	return { codec: 'pcm_s24le', exact: false };
}

/**
 * Plans the audio. A stretched timeline needs a mode.
 * @throws EmulsionError `usage` where the timeline is stretched and nobody said what the sound shall do.
 */
export function planAudio(track: AudioTrackInfo, request: AudioRequest): AudioPlan {
	const row = CONTAINERS[request.container];
	if (row.audioFallback === 'none') return { kind: 'none' };
	const isStretched = !equal(request.stretch, ONE);
	if (isStretched && request.stretchMode === undefined) {
		throw new EmulsionError('usage', phrase('stretch-open'));
	}
	if (isStretched && request.stretchMode === 'drop') return { kind: 'none' };
	const isPcm = track.codec.startsWith('pcm_');
	if (isPcm && row.audioCopy.includes('pcm')) {
		const pcm = pcmFor(track.codec);
		return { kind: 'pcm', ...pcm, exact: pcm.exact && !isStretched };
	}
	if (!isStretched && row.audioCopy.includes(track.codec)) return { kind: 'copy' };
	if (row.audioFallback === 'pcm') return { kind: 'pcm', ...pcmFor(track.codec), exact: false };
	if (row.audioFallback === 'opus') return { kind: 'encode', codec: 'opus', sampleRate: OPUS_RATE };
	const sampleRate = AAC_RATES.includes(track.sampleRate) ? track.sampleRate : 48000;
	return { kind: 'encode', codec: 'aac', sampleRate };
}
