/**
 * `npx tsx scripts/reference/niqe.ts [DATA]`: fits NIQE's Gaussian to the training photographs of DATA (default `$EMULSION_DATA` or
 * `../shared/data`; `photos/train`) and writes `src/analysis/quality/niqe-pristine.json`. Nothing of a photograph is kept but what all sharp patches of all
 * photographs have in common: 36 means and their covariance.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FEATURES, niqePatches } from '../../src/analysis/quality/niqe.ts';
import { gaussianOf } from '../../src/analysis/quality/niqe-fit.ts';
import { lumaOf } from '../../src/analysis/quality/planes.ts';
import { readStill } from '../../tests/helpers/native-frames.ts';

const DATA = process.argv[2] ?? process.env['EMULSION_DATA'] ?? '../shared/data';
const OUT = 'src/analysis/quality/niqe-pristine.json';
/** Patches with at least this share of their picture's highest local contrast count as sharp (the paper's T). */
const SHARP = 0.75;
/** Six digits: the distance then changes by less than a thousandth. */
const round = (value: number): number => Number(value.toPrecision(6));

const files = ['bsds', 'imagenet'].flatMap((set) => {
	const folder = join(DATA, 'photos/train', set);
	return readdirSync(folder)
		.filter((name) => /\.(jpe?g|png)$/i.test(name))
		.sort()
		.map((name) => join(folder, name));
});
const features: (readonly number[])[] = [];
for (const file of files) {
	const patches = niqePatches(lumaOf(readStill(file)));
	const most = Math.max(...patches.map(({ contrast }) => contrast));
	features.push(...patches.filter(({ contrast }) => contrast > SHARP * most).map((patch) => patch.features));
}
const { mean, covariance } = gaussianOf(features);
const triangle: number[] = [];
for (let i = 0; i < FEATURES; i++)
	for (let j = i; j < FEATURES; j++) triangle.push(round(covariance[i * FEATURES + j]!));
const fit = {
	command: 'npx tsx scripts/reference/niqe.ts',
	photographs: files.length,
	patches: features.length,
	mean: mean.map(round),
	covariance: triangle,
};
writeFileSync(OUT, JSON.stringify(fit));
execFileSync('npx', ['prettier', '--write', OUT]);
console.log(`${OUT}: ${features.length} patches of ${files.length} photographs`);
