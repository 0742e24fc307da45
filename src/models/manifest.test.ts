/** The manifest's validation: what is wrong is named, and the shipped one is right. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../core/errors.ts';
import { outputSizes } from './canary.ts';
import { readManifest, sha256, tensorDims } from './manifest.ts';
import { runAllowance } from './runtime.ts';
import { tileOptions } from './tiles.ts';

const shipped: unknown = JSON.parse(readFileSync('public/models/models.json', 'utf8'));

/** A copy of the shipped manifest with one value of its first model replaced. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
	const copy = structuredClone(shipped) as { models: Record<string, unknown>[] };
	let place = copy.models[0] as Record<string | number, unknown>;
	for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>;
	place[path.at(-1) as string] = value;
	return copy;
}

function complaint(json: unknown): string {
	try {
		readManifest(json);
	} catch (error) {
		expect(error).toBeInstanceOf(EmulsionError);
		expect((error as EmulsionError).code).toBe('model-invalid');
		return (error as EmulsionError).message;
	}
	return 'accepted';
}

describe('readManifest', () => {
	it('accepts the shipped manifest, whose files have the sizes and sums it says', async () => {
		const manifest = readManifest(shipped);
		expect(manifest.models.length).toBeGreaterThanOrEqual(5);
		for (const model of manifest.models) {
			const bytes = readFileSync(`public/models/${model.file}`);
			expect(bytes.byteLength).toBe(model.bytes);
			expect(await sha256(new Uint8Array(bytes).buffer)).toBe(model.sha256);
		}
	});

	it('names what is wrong', () => {
		const cases: [readonly (string | number)[], unknown, RegExp][] = [
			[['sha256'], 'abc', /models\[0\]\.sha256: expected 64 hexadecimal digits, got "abc"/],
			[['role'], 'paint', /models\[0\]\.role/],
			[['file'], '../secret.onnx', /models\[0\]\.file: expected a file name/],
			[['file'], 'https://example.org/x.onnx', /models\[0\]\.file/],
			[['opset'], 20, /models\[0\]\.opset: expected a number from 16 to 19/],
			[['tile'], 100, /multiple of 64/],
			[['halo'], 12, /models\[0\]\.halo: expected null/],
			[['inputs', 0, 'shape', 2], 'X', /models\[0\]\.inputs\[0\]\.shape\[2\]/],
			[['canary', 'inputs'], { a: 'x.f32' }, /models\[0\]\.canary\.inputs\.b/],
			[['canary', 'toleranceWebgpu'], 5, /toleranceWebgpu/],
			[['id'], 'ffdnet', /models\[1\]\.id: expected an id of its own/],
			[['bytes'], '12', /models\[0\]\.bytes/],
		];
		for (const [path, value, message] of cases) expect(complaint(changed(path, value))).toMatch(message);
		expect(complaint({ version: 2, models: [] })).toMatch(/version: expected 1/);
		expect(complaint({ version: 1, models: [] })).toMatch(/models: expected a list/);
		expect(complaint([])).toMatch(/expected an object/);
		expect(complaint(JSON.parse('{"__proto__":{"version":1}}'))).toMatch(/version/);
	});
});

describe('what follows from a manifest', () => {
	const { models } = readManifest(shipped);
	const find = (id: string) => models.find((model) => model.id === id)!;

	it('sizes', () => {
		expect(outputSizes(find('spanx2'), 20, 30)).toEqual({ upscaled: { channels: 3, height: 40, width: 60 } });
		expect(tensorDims(find('ffdnet').inputs[1]!, 20, 30)).toEqual([1, 1, 10, 15]);
	});

	it('tiles: legal, or refused where the receptive field has no bound', () => {
		expect(tileOptions(find('ffdnet'), { tile: 10 })).toEqual({ tile: 54, halo: 26, align: 2, scale: 1 });
		expect(() => tileOptions(find('rife'), {})).toThrowError(/not bounded/);
	});

	it('deadlines grow with the picture, within reason', () => {
		expect(runAllowance(1e-9, 100)).toBe(20_000);
		expect(runAllowance(1e-5, 1e6)).toBe(100_000);
		expect(runAllowance(1, 1e9)).toBe(900_000);
	});
});
