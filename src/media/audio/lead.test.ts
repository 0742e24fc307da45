import { describe, expect, it } from 'vitest';
import { rational } from '../../core/rational.ts';
import { soundLead } from './lead.ts';

const track = (codec: string, start: number, sampleRate = 48000) => ({
	...{ stream: 1, codec, sampleRate, channels: 2 },
	start: rational(start, 1000),
});
const lead = (codec: string, start: number, picture: number, sampleRate?: number) =>
	soundLead(track(codec, start, sampleRate), rational(picture, 1000));

describe('sound before the first picture', () => {
	it('is all that comes before it, on any clock', () => {
		expect(lead('pcm_s16le', 0, 500)).toEqual(rational(1, 2));
		expect(lead('flac', -250, 230)).toEqual(rational(48, 100));
		expect(lead('pcm_s24le', 1400, 1401)).toEqual(rational(1, 1000));
	});

	it('is nothing where the sound starts with the picture or after it', () => {
		expect(lead('aac', 500, 500)).toEqual(rational(0));
		expect(lead('flac', 700, 500)).toEqual(rational(0));
	});

	it('of a codec with priming, is more than a packet', () => {
		expect(lead('aac', 0, 42)).toEqual(rational(0));
		expect(lead('aac', 0, 43)).toEqual(rational(43, 1000));
		expect(lead('opus', 0, 20)).toEqual(rational(0));
		// Half the rate, twice the time.
		expect(lead('mp3', 0, 80, 24000)).toEqual(rational(0));
		// A header that states no rate.
		expect(lead('aac', 0, 20, 0)).toEqual(rational(20, 1000));
	});
});
