import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patternToRegExp, protectReport, resolveInput } from './input.ts';
import { openWork } from './work.ts';

let dir: string;
beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'emulsion-in-'));
	mkdirSync(join(dir, 'scans'));
	mkdirSync(join(dir, 'none'));
	for (const name of ['reel_0002.dpx', 'reel_0001.dpx', 'other.txt', '.hidden'])
		writeFileSync(join(dir, 'scans', name), 'x');
	writeFileSync(join(dir, 'empty.mp4'), '');
	writeFileSync(join(dir, '100%.mp4'), 'x');
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('INPUT', () => {
	it('is a file, even with a percent sign', () => {
		expect(resolveInput(join(dir, '100%.mp4'))).toMatchObject({ kind: 'file', bytes: 1 });
	});

	it('is a folder or a pattern of frames', () => {
		expect(resolveInput(join(dir, 'scans')).paths.map((p) => basename(p))).toEqual([
			'other.txt',
			'reel_0001.dpx',
			'reel_0002.dpx',
		]);
		const frames = resolveInput(join(dir, 'scans', 'reel_%04d.dpx'));
		expect(frames.paths.map((p) => basename(p))).toEqual(['reel_0001.dpx', 'reel_0002.dpx']);
		expect(frames.pattern).toBe('reel_%04d.dpx');
	});

	it.each(['missing.mp4', 'empty.mp4', 'none', 'scans/x_%d.dpx', 'nowhere/x_%d.dpx'])(
		'%s is unreadable, and says why',
		(name) => {
			expect(() => resolveInput(join(dir, name))).toThrow(
				expect.objectContaining({ code: 'input-unreadable' }) as Error,
			);
		},
	);

	it('matches only numbers where the pattern has them', () => {
		const test = patternToRegExp('a.b_%03d.dpx');
		expect(
			['a.b_001.dpx', 'a.b_1234.dpx', 'a.b_01.dpx', 'axb_001.dpx', 'a.b_001.dpxx'].map((n) => test.test(n)),
		).toEqual([true, true, false, false, false]);
		expect(() => patternToRegExp('%d_%d')).toThrow(/expected one/);
	});
});

describe('work folder', () => {
	it('belongs to one run at a time and remembers its port', () => {
		const path = join(dir, 'work');
		const first = openWork(path);
		first.remember(40123);
		expect(() => openWork(path)).toThrow(/another run/);
		first.release();
		const second = openWork(path);
		expect(second.port).toBe(40123);
		second.release();
		writeFileSync(join(path, 'lock'), '999999999');
		openWork(path).release();
	});
});

describe('the report', () => {
	const others = () => ({
		input: resolveInput(join(dir, '100%.mp4')),
		output: join(dir, 'out.mkv'),
		recipe: join(dir, 'recipe.json'),
	});

	it.each([
		['INPUT', '100%.mp4'],
		['OUTPUT', 'out.mkv'],
		['--recipe', 'recipe.json'],
	])('never replaces %s', (what, name) => {
		expect(() => protectReport(join(dir, name), others(), true)).toThrow(`is ${what}`);
	});

	it('replaces a file only when told to, and may go to a device', () => {
		const report = join(dir, 'scans', 'other.txt');
		expect(() => protectReport(report, others(), false)).toThrow('exists already');
		expect(() => protectReport(report, others(), true)).not.toThrow();
		expect(() => protectReport(join(dir, 'new.json'), others(), false)).not.toThrow();
		expect(() => protectReport('/dev/null', others(), false)).not.toThrow();
	});
});
