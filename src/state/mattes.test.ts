import { describe, expect, it } from 'vitest';
import { isMatteId } from '../core/regions.ts';
import { MATTE } from '../project/project.testkit.ts';
import { freeId } from './mattes.svelte.ts';

const named = (path: string, kind: 'file' | 'sequence' = 'file', count = 1, taken: readonly string[] = []): string =>
	freeId(
		{ mattes: taken.map((id) => ({ ...MATTE, id })) },
		{ kind, files: Array.from({ length: count }, () => ({ path, file: new File([], 'x') })) },
	);

describe('names of new mattes', () => {
	it('come from the file, the folder or the stem of the frames', () => {
		expect(named('face.mkv')).toBe('face');
		expect(named('/scans/face left.v2.mov')).toBe('face-left.v2');
		expect(named('still.png', 'sequence')).toBe('still');
		expect(named('sky/sky_0001.png', 'sequence', 3)).toBe('sky');
		expect(named('sky_0001.png', 'sequence', 3)).toBe('sky');
	});

	it('are ids, whatever the file is called, and free', () => {
		for (const path of ['all.mov', '遮罩.mov', '.mov', '---.mov', `${'x'.repeat(300)}.mov`, 'outside:x.mov']) {
			expect(isMatteId(named(path)), path).toBe(true);
		}
		expect(named('face.mkv', 'file', 1, ['face', 'face-2'])).toBe('face-3');
	});
});
