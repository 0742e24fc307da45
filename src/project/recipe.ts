/**
 * Recipe validation: hostile JSON in, a {@link Recipe} with all defaults filled in out, or a `recipe-invalid` error whose
 * message starts with the path of the offending value (`stages[1].params.sigma: expected 0–75, got "x"`).
 */

import type { Param, ParamTable, StageMeta } from '../contracts/stage.ts';
import type { Recipe, RecipeStage, Scope } from '../contracts/recipe.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase, type PhraseValue, type Text } from '../core/phrases.ts';
import { isRegion } from '../core/regions.ts';

/** Most stages a recipe may hold: far beyond any real one, small enough that hostile files cost nothing. */
export const MAX_STAGES = 64;
/** Most shots a scope may name. */
export const MAX_SCOPE_SHOTS = 100_000;

const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

function show(value: unknown): Text {
	if (value === undefined) return phrase('got-nothing');
	let text: string;
	try {
		text = JSON.stringify(value) ?? typeof value;
	} catch {
		text = typeof value;
	}
	return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function fail(path: string, expected: PhraseValue, value: unknown): never {
	throw new EmulsionError('recipe-invalid', phrase('expected', { path, expected, got: show(value) }), { path });
}

type Json = Readonly<Record<string, unknown>>;

/** Own, enumerable string keys only: `__proto__` and friends are refused by the unknown-key check like any other. */
function object(value: unknown, path: string, keys: readonly string[]): Json {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, phrase('kind-object'), value);
	for (const key of Object.keys(value)) {
		if (!keys.includes(key)) fail(`${path}.${key}`, phrase('kind-one-of', { names: keys }), key);
	}
	return value as Json;
}

function get(source: Json, key: string): unknown {
	return Object.hasOwn(source, key) ? source[key] : undefined;
}

function integer(value: unknown, path: string, min: number, max: number): number {
	if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
		fail(path, phrase('kind-whole', { min, max }), value);
	}
	return value;
}

/** Checks one parameter value; `undefined` gives the default. Throws `recipe-invalid`. */
export function validateParam(param: Param, value: unknown, path: string): number | string | boolean {
	if (value === undefined) return param.default;
	switch (param.type) {
		case 'number': {
			if (value === 'auto' && param.auto === true) return value;
			const { min, max } = param;
			const range = phrase(param.auto === true ? 'kind-range-auto' : 'kind-range', { min, max });
			if (typeof value !== 'number' || !Number.isFinite(value) || value < param.min || value > param.max) {
				fail(path, range, value);
			}
			return value;
		}
		case 'boolean':
			if (typeof value !== 'boolean') fail(path, phrase('kind-bool'), value);
			return value;
		case 'enum': {
			const values = param.values.map((v) => v.value);
			if (typeof value !== 'string' || !values.includes(value))
				fail(path, phrase('kind-one-of', { names: values }), value);
			return value;
		}
		case 'text': {
			const whole = new RegExp(`^(?:${param.pattern})$`, 'u');
			if (typeof value !== 'string' || value.length > 200 || (value !== '' && !whole.test(value))) {
				fail(path, { term: param.expected }, value);
			}
			return value;
		}
	}
}

/** Checks all parameters of a stage and fills in defaults. */
export function validateParams(
	table: ParamTable,
	value: unknown,
	path: string,
): Record<string, number | string | boolean> {
	const given = value === undefined ? {} : object(value, path, Object.keys(table));
	return Object.fromEntries(
		Object.entries(table).map(([name, param]) => [name, validateParam(param, get(given, name), `${path}.${name}`)]),
	);
}

function validateScope(value: unknown, path: string): Scope {
	if (value === undefined || value === 'all') return 'all';
	if (typeof value !== 'object' || value === null) fail(path, phrase('kind-scope'), value);
	const scope = object(value, path, ['shots', 'range']);
	const shots = get(scope, 'shots');
	const range = get(scope, 'range');
	if ((shots === undefined) === (range === undefined)) fail(path, phrase('kind-one-scope'), value);
	if (shots !== undefined) {
		if (!Array.isArray(shots) || shots.length > MAX_SCOPE_SHOTS) fail(`${path}.shots`, phrase('kind-shot-list'), shots);
		return { shots: shots.map((s, i) => integer(s, `${path}.shots[${i}]`, 0, 1e7)) };
	}
	const { start, end } = (() => {
		const r = object(range, `${path}.range`, ['start', 'end']);
		const from = integer(get(r, 'start'), `${path}.range.start`, 0, 1e9);
		return { start: from, end: integer(get(r, 'end'), `${path}.range.end`, from + 1, 1e9) };
	})();
	return { range: { start, end } };
}

function validateStage(value: unknown, index: number, metas: readonly StageMeta[], taken: Set<string>): RecipeStage {
	const path = `stages[${index}]`;
	const entry = object(value, path, ['stage', 'id', 'enabled', 'scope', 'region', 'params']);
	const name = get(entry, 'stage');
	const meta = metas.find((m) => m.id === name);
	if (!meta) fail(`${path}.stage`, phrase('kind-one-of', { names: metas.map((m) => m.id) }), name);
	const id = get(entry, 'id') ?? `${meta.id}-${index}`;
	if (typeof id !== 'string' || !ID_PATTERN.test(id)) {
		fail(`${path}.id`, phrase('kind-id'), id);
	}
	if (taken.has(id)) fail(`${path}.id`, phrase('kind-stage-free'), id);
	taken.add(id);
	const enabled = get(entry, 'enabled') ?? true;
	if (typeof enabled !== 'boolean') fail(`${path}.enabled`, phrase('kind-bool'), enabled);
	const region = get(entry, 'region') ?? 'all';
	if (typeof region !== 'string' || !isRegion(region)) {
		fail(`${path}.region`, phrase('kind-region'), region);
	}
	return {
		stage: meta.id,
		id,
		enabled,
		scope: validateScope(get(entry, 'scope'), `${path}.scope`),
		region,
		params: validateParams(meta.params, get(entry, 'params'), `${path}.params`),
	};
}

/**
 * Validates a parsed recipe against the known stages.
 * @throws EmulsionError `recipe-invalid`, with `details.path`.
 */
export function validateRecipe(json: unknown, metas: readonly StageMeta[]): Recipe {
	const root = object(json, 'recipe', ['version', 'stages']);
	const version = get(root, 'version');
	if (version !== 1) fail('version', phrase('kind-recipe-version'), version);
	const stages = get(root, 'stages');
	if (!Array.isArray(stages)) fail('stages', phrase('kind-list'), stages);
	if (stages.length > MAX_STAGES) fail('stages', phrase('kind-entries', { max: MAX_STAGES }), stages.length);
	const taken = new Set<string>();
	return { version: 1, stages: stages.map((s, i) => validateStage(s, i, metas, taken)) };
}

/** Parses and validates a recipe's text. A syntax error becomes `recipe-invalid`. */
export function parseRecipe(text: string, metas: readonly StageMeta[]): Recipe {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (cause) {
		throw new EmulsionError('recipe-invalid', phrase('json', { what: 'recipe', why: (cause as Error).message }), {
			cause,
		});
	}
	return validateRecipe(json, metas);
}

/** The recipe that does nothing. */
export const EMPTY_RECIPE: Recipe = { version: 1, stages: [] };
