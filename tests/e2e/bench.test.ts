/** `npm run bench -- gpu` never calls a software adapter a GPU. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';

function bench(...args: string[]): { readonly status: number | null; readonly stderr: string } {
	const script = join(ROOT, 'scripts', 'bench.ts');
	return spawnSync(process.execPath, ['--import', 'tsx', script, ...args], { cwd: ROOT, encoding: 'utf8' });
}

describe('npm run bench', () => {
	it('gpu: refuses SwiftShader by name, with exit code 6', () => {
		const { status, stderr } = bench('gpu', '--adapter', 'software');
		expect(stderr).toContain('There is no GPU to measure');
		expect(stderr).toMatch(/software \(.*swiftshader/i);
		expect(status).toBe(6);
	});

	it('wrong usage: exit code 2, and what is legal', () => {
		const { status, stderr } = bench('speed');
		expect(stderr).toContain('expected decode, passthrough, tiles, dpx, demo, memory, gpu');
		expect(status).toBe(2);
	});
});
