import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PartsLedger } from './parts.ts';

let dir: string;
let path: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'emulsion-parts-'));
	path = join(dir, 'parts.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true }));

const part = (bytes: number) => ({ bytes, sha256: 'ab'.repeat(32) });

it('remembers finished frames for the same command, also when the last line was cut', () => {
	const first = new PartsLedger(path, { a: 1 }, dir);
	first.add('a.dpx', part(1));
	first.add('b.dpx', part(2));
	appendFileSync(path, '{"name":"c.dpx","by');
	const again = new PartsLedger(path, { a: 1 }, dir);
	expect([again.get('a.dpx'), again.get('b.dpx'), again.get('c.dpx')]).toEqual([part(1), part(2), undefined]);
	again.clear();
	expect(existsSync(path)).toBe(false);
});

it('another command, or another folder, removes the frames of the one before and none else', () => {
	for (const [command, folder] of [
		[{ a: 2 }, dir],
		[{ a: 1 }, join(dir, 'elsewhere')],
	] as const) {
		const first = new PartsLedger(path, { a: 1 }, dir);
		for (const name of ['a.dpx.part', 'stray.dpx.part', 'a.dpx']) writeFileSync(join(dir, name), name);
		first.add('a.dpx', part(1));
		const other = new PartsLedger(path, command, folder);
		expect(other.get('a.dpx')).toBeUndefined();
		expect(['a.dpx.part', 'stray.dpx.part', 'a.dpx'].map((n) => existsSync(join(dir, n)))).toEqual([false, true, true]);
		rmSync(path);
	}
});

it('does not follow hostile lines out of the folder', () => {
	const outside = join(dir, 'outside.part');
	writeFileSync(outside, '');
	const inner = join(dir, 'inner');
	writeFileSync(
		path,
		`${JSON.stringify({ version: 1, key: 'x', dir: inner })}\n{"name":"../outside","bytes":1,"sha256":"x"}\n`,
	);
	new PartsLedger(path, {}, inner);
	expect(existsSync(outside)).toBe(true);
	expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(2);
});
