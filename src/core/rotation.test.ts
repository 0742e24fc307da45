import { expect, it } from 'vitest';
import { storedIndex, upright } from './rotation.ts';

it('brings a stored picture upright', () => {
	// Stored 3×2, rows 0 1 2 and 3 4 5.
	const stored = { width: 3, height: 2 };
	const seen = ([0, 90, 180, 270] as const).map((rotation) => {
		const { width, height } = upright(stored, rotation);
		const at = storedIndex(stored, rotation);
		return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => at(x, y)));
	});
	expect(seen).toEqual([
		[
			[0, 1, 2],
			[3, 4, 5],
		],
		[
			[3, 0],
			[4, 1],
			[5, 2],
		],
		[
			[5, 4, 3],
			[2, 1, 0],
		],
		[
			[2, 5],
			[1, 4],
			[0, 3],
		],
	]);
});
