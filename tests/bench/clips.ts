/** Clips for benches, made by the native ffmpeg when they are needed and kept in `.cache/bench-clips`. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/build.ts';
import { ensureFfmpeg } from '../../scripts/ensure.ts';
import { encodeDpx } from '../../src/media/scans/dpx/dpx.ts';
import { DpxHeader } from '../../src/media/scans/dpx/header.ts';
import { allocatePicture, rgbFormat, UNTAGGED } from '../../src/media/scans/picture.ts';

const DIR = join(ROOT, '.cache', 'bench-clips');

function made(name: string, make: (path: string) => void): string {
	mkdirSync(DIR, { recursive: true });
	const path = join(DIR, name);
	if (!existsSync(path)) {
		const part = join(DIR, `part-${name}`);
		make(part);
		renameSync(part, path);
	}
	return path;
}

/** Moving picture with a little noise, H.264 with B-frames, BT.709: what a camera's file is like. */
export function h264Clip(width: number, height: number, frames: number, fps: number, preset = 'medium'): string {
	ensureFfmpeg(console.log);
	return made(`h264-${width}x${height}-${frames}-${fps}-${preset}.mp4`, (path) => {
		const picture = `testsrc2=size=${width}x${height}:rate=${fps},noise=alls=6:allf=t`;
		const tags = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
		execFileSync('ffmpeg', [
			...['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-frames:v', String(frames), '-pix_fmt', 'yuv420p'],
			...['-c:v', 'libx264', '-preset', preset, '-crf', '23', '-g', String(fps * 2), ...tags, '-f', 'mp4', path],
		]);
	});
}

/** A folder of 2048×1556 10-bit log DPX scans. */
export function dpxFolder(frames: number): string {
	return made(`dpx-2k-${frames}`, (path) => {
		mkdirSync(path, { recursive: true });
		const size = { width: 2048, height: 1556 };
		const picture = allocatePicture(rgbFormat(3, 10), size, { ...UNTAGGED, transfer: 'log' });
		let state = 1;
		for (let frame = 0; frame < frames; frame++) {
			for (const plane of picture.planes) {
				for (let i = 0; i < plane.length; i++) {
					state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
					// A ramp that moves, with grain of a few codes.
					plane[i] = 95 + (((i % size.width) + frame * 16) % 560) + (state >>> 28);
				}
			}
			const number = String(86400 + frame).padStart(7, '0');
			writeFileSync(join(path, `reel_${number}.dpx`), encodeDpx(picture, { header: DpxHeader.create(false) }));
		}
	});
}
