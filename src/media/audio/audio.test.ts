import { describe, expect, it } from 'vitest';
import { rational } from '../../core/rational.ts';
import type { AudioRequest, AudioTrackInfo, ContainerId } from '../../contracts/media.ts';
import { packetTimes } from './copy.ts';
import { planAudio } from './plan.ts';

const track = (codec: string, sampleRate = 48000): AudioTrackInfo => ({
	stream: 1,
	codec,
	sampleRate,
	channels: 2,
	start: rational(0),
});
const request = (container: ContainerId, extra: Partial<AudioRequest> = {}): AudioRequest => ({
	container,
	from: rational(0),
	to: rational(10),
	picture: rational(0),
	stretch: rational(1),
	...extra,
});

describe('what becomes of the audio', () => {
	it.each([
		['aac', 'mp4', { kind: 'copy' }],
		['aac', 'mkv', { kind: 'copy' }],
		['aac', 'webm', { kind: 'encode', codec: 'opus', sampleRate: 48000 }],
		['opus', 'webm', { kind: 'copy' }],
		['vorbis', 'mp4', { kind: 'encode', codec: 'aac', sampleRate: 48000 }],
		['pcm_s24be', 'mov', { kind: 'pcm', codec: 'pcm_s24le', exact: true }],
		['pcm_s16le', 'mp4', { kind: 'encode', codec: 'aac', sampleRate: 48000 }],
		['vorbis', 'mov', { kind: 'pcm', codec: 'pcm_s24le', exact: false }],
		['pcm_u8', 'mkv', { kind: 'pcm', codec: 'pcm_s16le', exact: false }],
		['aac', 'dpx', { kind: 'none' }],
	] as const)('%s to %s', (codec, container, expected) => {
		expect(planAudio(track(codec), request(container))).toEqual(expected);
	});

	it('a stretched timeline needs a choice, and is never copied', () => {
		const stretch = rational(25, 24);
		expect(() => planAudio(track('aac'), request('mp4', { stretch }))).toThrow(/keep-pitch, resample or drop/);
		expect(planAudio(track('aac'), request('mp4', { stretch, stretchMode: 'drop' }))).toEqual({ kind: 'none' });
		expect(planAudio(track('aac', 44100), request('mp4', { stretch, stretchMode: 'resample' }))).toEqual({
			kind: 'encode',
			codec: 'aac',
			sampleRate: 44100,
		});
	});
});

describe('packet times', () => {
	it('are counted in samples where the clock only has milliseconds, and follow real gaps', () => {
		const packets = [0, 21, 43, 64, 585, 606].map((pts) => ({ pts, duration: 21 }));
		const times = packetTimes({ timebase: rational(1, 1000), packets }, 'aac', 48000);
		expect(times.map((t) => t.start)).toEqual([0, 1024, 2048, 3072, 28080, 29104]);
		expect(times.every((t) => t.duration === 1024)).toBe(true);
	});

	it('are taken as they are where the clock counts samples', () => {
		const packets = [-1024, 0, 1024].map((pts) => ({ pts, duration: 1024 }));
		const times = packetTimes({ timebase: rational(1, 44100), packets }, 'aac', 44100);
		expect(times.map((t) => t.start)).toEqual([-1024, 0, 1024]);
	});
});
