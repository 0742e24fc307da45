import { describe, expect, it } from 'vitest';
import type { StageMeta } from '../contracts/stage.ts';
import { EmulsionError } from '../core/errors.ts';
import { MAX_TOLD } from './issues.ts';
import { MAX_STAGES, parseRecipe, validateRecipe } from './recipe.ts';

const META: StageMeta = {
	id: 'degrain',
	version: 1,
	label: 'Degrain',
	doc: '',
	order: 60,
	params: {
		sigma: {
			type: 'number',
			default: 'auto',
			auto: true,
			min: 0,
			max: 75,
			step: 1,
			unit: '8-bit code values',
			doc: '',
		},
		amount: { type: 'number', default: 1, min: 0, max: 1, step: 0.01, unit: '', doc: '' },
		mode: {
			type: 'enum',
			default: 'a',
			values: [
				{ value: 'a', doc: '' },
				{ value: 'b', doc: '' },
			],
			unit: '',
			doc: '',
		},
		on: { type: 'boolean', default: true, unit: '', doc: '' },
		rate: { type: 'text', default: '', pattern: '\\d+(/\\d+)?', expected: 'a rate such as 60', unit: 'fps', doc: '' },
	},
	models: [],
	changesTimeline: false,
	changesSize: false,
	provenance: 'repaired',
	views: [],
};

const one = (stage: object) => ({ version: 1, stages: [stage] });
const message = (json: unknown): string => {
	try {
		validateRecipe(json, [META]);
	} catch (error) {
		expect(error).toBeInstanceOf(EmulsionError);
		expect((error as EmulsionError).code).toBe('recipe-invalid');
		return (error as EmulsionError).message;
	}
	throw new Error('the recipe was accepted');
};

describe('recipe validation', () => {
	it('fills in everything but the stage name', () => {
		expect(validateRecipe(one({ stage: 'degrain' }), [META]).stages[0]).toEqual({
			stage: 'degrain',
			id: 'degrain-0',
			enabled: true,
			scope: 'all',
			region: 'all',
			params: { sigma: 'auto', amount: 1, mode: 'a', on: true, rate: '' },
		});
	});

	it('keeps scopes, ids and parameters that are legal', () => {
		const recipe = validateRecipe(
			one({ stage: 'degrain', id: 'x', scope: { range: { start: 0, end: 3 } }, params: { sigma: 12.5, rate: '24/1' } }),
			[META],
		);
		expect(recipe.stages[0]).toMatchObject({
			id: 'x',
			scope: { range: { start: 0, end: 3 } },
			params: { sigma: 12.5 },
		});
	});

	it.each([
		[one({ stage: 'degrain', params: { sigma: 'x' } }), 'stages[0].params.sigma: expected 0–75 or "auto", got "x"'],
		[one({ stage: 'degrain', params: { amount: 'auto' } }), 'stages[0].params.amount: expected 0–1, got "auto"'],
		[one({ stage: 'degrain', params: { amount: null } }), 'stages[0].params.amount: expected 0–1, got null'],
		[
			one({ stage: 'degrain', params: { rate: '24; rm' } }),
			'stages[0].params.rate: expected a rate such as 60, got "24; rm"',
		],
		[one({ stage: 'degrain', params: { mode: 'c' } }), 'stages[0].params.mode: expected one of a, b, got "c"'],
		[one({ stage: 'degrain', params: [] }), 'stages[0].params: expected an object, got []'],
		[one({ stage: 'nope' }), 'stages[0].stage: expected one of degrain, got "nope"'],
		[one({}), 'stages[0].stage: expected one of degrain, got nothing'],
		[
			one({ stage: 'degrain', sigma: 1 }),
			'stages[0].sigma: expected one of stage, id, enabled, scope, region, params, got "sigma"',
		],
		[
			one({ stage: 'degrain', scope: { range: { start: 5, end: 5 } } }),
			'stages[0].scope.range.end: expected a whole number 6–1000000000, got 5',
		],
		[
			one({ stage: 'degrain', scope: { shots: [0], range: {} } }),
			'stages[0].scope: expected exactly one of "shots" and "range", got {"shots":[0],"range":{}}',
		],
		[
			one({ stage: 'degrain', id: '../x' }),
			'stages[0].id: expected up to 64 letters, digits, ".", "_" and "-", got "../x"',
		],
		[{ version: 2, stages: [] }, 'version: expected 1 (a newer recipe needs a newer Emulsion), got 2'],
		[{ version: 1 }, 'stages: expected a list, got nothing'],
		[null, 'recipe: expected an object, got null'],
		[[], 'recipe: expected an object, got []'],
	])('refuses %j', (json, expected) => {
		expect(message(json)).toBe(expected);
	});

	it('refuses prototype keys, duplicates and floods', () => {
		expect(
			message(JSON.parse('{"version":1,"stages":[{"stage":"degrain","params":{"__proto__":{"sigma":1}}}]}')),
		).toContain('__proto__');
		expect(message(JSON.parse('{"version":1,"stages":[],"constructor":1}'))).toContain('recipe.constructor');
		expect(
			message({
				version: 1,
				stages: [
					{ stage: 'degrain', id: 'a' },
					{ stage: 'degrain', id: 'a' },
				],
			}),
		).toContain('stages[1].id');
		expect(
			message({ version: 1, stages: Array.from({ length: MAX_STAGES + 1 }, () => ({ stage: 'degrain' })) }),
		).toContain('at most');
	});

	it('tells of everything that is wrong, each with its path', () => {
		const wrong = {
			version: 1,
			extra: 1,
			stages: [
				{ stage: 'degrain', id: '../x', enabled: 1, region: 7, params: { sigma: 99, mode: 'c', more: 0 } },
				'degrain',
				{ stage: 'nope', scope: { shots: ['a'] }, params: { anything: 1 } },
			],
		};
		expect(message(wrong).split('\n')).toEqual([
			'10 values are not valid:',
			'recipe.extra: expected one of version, stages, got "extra"',
			'stages[0].id: expected up to 64 letters, digits, ".", "_" and "-", got "../x"',
			'stages[0].enabled: expected true or false, got 1',
			'stages[0].region: expected "all", a matte id or "outside:" and a matte id, got 7',
			'stages[0].params.more: expected one of sigma, amount, mode, on, rate, got "more"',
			'stages[0].params.sigma: expected 0–75 or "auto", got 99',
			'stages[0].params.mode: expected one of a, b, got "c"',
			'stages[1]: expected an object, got "degrain"',
			'stages[2].stage: expected one of degrain, got "nope"',
			'stages[2].scope.shots[0]: expected a whole number 0–10000000, got "a"',
		]);
	});

	it('judges regions with the rest where the mattes are known', () => {
		const text = JSON.stringify({
			version: 1,
			stages: [
				{ stage: 'degrain', region: 'face', params: { sigma: 99 } },
				{ stage: 'degrain', id: 'off', enabled: false, region: 'face' },
				{ stage: 'degrain', id: 'sky', region: 'outside:sky' },
			],
		});
		const told = (mattes?: readonly string[]): string[] => {
			try {
				parseRecipe(text, [META], mattes);
			} catch (error) {
				return (error as Error).message.split('\n');
			}
			return [];
		};
		const sigma = 'stages[0].params.sigma: expected 0–75 or "auto", got 99';
		expect(told()).toEqual([sigma]);
		expect(told(['face', 'sky'])).toEqual([sigma]);
		expect(told(['sky'])).toEqual([
			'2 values are not valid:',
			'stages[0].region: expected "all" or one of sky, got "face"',
			sigma,
		]);
		expect(told([]).slice(1)).toEqual([
			'stages[0].region: expected "all" (no matte is open), got "face"',
			sigma,
			'stages[2].region: expected "all" (no matte is open), got "outside:sky"',
		]);
	});

	it('counts what a flood has more, and tells a larger document’s path', () => {
		const flood = one({ stage: 'degrain', scope: { shots: Array.from({ length: 1000 }, () => -1) } });
		const lines = message(flood).split('\n');
		expect(lines[0]).toBe('1000 values are not valid:');
		expect(lines).toHaveLength(MAX_TOLD + 2);
		expect(lines.at(-1)).toBe(`… and ${1000 - MAX_TOLD} more`);
		const within = { code: 'project-invalid', path: 'reels[0].recipe' } as const;
		expect(() => validateRecipe(one({ stage: 'nope' }), [META], within)).toThrow(
			expect.objectContaining({
				code: 'project-invalid',
				message: 'reels[0].recipe.stages[0].stage: expected one of degrain, got "nope"',
			}) as Error,
		);
	});

	it('names the syntax error of text that is not JSON', () => {
		expect(() => parseRecipe('{', [META])).toThrow(/^recipe: not JSON/);
	});
});
