/**
 * Recipe validation: hostile JSON in, a {@link Recipe} with all defaults filled in out, or a `recipe-invalid` error whose
 * message starts with the path of the offending value (`stages[1].params.sigma: expected 0–75, got "x"`).
 */

import type { Param, ParamTable, StageMeta } from '../contracts/stage.ts';
import type { Recipe, RecipeStage, Scope } from '../contracts/recipe.ts';
import { EmulsionError } from '../core/errors.ts';
import { isRegion } from '../core/regions.ts';

/** Most stages a recipe may hold: far beyond any real one, small enough that hostile files cost nothing. */
export const MAX_STAGES = 64;
/** Most shots a scope may name. */
export const MAX_SCOPE_SHOTS = 100_000;

const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

function show(value: unknown): string {
	if (value === undefined) return 'nothing';
	let text: string;
	try {
		text = JSON.stringify(value) ?? typeof value;
	} catch {
		text = typeof value;
	}
	return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function fail(path: string, expected: string, value: unknown): never {
	throw new EmulsionError('recipe-invalid', `${path}: expected ${expected}, got ${show(value)}`, { path });
}

type Json = Readonly<Record<string, unknown>>;

/** Own, enumerable string keys only: `__proto__` and friends are refused by the unknown-key check like any other. */
function object(value: unknown, path: string, keys: readonly string[]): Json {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'an object', value);
	for (const key of Object.keys(value)) {
		if (!keys.includes(key)) fail(`${path}.${key}`, `one of ${keys.join(', ')}`, key);
	}
	return value as Json;
}

function get(source: Json, key: string): unknown {
	return Object.hasOwn(source, key) ? source[key] : undefined;
}

function integer(value: unknown, path: string, min: number, max: number): number {
	if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
		fail(path, `a whole number ${min}–${max}`, value);
	}
	return value;
}

/** Checks one parameter value; `undefined` gives the default. Throws `recipe-invalid`. */
export function validateParam(param: Param, value: unknown, path: string): number | string | boolean {
	if (value === undefined) return param.default;
	switch (param.type) {
		case 'number': {
			if (value === 'auto' && param.auto === true) return value;
			const range = `${param.min}–${param.max}${param.auto === true ? ' or "auto"' : ''}`;
			if (typeof value !== 'number' || !Number.isFinite(value) || value < param.min || value > param.max) {
				fail(path, range, value);
			}
			return value;
		}
		case 'boolean':
			if (typeof value !== 'boolean') fail(path, 'true or false', value);
			return value;
		case 'enum': {
			const values = param.values.map((v) => v.value);
			if (typeof value !== 'string' || !values.includes(value)) fail(path, `one of ${values.join(', ')}`, value);
			return value;
		}
		case 'text': {
			const whole = new RegExp(`^(?:${param.pattern})$`, 'u');
			if (typeof value !== 'string' || value.length > 200 || (value !== '' && !whole.test(value))) {
				fail(path, param.expected, value);
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
	if (typeof value !== 'object' || value === null)
		fail(path, '"all", { "shots": […] } or { "range": { "start", "end" } }', value);
	const scope = object(value, path, ['shots', 'range']);
	const shots = get(scope, 'shots');
	const range = get(scope, 'range');
	if ((shots === undefined) === (range === undefined)) fail(path, 'exactly one of "shots" and "range"', value);
	if (shots !== undefined) {
		if (!Array.isArray(shots) || shots.length > MAX_SCOPE_SHOTS) fail(`${path}.shots`, 'a list of shot numbers', shots);
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
	if (!meta) fail(`${path}.stage`, `one of ${metas.map((m) => m.id).join(', ')}`, name);
	const id = get(entry, 'id') ?? `${meta.id}-${index}`;
	if (typeof id !== 'string' || !ID_PATTERN.test(id)) {
		fail(`${path}.id`, 'up to 64 letters, digits, ".", "_" and "-"', id);
	}
	if (taken.has(id)) fail(`${path}.id`, 'an id no other stage has', id);
	taken.add(id);
	const enabled = get(entry, 'enabled') ?? true;
	if (typeof enabled !== 'boolean') fail(`${path}.enabled`, 'true or false', enabled);
	const region = get(entry, 'region') ?? 'all';
	if (typeof region !== 'string' || !isRegion(region)) {
		fail(`${path}.region`, '"all", a matte id or "outside:" and a matte id', region);
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
	if (version !== 1) fail('version', '1 (a newer recipe needs a newer Emulsion)', version);
	const stages = get(root, 'stages');
	if (!Array.isArray(stages)) fail('stages', 'a list', stages);
	if (stages.length > MAX_STAGES) fail('stages', `at most ${MAX_STAGES} entries`, stages.length);
	const taken = new Set<string>();
	return { version: 1, stages: stages.map((s, i) => validateStage(s, i, metas, taken)) };
}

/** Parses and validates a recipe's text. A syntax error becomes `recipe-invalid`. */
export function parseRecipe(text: string, metas: readonly StageMeta[]): Recipe {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (cause) {
		throw new EmulsionError('recipe-invalid', `recipe: not JSON (${(cause as Error).message})`, { cause });
	}
	return validateRecipe(json, metas);
}

/** The recipe that does nothing. */
export const EMPTY_RECIPE: Recipe = { version: 1, stages: [] };
