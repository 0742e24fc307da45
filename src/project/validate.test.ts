import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../core/errors.ts';
import { migrate } from './migrations.ts';
import { STAGE_METAS } from '../stages/metas.ts';
import { MATTE, METAS, testProject } from './project.testkit.ts';
import { numberingOf } from './schema.ts';
import type { SourceInfo } from '../contracts/media.ts';
import { isSameOriginPath, parseProject, serializeProject } from './validate.ts';

/** Parses the test project's text after a change to its JSON; the thrown error. */
function refused(change: (json: Record<string, never>) => void): EmulsionError {
	const json = JSON.parse(serializeProject(testProject())) as Record<string, never>;
	change(json);
	return refusedText(JSON.stringify(json));
}

function refusedText(text: string): EmulsionError {
	try {
		parseProject(text, METAS);
	} catch (error) {
		expect(error).toBeInstanceOf(EmulsionError);
		expect((error as EmulsionError).code).toBe('project-invalid');
		return error as EmulsionError;
	}
	throw new Error('expected the project to be refused');
}

type Loose = { [key: string]: Loose } & Loose[] & { [key: string]: unknown };
const loose = (value: unknown): Loose => value as Loose;

describe('parseProject', () => {
	it('gives back what was written', () => {
		expect(parseProject(serializeProject(testProject()), METAS)).toEqual(testProject());
	});

	it('names the path of a wrong type, a bad value and an unknown key', () => {
		const cases: readonly (readonly [(json: Loose) => void, string])[] = [
			[(j) => (j['name'] = loose(7)), 'project.name'],
			[(j) => (j['reels'] = loose({})), 'reels'],
			[(j) => (j['reels']![0]!['source']!['frames'] = loose(1.5)), 'reels[0].source.frames'],
			[(j) => (j['reels']![0]!['source']!['frames'] = loose('1e9')), 'reels[0].source.frames'],
			[(j) => (j['reels']![0]!['source']!['url'] = loose('//evil.example/a')), 'reels[0].source.url'],
			[(j) => (j['reels']![0]!['source']!['url'] = loose('https://evil.example/a')), 'reels[0].source.url'],
			[(j) => (j['reels']![0]!['source']!['rate'] = loose({ num: 24, den: 0 })), 'reels[0].source.rate.den'],
			[(j) => (j['reels']![0]!['numbering']!['drop'] = loose(true)), 'reels[0].numbering.drop'],
			[(j) => (j['reels']![0]!['shots']![1]!['start'] = loose(31)), 'reels[0].shots[1].start'],
			[(j) => (j['reels']![0]!['shots']![1]!['dissolve'] = loose({ from: 80, to: 90 })), 'reels[0].shots[1].dissolve'],
			[(j) => (j['reels']![0]!['marks'] = loose({ in: 10, out: 10 })), 'reels[0].marks.out'],
			[(j) => (j['reels']![0]!['view']!['zoom'] = loose(1e9)), 'reels[0].view.zoom'],
			[(j) => (j['reels']![0]!['view']!['view'] = loose('../../x')), 'reels[0].view.view'],
			[(j) => (j['reels']![0]!['recipe']!['stages'] = loose([{ stage: 'nope' }])), 'reels[0].recipe.stages[0].stage'],
			[(j) => (j['reels']![0]!['mattes'] = loose({})), 'reels[0].mattes'],
			[(j) => (j['reels']![0]!['mattes']![0]!['id'] = loose('all')), 'reels[0].mattes[0].id'],
			[(j) => (j['reels']![0]!['mattes']![0]!['id'] = loose('outside:x')), 'reels[0].mattes[0].id'],
			[(j) => (j['reels']![0]!['mattes']![0]!['id'] = loose(['face'])), 'reels[0].mattes[0].id'],
			[(j) => (j['reels']![0]!['mattes']![0]!['name'] = loose('')), 'reels[0].mattes[0].name'],
			[(j) => (j['reels']![0]!['mattes']![0]!['kind'] = loose('url')), 'reels[0].mattes[0].kind'],
			[(j) => (j['reels']![0]!['mattes']![0]!['fingerprint'] = loose(7)), 'reels[0].mattes[0].fingerprint'],
			[(j) => (j['reels']![0]!['mattes']![0]!['frames'] = loose(99)), 'reels[0].mattes[0].frames'],
			[(j) => (j['reels']![0]!['mattes']![0]!['frames'] = loose(0)), 'reels[0].mattes[0].frames'],
			[(j) => (j['reels']![0]!['mattes']![0]!['size']!['width'] = loose(1e6)), 'reels[0].mattes[0].size.width'],
			[(j) => (j['reels']![0]!['mattes']![0]!['url'] = loose('/a')), 'reels[0].mattes[0].url'],
			[(j) => j['reels']![0]!['mattes']!.push(loose(MATTE)), 'reels[0].mattes[1].id'],
			[(j) => delete j['reels']![0]!['mattes'], 'reels[0].mattes'],
			[(j) => (j['activeReel'] = loose('r9')), 'activeReel'],
			[(j) => (j['kind'] = loose('other')), 'project.kind'],
			[(j) => (j['extra'] = loose(1)), 'project.extra'],
		];
		for (const [change, path] of cases) {
			const error = refused((json) => change(loose(json)));
			expect(error.details.path).toBe(path);
			expect(error.message).toContain(path.split('.').at(-1));
		}
	});

	it('refuses prototype keys and pollutes nothing', () => {
		const text = serializeProject(testProject());
		const withKey = (key: string): string => text.replace('{', `{"${key}": {"polluted": true},`);
		for (const key of ['__proto__', 'constructor', 'prototype', 'toString']) {
			expect(refusedText(withKey(key)).message).toContain(key);
		}
		const inner = text.replace('"numbering": {', '"numbering": {"__proto__": {"polluted": true},');
		expect(refusedText(inner).details.path).toBe('reels[0].numbering.__proto__');
		expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
	});

	it('refuses more mattes than a reel holds, and prototype keys in one', () => {
		const many = Array.from({ length: 65 }, (_, i) => ({ ...MATTE, id: `m${i}` }));
		expect(refused((j) => (loose(j)['reels']![0]!['mattes'] = loose(many))).message).toContain('at most 64');
		const text = serializeProject(testProject()).replace(
			'"id": "face",',
			'"id": "face", "__proto__": {"polluted": true},',
		);
		expect(refusedText(text).details.path).toBe('reels[0].mattes[0].__proto__');
		expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
	});

	it('refuses huge lists, huge text and deep nesting, quickly', () => {
		const started = performance.now();
		expect(refused((j) => (loose(j)['reels'] = loose(new Array(1000).fill({})))).message).toContain('at most 64');
		expect(refused((j) => (loose(j)['name'] = loose('x'.repeat(1e6)))).details.path).toBe('project.name');
		expect(refusedText('['.repeat(5_000_000)).message).toContain('nesting');
		expect(refusedText(`{"a":"${'['.repeat(1000)}","version":3}`).details.path).toBe('project.a');
		expect(performance.now() - started).toBeLessThan(2000);
	});

	it('refuses text that is no project', () => {
		for (const text of ['', 'null', '[]', '7', '{', '{"version":"1"}', '{"version":-1}', '{"version":1e400}']) {
			refusedText(text);
		}
		expect(refused((j) => (loose(j)['version'] = loose(99))).message).toContain('newer Emulsion');
	});
});

describe('migrate', () => {
	it('applies one step after another and validates what comes out', () => {
		const steps = {
			0: (json: Readonly<Record<string, unknown>>) => ({ ...json, b: 1 }),
			1: (json: Readonly<Record<string, unknown>>) => ({ ...json, b: (json['b'] as number) + 1 }),
		};
		expect(migrate({ version: 0, a: 1 }, 2, steps)).toEqual({ version: 2, a: 1, b: 2 });
		expect(() => migrate({ version: 0 }, 2, { 1: steps[1] })).toThrow(/bring up/);
		expect(() =>
			migrate({ version: 0 }, 1, {
				0: () => {
					throw new Error('broken');
				},
			}),
		).toThrow(/version 0 \(broken\)/);
	});

	it('opens a file of version 1: all of it is there, newer parameters at their defaults, and its reels have no mattes yet', () => {
		const file = readFileSync(new URL('version-1.emulsion', import.meta.url), 'utf8');
		// Written before degrain could be told which grain there is.
		const text = file.replaceAll(/("chroma": ?[\d.]+,)/g, '$1 "grain": "fine",');
		expect(parseProject(file, STAGE_METAS)).toEqual(parseProject(text, STAGE_METAS));
		const old = JSON.parse(text) as { version: number; reels: { readonly id: string }[] };
		expect(old.version).toBe(1);
		const project = parseProject(text, STAGE_METAS);
		expect(project.version).toBe(3);
		expect(project.reels.map((reel) => reel.mattes)).toEqual([[], []]);
		const { kind: _kind, ...now } = JSON.parse(serializeProject(project)) as Record<string, unknown>;
		const { kind: _old, ...before } = {
			...old,
			version: 3,
			...{ reviews: [], record: [] },
			reels: old.reels.map((r) => ({ ...r, mattes: [], versions: [] })),
		} as Record<string, unknown>;
		expect(now).toEqual(before);
	});

	it('checks what it made of a hostile file of version 1', () => {
		const text = readFileSync(new URL('version-1.emulsion', import.meta.url), 'utf8');
		const hostile = (reels: string): string => `{"kind":"emulsion-project","version":1,"reels":${reels}}`;
		for (const reels of ['7', 'null', '[null]', '["r1"]', '[[]]', '[{"__proto__":{"mattes":[]}}]']) {
			expect(refusedText(hostile(reels)).details.path ?? 'project').toMatch(/^(?:project|reels)/);
		}
		const smuggled = text.replace('"id": "r1",', '"id": "r1", "mattes": [{"id": "all"}],');
		expect(refusedText(smuggled).details.path).toMatch(/^reels\[0\]\.mattes\[0\]/);
	});

	it('opens an old file through the whole reader', () => {
		const old = JSON.parse(serializeProject(testProject())) as Record<string, unknown>;
		const { name, ...rest } = old;
		const text = JSON.stringify({ ...rest, version: 0, title: name });
		const upgrade = ({ title, ...json }: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
			...json,
			name: title,
		});
		expect(parseProject(text, METAS, { 0: upgrade, 1: (json) => json, 2: (json) => json })).toEqual(testProject());
	});
});

describe('numbering and addresses', () => {
	it('takes timecode, then file numbers, then zero', () => {
		const info = (extra: Partial<SourceInfo>): SourceInfo => ({ rate: { num: 24, den: 1 }, ...extra }) as SourceInfo;
		expect(numberingOf(info({ timecode: '01:00:00:00' }))).toEqual({ firstFrame: 86_400, base: 24, drop: false });
		expect(numberingOf(info({ firstNumber: 86_400 })).firstFrame).toBe(86_400);
		expect(numberingOf(info({})).firstFrame).toBe(0);
		expect(numberingOf(info({ rate: { num: 30_000, den: 1001 }, timecode: '00:01:00;02' }))).toEqual({
			firstFrame: 1800,
			base: 30,
			drop: true,
		});
		expect(numberingOf(info({ timecode: '99:00:00:00' })).firstFrame).toBe(0);
	});

	it('tells paths of this origin from addresses of others', () => {
		expect(isSameOriginPath('/demo/reel.mp4?x=1')).toBe(true);
		for (const bad of ['//host/a', '/\\host/a', 'http://h/a', 'javascript:alert(1)', 'demo/a', '/a b', '']) {
			expect(isSameOriginPath(bad)).toBe(false);
		}
	});
});
