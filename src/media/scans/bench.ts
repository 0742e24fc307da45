/** How fast a 2048×1556 10-bit DPX (a 2K full-aperture scan) is read and written; `tests/bench` prints it. */
import { decodeDpx, encodeDpx } from './dpx/dpx.ts';
import { DpxHeader } from './dpx/header.ts';
import { allocatePicture, rgbFormat, UNTAGGED, type ScanPicture } from './picture.ts';

/** Milliseconds and rate of one direction. */
export interface ScanBenchResult {
	readonly name: string;
	/** Median wall time a frame. */
	readonly milliseconds: number;
	/** Bytes of DPX a second, in MB/s. */
	readonly megabytesPerSecond: number;
}

const SIZE = { width: 2048, height: 1556 } as const;

function reelFrame(): ScanPicture {
	const picture = allocatePicture(rgbFormat(3, 10), SIZE, { ...UNTAGGED, transfer: 'log' });
	let state = 1;
	for (const plane of picture.planes) {
		for (let i = 0; i < plane.length; i++) {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			plane[i] = state >>> 22;
		}
	}
	return picture;
}

function median(run: () => unknown, iterations: number): number {
	run();
	const times = Array.from({ length: iterations }, () => {
		const started = performance.now();
		run();
		return performance.now() - started;
	}).sort((a, b) => a - b);
	return times[times.length >> 1] ?? 0;
}

/**
 * Reads and writes one frame `iterations` times in memory, big- and little-endian, after a warm-up; headers included.
 * Throws when a frame does not come back as it went, so that no wrong codec is measured.
 */
export function benchDpx2k(iterations = 15): ScanBenchResult[] {
	const picture = reelFrame();
	return [false, true].flatMap((littleEndian) => {
		const header = DpxHeader.create(littleEndian);
		const file = encodeDpx(picture, { header });
		const back = decodeDpx(file);
		if (!encodeDpx(back, { header: back.header }).every((byte, i) => byte === file[i]))
			throw new Error('DPX round trip differs');
		const order = littleEndian ? 'little-endian' : 'big-endian';
		const result = (name: string, milliseconds: number): ScanBenchResult => ({
			name: `${name} DPX 2048×1556 10 bit, ${order}`,
			milliseconds,
			megabytesPerSecond: file.length / 1000 / milliseconds,
		});
		return [
			result(
				'read',
				median(() => decodeDpx(file), iterations),
			),
			result(
				'write',
				median(() => encodeDpx(picture, { header }), iterations),
			),
		];
	});
}
