import { describe, expect, it } from 'vitest';
import { formatSeconds, ProgressWriter } from './progress.ts';

const at = (done: number) => ({ phase: 'render', done, total: 100, framesPerSecond: 2, remainingSeconds: 50 }) as const;

describe('progress', () => {
	it('prints plain lines at tenths where there is no terminal', () => {
		let text = '';
		const writer = new ProgressWriter({ write: (t) => (text += t) });
		for (let i = 0; i <= 100; i++) writer.update(at(i));
		writer.end();
		expect(text.split('\n')).toHaveLength(12);
		expect(text).not.toContain('\x1b');
		expect(text).toContain('restoring 50/100  2.00 fps  0:50 left');
	});

	it.each([200, 80, 48, 30, 0])('draws a bar that fits a terminal of %d columns (0: unknown)', (columns) => {
		let text = '';
		const writer = new ProgressWriter({ isTTY: true, columns, write: (t) => (text += t) });
		writer.update(at(50));
		const line = text.replace('\r\x1b[2K', '');
		expect(line.length).toBeLessThan(columns === 0 ? 80 : columns);
		expect(line).toMatch(/^\[=+ +\] {2}50 %/);
	});

	it('prints lines above the bar, which stays', () => {
		let text = '';
		const writer = new ProgressWriter({ isTTY: true, columns: 80, write: (t) => (text += t) });
		writer.line('first');
		writer.update(at(50));
		writer.line('second');
		writer.end();
		const bar = /\[=+ +\][^\r\n]*/.exec(text)![0];
		expect(text).toBe(`\r\x1b[2Kfirst\n\r\x1b[2K${bar}\r\x1b[2Ksecond\n${bar}\n`);
	});

	it('counts no frames before it knows how many there are', () => {
		let text = '';
		const writer = new ProgressWriter({ write: (t) => (text += t) });
		writer.update({ phase: 'plan', done: 0, total: 0, framesPerSecond: 0, remainingSeconds: null });
		expect(text).toBe('planning\n');
	});

	it('formats time', () => {
		expect([5, 65, 3725].map(formatSeconds)).toEqual(['0:05', '1:05', '1:02:05']);
	});
});
