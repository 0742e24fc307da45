/** A shot's spectrum: a few frames pooled, of large ones a few parts. */

import type { ShotAccess, StageEnv } from '../../contracts/stage.ts';
import type { Rect } from '../../core/tiles.ts';
import type { Size } from '../../core/color.ts';
import { usingAsync } from '../../gpu/op.ts';
import { crop } from '../../gpu/ops/window/op.ts';
import { type Spectrum, SpectrumMeter } from './spectrum.ts';

/** Frames looked at, spread over the shot. */
const FRAMES = 4;
/** Pictures up to this many pixels are read back whole, of larger ones five parts of this side. */
const WHOLE = 640 * 480;
const PART = 320;

/** What is looked at of a picture: all of it, or its middle and the middles of its quarters. */
export function partsOf({ width, height }: Size): Rect[] {
	if (width * height <= WHOLE) return [{ x: 0, y: 0, width, height }];
	const [w, h] = [Math.min(PART, width), Math.min(PART, height)];
	return [
		[0.5, 0.5],
		[0.25, 0.25],
		[0.75, 0.25],
		[0.25, 0.75],
		[0.75, 0.75],
	].map(([x, y]) => ({ x: Math.round((width - w) * x!), y: Math.round((height - h) * y!), width: w, height: h }));
}

/**
 * Pools the spectrum of a shot; undefined where there is no detail to speak of.
 * @param sigma standard deviation of the noise on the scale of the picture
 */
export async function shotSpectrum(
	access: ShotAccess,
	sigma: number,
	{ compute, breathe }: Pick<StageEnv, 'compute' | 'breathe'>,
): Promise<Spectrum | undefined> {
	const { start, end } = access.range;
	const count = Math.min(FRAMES, end - start);
	const meter = new SpectrumMeter();
	for (let i = 0; i < count; i++) {
		await breathe();
		const { picture, sides, color } = await access.frame(start + Math.floor(((end - start) * (i + 0.5)) / count));
		for (const side of Object.values(sides)) side.release();
		await usingAsync([picture], async () => {
			for (const rect of partsOf(picture)) {
				const part = crop(compute, picture, rect);
				const data = await usingAsync([part], async () => new Float32Array(await compute.readback(part)));
				meter.add({ data, width: rect.width, height: rect.height }, color.transfer, sigma);
				await breathe();
			}
		});
	}
	return meter.spectrum();
}
