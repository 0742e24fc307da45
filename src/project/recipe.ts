/**
 * Recipe validation: hostile JSON in, a {@link Recipe} with all defaults filled in out, or one `recipe-invalid` error that tells
 * of everything that is wrong, each with its path (`stages[1].params.sigma: expected 0–75, got "x"`).
 */

import type { Param, ParamTable, StageMeta } from '../contracts/stage.ts';
import type { Recipe, RecipeStage, Scope } from '../contracts/recipe.ts';
import { EmulsionError } from '../core/errors.ts';
import { type Phrase, phrase, type PhraseValue, type Text } from '../core/phrases.ts';
import { isRegion, parseRegion } from '../core/regions.ts';
import { Issues } from './issues.ts';

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

function unexpected(path: string, expected: PhraseValue, value: unknown): Phrase {
	return phrase('expected', { path, expected, got: show(value) });
}

type Json = Readonly<Record<string, unknown>>;

/** Reads JSON and notes what is wrong. What stands in for a wrong value is never used: the error is thrown in the end. */
class Reader {
	readonly issues = new Issues();

	wrong(path: string, expected: PhraseValue, value: unknown): void {
		this.issues.add({ path, said: unexpected(path, expected, value) });
	}

	/** Own, enumerable string keys only: `__proto__` and friends are refused by the unknown-key check like any other. */
	object(value: unknown, path: string, keys: readonly string[]): Json | undefined {
		if (typeof value !== 'object' || value === null || Array.isArray(value)) {
			this.wrong(path, phrase('kind-object'), value);
			return undefined;
		}
		for (const key of Object.keys(value)) {
			if (!keys.includes(key)) this.wrong(`${path}.${key}`, phrase('kind-one-of', { names: keys }), key);
		}
		return value as Json;
	}

	integer(value: unknown, path: string, min: number, max: number): number {
		if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
		this.wrong(path, phrase('kind-whole', { min, max }), value);
		return min;
	}
}

function get(source: Json, key: string): unknown {
	return Object.hasOwn(source, key) ? source[key] : undefined;
}

/** What a parameter's value should have been; undefined where it is legal. */
function paramProblem(param: Param, value: unknown): PhraseValue | undefined {
	switch (param.type) {
		case 'number': {
			const { min, max, auto = false } = param;
			if (value === 'auto' && auto) return undefined;
			const fits = typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max;
			return fits ? undefined : phrase(auto ? 'kind-range-auto' : 'kind-range', { min, max });
		}
		case 'boolean':
			return typeof value === 'boolean' ? undefined : phrase('kind-bool');
		case 'enum': {
			const names = param.values.map((v) => v.value);
			const fits = typeof value === 'string' && names.includes(value);
			return fits ? undefined : phrase('kind-one-of', { names });
		}
		case 'text': {
			const whole = new RegExp(`^(?:${param.pattern})$`, 'u');
			const fits = typeof value === 'string' && value.length <= 200 && (value === '' || whole.test(value));
			return fits ? undefined : { term: param.expected };
		}
	}
}

type Value = number | string | boolean;

/** Checks one parameter value; `undefined` gives the default. Throws `recipe-invalid`. */
export function validateParam(param: Param, value: unknown, path: string): Value {
	if (value === undefined) return param.default;
	const expected = paramProblem(param, value);
	if (expected !== undefined) {
		const said = unexpected(path, expected, value);
		throw new EmulsionError('recipe-invalid', said, { path });
	}
	return value as Value;
}

/** The values of a stage's parameters where nothing is said of them. */
export function defaultParams(table: ParamTable): Record<string, Value> {
	return Object.fromEntries(Object.entries(table).map(([name, param]) => [name, param.default]));
}

function readParams(reader: Reader, table: ParamTable, value: unknown, path: string): Record<string, Value> {
	const values = defaultParams(table);
	const given = value === undefined ? undefined : reader.object(value, path, Object.keys(table));
	for (const [name, param] of Object.entries(table)) {
		const own = given && get(given, name);
		if (own === undefined) continue;
		const expected = paramProblem(param, own);
		if (expected === undefined) values[name] = own as Value;
		else reader.wrong(`${path}.${name}`, expected, own);
	}
	return values;
}

function readScope(reader: Reader, value: unknown, path: string): Scope {
	if (value === undefined || value === 'all') return 'all';
	if (typeof value !== 'object' || value === null) {
		reader.wrong(path, phrase('kind-scope'), value);
		return 'all';
	}
	const scope = reader.object(value, path, ['shots', 'range']);
	if (!scope) return 'all';
	const [shots, range] = [get(scope, 'shots'), get(scope, 'range')];
	if ((shots === undefined) === (range === undefined)) {
		reader.wrong(path, phrase('kind-one-scope'), value);
		return 'all';
	}
	if (shots !== undefined) {
		if (Array.isArray(shots) && shots.length <= MAX_SCOPE_SHOTS) {
			return { shots: shots.map((s, i) => reader.integer(s, `${path}.shots[${i}]`, 0, 1e7)) };
		}
		reader.wrong(`${path}.shots`, phrase('kind-shot-list'), shots);
		return 'all';
	}
	const own = reader.object(range, `${path}.range`, ['start', 'end']);
	if (!own) return 'all';
	const start = reader.integer(get(own, 'start'), `${path}.range.start`, 0, 1e9);
	return { range: { start, end: reader.integer(get(own, 'end'), `${path}.range.end`, start + 1, 1e9) } };
}

function readId(reader: Reader, given: unknown, fallback: string, path: string, taken: Set<string>): string {
	const id = given ?? fallback;
	if (typeof id !== 'string' || !ID_PATTERN.test(id)) {
		reader.wrong(path, phrase('kind-id'), id);
		return fallback;
	}
	if (taken.has(id)) reader.wrong(path, phrase('kind-stage-free'), id);
	taken.add(id);
	return id;
}

/**
 * What is wrong with a region, as what was expected; undefined where nothing is. A region names a matte that there is; frames that a
 * stage creates have no picture of their own to put back outside of it.
 */
export function regionProblem(
	region: string,
	meta: Pick<StageMeta, 'changesTimeline'>,
	mattes: readonly string[],
): Phrase | undefined {
	const parsed = parseRegion(region);
	if (parsed === undefined) return undefined;
	if (meta.changesTimeline) return phrase('kind-region-timeline');
	if (mattes.length === 0) return phrase('kind-region-none');
	return mattes.includes(parsed.matte) ? undefined : phrase('kind-region-of', { mattes });
}

/** What a recipe may name. */
interface Known {
	readonly metas: readonly StageMeta[];
	/** Absent: not known yet, and not judged. */
	readonly mattes?: readonly string[];
}

function readStage(
	reader: Reader,
	value: unknown,
	path: string,
	place: number,
	{ metas, mattes }: Known,
	taken: Set<string>,
): RecipeStage | undefined {
	const entry = reader.object(value, path, ['stage', 'id', 'enabled', 'scope', 'region', 'params']);
	if (!entry) return undefined;
	const name = get(entry, 'stage');
	const meta = metas.find((m) => m.id === name);
	if (!meta) reader.wrong(`${path}.stage`, phrase('kind-one-of', { names: metas.map((m) => m.id) }), name);
	const stage = meta?.id ?? 'unknown';
	const id = readId(reader, get(entry, 'id'), `${stage}-${place}`, `${path}.id`, taken);
	const enabled = get(entry, 'enabled') ?? true;
	if (typeof enabled !== 'boolean') reader.wrong(`${path}.enabled`, phrase('kind-bool'), enabled);
	const region = get(entry, 'region') ?? 'all';
	const isKnown = typeof region === 'string' && isRegion(region);
	const problem = isKnown && meta && mattes && enabled === true ? regionProblem(region, meta, mattes) : undefined;
	if (!isKnown) reader.wrong(`${path}.region`, phrase('kind-region'), region);
	else if (problem) reader.wrong(`${path}.region`, problem, region);
	return {
		stage,
		id,
		enabled: enabled === true,
		scope: readScope(reader, get(entry, 'scope'), `${path}.scope`),
		region: isKnown ? region : 'all',
		// Of a stage that does not exist no parameter can be wrong.
		params: meta ? readParams(reader, meta.params, get(entry, 'params'), `${path}.params`) : {},
	};
}

function readRecipe(reader: Reader, json: unknown, known: Known, at: string): Recipe {
	const empty: Recipe = { version: 1, stages: [] };
	const root = reader.object(json, at === '' ? 'recipe' : at.slice(0, -1), ['version', 'stages']);
	if (!root) return empty;
	const version = get(root, 'version');
	if (version !== 1) {
		// Whatever else is in it follows rules that are not known here.
		reader.wrong(`${at}version`, phrase('kind-recipe-version'), version);
		return empty;
	}
	const stages = get(root, 'stages');
	if (!Array.isArray(stages)) {
		reader.wrong(`${at}stages`, phrase('kind-list'), stages);
		return empty;
	}
	if (stages.length > MAX_STAGES) {
		reader.wrong(`${at}stages`, phrase('kind-entries', { max: MAX_STAGES }), stages.length);
		return empty;
	}
	const taken = new Set<string>();
	return {
		version: 1,
		stages: stages.flatMap((s, i) => readStage(reader, s, `${at}stages[${i}]`, i, known, taken) ?? []),
	};
}

/**
 * Validates a parsed recipe against the known stages. `within` is a larger document's code and its path to the recipe.
 * @throws EmulsionError `recipe-invalid` (or the document's code) telling of everything that is wrong, with the first's `details.path`.
 */
export function validateRecipe(
	json: unknown,
	metas: readonly StageMeta[],
	within?: { readonly code: 'project-invalid'; readonly path: string },
): Recipe {
	const reader = new Reader();
	const recipe = readRecipe(reader, json, { metas }, within ? `${within.path}.` : '');
	reader.issues.throwAs(within?.code ?? 'recipe-invalid');
	return recipe;
}

/**
 * Parses and validates a recipe's text, its regions too where the mattes are known. A syntax error becomes `recipe-invalid`.
 */
export function parseRecipe(text: string, metas: readonly StageMeta[], mattes?: readonly string[]): Recipe {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (cause) {
		throw new EmulsionError('recipe-invalid', phrase('json', { what: 'recipe', why: (cause as Error).message }), {
			cause,
		});
	}
	const reader = new Reader();
	const recipe = readRecipe(reader, json, mattes ? { metas, mattes } : { metas }, '');
	reader.issues.throwAs('recipe-invalid');
	return recipe;
}

/** The recipe that does nothing. */
export const EMPTY_RECIPE: Recipe = { version: 1, stages: [] };
