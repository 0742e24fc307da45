/** Strict reading of parsed JSON whose author may be hostile. Every refusal is `project-invalid` and names the path. */

import { EmulsionError } from '../core/errors.ts';
import { phrase, type Text } from '../core/phrases.ts';

/** A JSON object whose keys were checked. */
export type Fields = Readonly<Record<string, unknown>>;

function show(value: unknown): Text {
	if (value === undefined) return phrase('got-nothing');
	if (Array.isArray(value)) return phrase('got-list', { count: value.length });
	if (typeof value === 'object' && value !== null) return phrase('kind-object');
	const text = JSON.stringify(value) ?? typeof value;
	return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Refuses a value. */
export function refuse(path: string, expected: Text, value: unknown): never {
	throw new EmulsionError('project-invalid', phrase('expected', { path, expected, got: show(value) }), { path });
}

/**
 * An object with exactly these keys (the optional ones may be absent). Unknown keys are refused, so that `__proto__`,
 * `constructor` and data of other programs never travel further; values are copied to an object without a prototype.
 */
export function readObject(
	value: unknown,
	path: string,
	required: readonly string[],
	optional: readonly string[] = [],
): Fields {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(path, phrase('kind-object'), value);
	const known = [...required, ...optional];
	for (const key of Object.keys(value)) {
		if (!known.includes(key)) refuse(`${path}.${key.slice(0, 40)}`, phrase('kind-one-of', { names: known }), key);
	}
	for (const key of required) {
		if (!Object.hasOwn(value, key)) refuse(`${path}.${key}`, phrase('kind-value'), undefined);
	}
	return Object.assign(Object.create(null) as Record<string, unknown>, value);
}

/** A list of at most `max` entries, each read by `item`. */
export function readList<T>(value: unknown, path: string, max: number, item: (v: unknown, path: string) => T): T[] {
	if (!Array.isArray(value)) refuse(path, phrase('kind-list'), value);
	if (value.length > max) refuse(path, phrase('kind-entries', { max }), value);
	return value.map((entry, index) => item(entry, `${path}[${index}]`));
}

/** Text of at most `max` characters. */
export function readText(value: unknown, path: string, max: number, min = 0): string {
	if (typeof value !== 'string' || value.length > max || value.length < min) {
		refuse(path, phrase('kind-text', { min, max }), value);
	}
	return value;
}

/** A whole number in a range. */
export function readInteger(value: unknown, path: string, min: number, max: number): number {
	if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
		refuse(path, phrase('kind-whole', { min, max }), value);
	}
	return value;
}

/** A finite number in a range. */
export function readNumber(value: unknown, path: string, min: number, max: number): number {
	if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
		refuse(path, phrase('kind-number', { min, max }), value);
	}
	return value;
}

/** True or false. */
export function readBoolean(value: unknown, path: string): boolean {
	if (typeof value !== 'boolean') refuse(path, phrase('kind-bool'), value);
	return value;
}

/** One of the named values. */
export function readOneOf<T extends string>(value: unknown, path: string, values: readonly T[]): T {
	const found = values.find((v) => v === value);
	if (found === undefined) refuse(path, phrase('kind-one-of', { names: values }), value);
	return found;
}

/** Null, or what `read` makes of it. */
export function readNullable<T>(value: unknown, read: (v: unknown) => T): T | null {
	return value === null ? null : read(value);
}
