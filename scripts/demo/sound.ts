/** The demo reel's sound: a slow waltz of plucked notes with the crackle of an optical track. 48 kHz mono PCM. */

import { hash } from './scene.ts';

/** Samples a second. */
export const SAMPLE_RATE = 48_000;

const NOTES = [220, 277.18, 329.63, 440, 329.63, 277.18, 246.94, 311.13, 369.99, 493.88];

/** `seconds` of sound as signed 16-bit samples. */
export function sound(seconds: number): Int16Array {
	const samples = new Int16Array(Math.round(seconds * SAMPLE_RATE));
	for (let i = 0; i < samples.length; i++) {
		const t = i / SAMPLE_RATE;
		let value = 0;
		for (const [k, frequency] of NOTES.entries()) {
			const age = t - k * 0.2;
			if (age < 0 || age > 1.2) continue;
			const envelope = Math.exp(-age * 4.5) * Math.min(1, age * 400);
			value += envelope * (Math.sin(2 * Math.PI * frequency * age) + 0.35 * Math.sin(4 * Math.PI * frequency * age));
		}
		const crackle = hash(i * 3 + 1) > 0.9995 ? (hash(i) - 0.5) * 0.9 : 0;
		const hiss = (hash(i + 17) - 0.5) * 0.02;
		samples[i] = Math.round(Math.max(-1, Math.min(1, value * 0.3 + crackle + hiss)) * 32_000);
	}
	return samples;
}
