/**
 * What lies in `public/models`: the files are those of the manifest, made as it says, with their papers. It needs no Python; what
 * needs PyTorch (the comparison with the original networks, the importer itself) is in `training/tests`.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelSpec } from '../../src/contracts/models.ts';
import { readManifest, tensorDims } from '../../src/models/manifest.ts';
import { FLOAT, FLOAT16, type OnnxFile, readOnnx } from '../helpers/onnx.ts';

const DIR = 'public/models';
/** Tensors of so many values are stored as float16. */
const HALVED_FROM = 1024;
const read = (...path: string[]): Buffer => readFileSync(join(DIR, ...path));
const { models } = readManifest(JSON.parse(read('models.json').toString('utf8')));
const cases = models.map((model): [string, ModelSpec] => [model.id, model]);
const files = new Map<string, OnnxFile>();
const open = (model: ModelSpec): OnnxFile => {
	const file = files.get(model.id) ?? readOnnx(read(model.file));
	files.set(model.id, file);
	return file;
};
const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const ports = (list: ModelSpec['inputs']) => Object.fromEntries(list.map((p) => [p.name, p.shape]));

it('every ONNX file is in the manifest, every canary file belongs to a model, and all of it stays small', () => {
	const lies = readdirSync(DIR, { recursive: true, encoding: 'utf8' }).filter((path) =>
		statSync(join(DIR, path)).isFile(),
	);
	expect(lies.filter((path) => path.endsWith('.onnx')).sort()).toEqual(models.map((m) => m.file).sort());
	const canaries = models.flatMap((m) => [...Object.values(m.canary.inputs), ...Object.values(m.canary.outputs)]);
	expect(lies.filter((path) => path.startsWith('canary/')).sort()).toEqual(canaries.sort());
	expect(lies.reduce((sum, path) => sum + statSync(join(DIR, path)).size, 0)).toBeLessThan(32e6);
});

describe.each(cases)('%s', (id, model) => {
	it('has the size and the sum of its line, its operator set, its ports', () => {
		const bytes = read(model.file);
		expect(bytes.length).toBe(model.bytes);
		expect(createHash('sha256').update(bytes).digest('hex')).toBe(model.sha256);
		const file = open(model);
		expect(file.opset).toBe(model.opset);
		expect(file.opset).toBeGreaterThanOrEqual(16);
		expect(file.opset).toBeLessThanOrEqual(19);
		expect(file.inputs).toEqual(ports(model.inputs));
		expect(file.outputs).toEqual(ports(model.outputs));
		expect(file.metadata).toEqual({ id, license: model.license, source: model.source });
	});

	it('stores its weights as float16, each expanded by one Cast when it is loaded', () => {
		const { tensors, nodes } = open(model);
		const halves = tensors.filter((t) => t.type === FLOAT16);
		// Of a small file the graph itself, and what is too small to be halved, is the larger part of the rest.
		const least = Math.min(0.85 * model.bytes, model.bytes - 16384);
		expect(halves.reduce((sum, t) => sum + 2 * count(t.dims), 0)).toBeGreaterThan(least);
		expect(tensors.filter((t) => t.type === FLOAT && count(t.dims) >= HALVED_FROM)).toEqual([]);
		const stored = new Set(halves.map((t) => t.name));
		const readers = nodes.filter((n) => n.inputs.some((input) => stored.has(input)));
		expect(readers).toHaveLength(halves.length);
		for (const reader of readers) expect(reader).toMatchObject({ op: 'Cast', attributes: { to: FLOAT } });
	});

	it('has no convolution whose channels WebGPU’s NHWC layout gets wrong', () => {
		const { tensors, nodes } = open(model);
		const cast = new Map(nodes.filter((n) => n.op === 'Cast').map((n) => [n.outputs[0], n.inputs[0]]));
		const dims = new Map(tensors.map((t) => [t.name, t.dims]));
		const convolutions = nodes.filter((n) => n.op === 'Conv');
		expect(convolutions.length).toBeGreaterThan(5);
		for (const { name, inputs } of convolutions) {
			const weight = inputs[1]!;
			const [, channels = 0, height = 0] = dims.get(weight) ?? dims.get(cast.get(weight) ?? '') ?? [];
			expect(channels, name).toBeGreaterThan(0);
			expect(height > 1 && channels % 3 === 0 && channels % 4 !== 0, `${name}: ${channels} channels`).toBe(false);
		}
	});

	it('has a canary of the sizes of its ports, on a tile that is legal', () => {
		const { width, height, inputs, outputs } = model.canary;
		expect([width % model.align, height % model.align]).toEqual([0, 0]);
		for (const [list, names] of [
			[model.inputs, inputs],
			[model.outputs, outputs],
		] as const) {
			for (const p of list) expect(read(names[p.name]!).length).toBe(4 * count(tensorDims(p, height, width)));
		}
	});

	it('has its card, its license with the origin, and a comparison with the original of 50 dB or more', () => {
		const card = read('cards', `${id}.md`).toString('utf8');
		expect(card).toContain(model.sha256);
		const notice = read('NOTICE').toString('utf8');
		const part = notice.split(/^={78}$/m).find((text) => text.includes(`${model.file}: `));
		expect(part).toContain(`License: ${model.license}\nSource: ${model.source}\n`);
		const words: Readonly<Record<string, RegExp>> = {
			MIT: /^Permission is hereby granted, free of charge,/m,
			'Apache-2.0': /Apache License\s+Version 2\.0, January 2004/,
			'BSD-3-Clause': /^3\. Neither the name of the copyright holder/m,
		};
		expect(part).toMatch(words[model.license]!);
		const measured = JSON.parse(readFileSync('training/measurements.json', 'utf8')) as Record<
			string,
			Record<'against PyTorch', Record<string, { psnrDb: number }>>
		>;
		const against = measured[id]!['against PyTorch'];
		expect(Object.keys(against).sort()).toEqual(model.outputs.map((p) => p.name).sort());
		for (const { psnrDb } of Object.values(against)) expect(psnrDb).toBeGreaterThanOrEqual(50);
	});
});
