/** INPUT as the page gets it: absolute paths of one file, or of the frames of a sequence. Nothing is read here. */

import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { EmulsionError } from '../src/core/errors.ts';

/** What to put into the page's file input. */
export interface ResolvedInput {
	readonly kind: 'file' | 'sequence';
	readonly paths: readonly string[];
	/** File-name pattern of a sequence, where one was given. */
	readonly pattern?: string;
	/** Sum of sizes in bytes. */
	readonly bytes: number;
}

/** A matte's files. */
export interface ResolvedMatte extends ResolvedInput {
	readonly id: string;
}

function unreadable(input: string, why: string): never {
	throw new EmulsionError('input-unreadable', `${input}: ${why}`);
}

/** A `%d` / `%06d` file-name pattern as a regular expression whose first group is the number. */
export function patternToRegExp(pattern: string): RegExp {
	const match = /^([^%]*)%(?:0(\d{1,2}))?d([^%]*)$/.exec(pattern);
	if (!match) throw new EmulsionError('usage', `${pattern}: expected one %d or %06d in the file name`);
	const [, before = '', digits, after = ''] = match;
	const escape = (s: string): string => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	return new RegExp(`^${escape(before)}(\\d${digits === undefined ? '+' : `{${Number(digits)},}`})${escape(after)}$`);
}

function sequence(input: string, dir: string, pattern: string | undefined): ResolvedInput {
	const test = pattern === undefined ? undefined : patternToRegExp(pattern);
	let names: string[];
	try {
		names = readdirSync(dir);
	} catch (cause) {
		throw new EmulsionError('input-unreadable', `${input}: the folder cannot be read`, { cause });
	}
	const paths = names
		.filter((name) => !name.startsWith('.') && (test === undefined || test.test(name)))
		.map((name) => resolve(dir, name))
		.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
		.sort();
	if (paths.length === 0)
		unreadable(input, pattern === undefined ? 'the folder is empty' : 'no file matches the pattern');
	const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
	return { kind: 'sequence', paths, bytes, ...(pattern === undefined ? {} : { pattern }) };
}

/** Resolves INPUT. Throws `input-unreadable` naming what is wrong with it. */
export function resolveInput(input: string): ResolvedInput {
	const path = resolve(input);
	const info = statSync(path, { throwIfNoEntry: false });
	if (info?.isDirectory()) return sequence(input, path, undefined);
	if (info?.isFile()) {
		if (info.size === 0) unreadable(input, 'the file is empty (0 bytes)');
		return { kind: 'file', paths: [path], bytes: info.size };
	}
	if (info === undefined && basename(path).includes('%')) return sequence(input, dirname(path), basename(path));
	return unreadable(input, info === undefined ? 'no such file or folder' : 'not a file or a folder');
}

/** Resolves the mattes of a run. Throws `input-unreadable` naming the path. */
export function resolveMattes(
	mattes: readonly { readonly id: string; readonly path: string }[] = [],
): readonly ResolvedMatte[] {
	return mattes.map(({ id, path }) => ({ id, ...resolveInput(path) }));
}

function real(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return resolve(path);
	}
}

/**
 * Refuses an OUTPUT that is there already, unless it may be replaced. Frames of a sequence have their names only once the film is
 * planned: the writer refuses those. Throws `usage`.
 */
export function protectOutput(output: string, overwrite: boolean): void {
	if (/[%*]/.test(basename(output))) return;
	const info = lstatSync(resolve(output), { throwIfNoEntry: false });
	if (info === undefined) return;
	if (info.isDirectory()) throw new EmulsionError('usage', `${output}: OUTPUT is a folder; name a file in it`);
	if (!overwrite)
		throw new EmulsionError('usage', `${output} exists already; choose another OUTPUT, or say --overwrite`);
}

/**
 * Refuses a report that would replace INPUT, OUTPUT or the recipe, and one that is there already unless it may be replaced. A
 * device (`/dev/stdout`) is no file that could be lost. Throws `usage`.
 */
export function protectReport(
	report: string,
	others: { readonly input: ResolvedInput; readonly output: string; readonly recipe?: string },
	overwrite: boolean,
): void {
	const path = real(report);
	const taken: readonly (readonly [string, readonly string[]])[] = [
		['INPUT', others.input.paths],
		['OUTPUT', [others.output]],
		['--recipe', others.recipe === undefined ? [] : [others.recipe]],
	];
	for (const [name, paths] of taken) {
		if (paths.some((other) => real(other) === path))
			throw new EmulsionError('usage', `--report: ${report} is ${name}; choose another name`);
	}
	if (!overwrite && lstatSync(path, { throwIfNoEntry: false })?.isFile() === true)
		throw new EmulsionError('usage', `--report: ${report} exists already; choose another name, or say --overwrite`);
}

/**
 * Refuses an OUTPUT that would replace INPUT: the same file, or frames of the same kind in the same folder (they keep their
 * numbers). Throws `usage`.
 */
export function protectInput(input: ResolvedInput, output: string): void {
	const folder = real(dirname(resolve(output)));
	if (input.kind === 'file') {
		if (real(input.paths[0]!) !== real(join(folder, basename(output)))) return;
		throw new EmulsionError('usage', `${output}: OUTPUT is INPUT; the original is never replaced`);
	}
	const extension = extname(output).toLowerCase();
	const clash = input.paths.find((path) => real(dirname(path)) === folder && extname(path).toLowerCase() === extension);
	if (clash === undefined) return;
	throw new EmulsionError('usage', `${output}: OUTPUT would go among INPUT's own frames; choose another folder`);
}
