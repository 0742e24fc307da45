import { describe, expect, it } from 'vitest';
import { ANALYSIS, Passing } from './passing.ts';

const TOP = 2;

function passing() {
	const gone: string[] = [];
	return { gone, frames: new Passing({ forget: (key) => void gone.push(key) }) };
}

describe('passing', () => {
	it('lets go of a frame that its consumer has not asked for in its last renders', () => {
		const { gone, frames } = passing();
		for (let i = 0; i < 6; i++) {
			frames.turn(TOP);
			frames.touch(`f${i}`, TOP, true);
		}
		expect(gone).toEqual(['f0', 'f1', 'f2']);
		frames.end();
		expect(gone).toEqual(['f0', 'f1', 'f2', 'f3', 'f4', 'f5']);
	});

	it('keeps what is asked for again, and what another consumer still wants', () => {
		const { gone, frames } = passing();
		frames.turn(1);
		frames.touch('guide', 1, true);
		for (let i = 0; i < 5; i++) {
			frames.turn(TOP);
			frames.touch('guide', TOP, false);
		}
		expect(gone).toEqual([]);
		for (let i = 0; i < 5; i++) frames.turn(TOP);
		// Consumer 1 may still come back: it has not rendered since.
		expect(gone).toEqual([]);
		for (let i = 0; i < 3; i++) frames.turn(1);
		expect(gone).toEqual(['guide']);
	});

	it('keeps what analysis saw until a render has used it', () => {
		const { gone, frames } = passing();
		frames.touch('seen', ANALYSIS, true);
		for (let i = 0; i < 9; i++) frames.turn(TOP);
		expect(gone).toEqual([]);
		frames.touch('seen', TOP, false);
		for (let i = 0; i < 3; i++) frames.turn(TOP);
		expect(gone).toEqual(['seen']);
	});

	it('does not let go of what was in the store before', () => {
		const { gone, frames } = passing();
		frames.touch('rendered on purpose', TOP, false);
		for (let i = 0; i < 9; i++) frames.turn(TOP);
		frames.end();
		expect(gone).toEqual([]);
	});
});
