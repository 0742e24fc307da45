/**
 * Makes the demo reel into `public/demo/`: 24 frames at 12 fps, 192×144, two shots, with grain, dirt, a scratch, flicker,
 * weave and sound, and the recipe that restores it. Deterministic; nothing from elsewhere goes into it.
 * `npx tsx scripts/demo/make.ts` makes it anew.
 */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../build.ts';
import { writeAvi } from './avi.ts';
import { dirt, flicker, grain, weave } from './damage.ts';
import { CUT, scene } from './scene.ts';
import { SAMPLE_RATE, sound } from './sound.ts';

const WIDTH = 192;
const HEIGHT = 144;
const FRAMES = 24;
const RATE = 12;
/** Grain amplitude in 8-bit code values at mid gray. */
const GRAIN = 11;
/** Bumped when the reel's content changes, so that an older one is made anew. */
const REEL_VERSION = 3;

/** Folder of the reel in the app. */
export const DEMO_DIR = join(ROOT, 'public', 'demo');

/** The recipe that comes with the reel. */
export const DEMO_RECIPE = {
	version: 1,
	stages: [
		{ stage: 'degrain' },
		{ stage: 'upscale', params: { factor: 2, character: 'faithful' } },
		{ stage: 'interpolate', params: { factor: 2, still: 0, denoised: false } },
	],
};

/** Rec. 709 camera curve (ITU-R BT.709-6, 1.2). */
function encodeTransfer(light: number): number {
	const l = Math.min(1, Math.max(0, light));
	return l < 0.018 ? 4.5 * l : 1.099 * l ** 0.45 - 0.099;
}

/** R′G′B′ of one damaged frame, 0…1 before quantization, planar. */
function drawFrame(frame: number): Float32Array {
	const shot = frame < CUT ? 0 : 1;
	const time = (frame - (shot === 0 ? 0 : CUT)) / RATE;
	const [wx, wy] = weave(frame);
	const gain = flicker(frame);
	const grains = [0, 1, 2].map((channel) => grain(WIDTH, HEIGHT, frame * 3 + channel + 1));
	const shared = grain(WIDTH, HEIGHT, frame + 40_000);
	const out = new Float32Array(WIDTH * HEIGHT * 3);
	const taps = [-0.42, 0, 0.42];
	for (let y = 0; y < HEIGHT; y++) {
		for (let x = 0; x < WIDTH; x++) {
			const sum: [number, number, number] = [0, 0, 0];
			for (const dy of taps) {
				for (const dx of taps) {
					const c = scene(shot, (x + 0.5 + dx) / HEIGHT + wx, (y + 0.5 + dy) / HEIGHT + wy, time);
					for (let k = 0; k < 3; k++) sum[k] = sum[k]! + c[k]! / 9;
				}
			}
			const [opacity, value] = dirt(frame, x, y, WIDTH);
			const i = y * WIDTH + x;
			for (let k = 0; k < 3; k++) {
				const code = encodeTransfer(sum[k]! * gain);
				// Strongest in the middle of the density range, as on a print.
				const amplitude = (GRAIN / 255) * (0.45 + 2.2 * code * (1 - code));
				const grained = code + amplitude * (0.8 * shared[i]! + 0.6 * grains[k]![i]!);
				out[k * WIDTH * HEIGHT + i] = grained * (1 - opacity) + value * opacity;
			}
		}
	}
	return out;
}

/** 8-bit I420, BT.601 limited range, chroma averaged over 2×2. */
function toI420(rgb: Float32Array): Uint8Array {
	const n = WIDTH * HEIGHT;
	const out = new Uint8Array((n * 3) / 2);
	const clip = (v: number): number => Math.min(254, Math.max(1, Math.round(v)));
	for (let i = 0; i < n; i++)
		out[i] = clip(16 + 219 * (0.299 * rgb[i]! + 0.587 * rgb[n + i]! + 0.114 * rgb[2 * n + i]!));
	for (let y = 0; y < HEIGHT / 2; y++) {
		for (let x = 0; x < WIDTH / 2; x++) {
			let cb = 0;
			let cr = 0;
			for (const j of [0, 1]) {
				for (const i of [0, 1]) {
					const p = (2 * y + j) * WIDTH + 2 * x + i;
					const luma = 0.299 * rgb[p]! + 0.587 * rgb[n + p]! + 0.114 * rgb[2 * n + p]!;
					cb += (rgb[2 * n + p]! - luma) / 1.772 / 4;
					cr += (rgb[p]! - luma) / 1.402 / 4;
				}
			}
			out[n + y * (WIDTH / 2) + x] = clip(128 + 224 * cb);
			out[n + n / 4 + y * (WIDTH / 2) + x] = clip(128 + 224 * cr);
		}
	}
	return out;
}

/** Bytes of the reel. */
export function makeReel(): Buffer {
	return writeAvi({
		width: WIDTH,
		height: HEIGHT,
		rate: RATE,
		frames: Array.from({ length: FRAMES }, (_, i) => toI420(drawFrame(i))),
		sampleRate: SAMPLE_RATE,
		samples: sound(FRAMES / RATE),
	});
}

/** Makes the reel where it is missing or old. */
export function ensureDemoReel(log: (line: string) => void = () => undefined, force = false): void {
	const stamp = join(DEMO_DIR, `reel-${REEL_VERSION}.made`);
	if (!force && existsSync(stamp)) return;
	log('Making the demo reel…');
	mkdirSync(DEMO_DIR, { recursive: true });
	writeFileSync(join(DEMO_DIR, 'reel.avi'), makeReel());
	const description = { version: 1, title: 'Street and harbor', file: 'reel.avi', recipe: DEMO_RECIPE };
	writeFileSync(join(DEMO_DIR, 'reel.json'), `${JSON.stringify(description, null, 2)}\n`);
	writeFileSync(stamp, '');
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) ensureDemoReel(console.log, true);
