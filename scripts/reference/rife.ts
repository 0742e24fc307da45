/**
 * Makes `tests/fixtures/rife-mid.rgb8`: the frame between two frames of the demo's street as the original network computes
 * it in PyTorch. `npx tsx scripts/reference/rife.ts`, with the Python of `training/.venv` (or `PYTHON=…`).
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RIFE_REFERENCE, scenePicture } from './scene-picture.ts';

const root = resolve(import.meta.dirname, '../..');
const { width, height, times } = RIFE_REFERENCE;
const folder = mkdtempSync(join(tmpdir(), 'emulsion-rife-'));
try {
	const inputs = times.map((time, i) => {
		const path = join(folder, `${i}.rgb8`);
		writeFileSync(
			path,
			Uint8Array.from(scenePicture(0, width, height, time), (v) => Math.round(v * 255)),
		);
		return path;
	});
	const python = process.env['PYTHON'] ?? join(root, 'training/.venv/bin/python');
	const output = join(root, 'tests/fixtures/rife-mid.rgb8');
	execFileSync(
		python,
		['-m', 'emulsion_training.reference', ...inputs, output, '--size', `${width}x${height}`, '--t', '0.5'],
		{ cwd: join(root, 'training'), stdio: 'inherit' },
	);
} finally {
	rmSync(folder, { recursive: true, force: true });
}
