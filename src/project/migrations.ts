/**
 * Migrations bring a document of an older version up, one version at a time. A migration takes parsed, unchecked JSON of
 * version n and returns JSON of version n + 1; what comes out is validated like any other input, so a migration may be
 * written for well-formed documents only and has no need to be defensive.
 *
 * To change the schema: raise `PROJECT_VERSION`, add `n: (json) => …` here, keep a file of the old version as a test.
 */

import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { readObject, refuse } from './reader.ts';

/** One step up. Must not change its argument. */
export type Migration = (json: Readonly<Record<string, unknown>>) => Record<string, unknown>;
/** Steps by the version they start from. */
export type Migrations = Readonly<Record<number, Migration>>;

/** All steps to the current version. Version 1 is the first. */
export const MIGRATIONS: Migrations = {
	/** Reels got mattes. */
	1: (json) => ({
		...json,
		reels: (json['reels'] as readonly object[]).map((reel) => ({ mattes: [], ...reel })),
	}),
	/** Reels got versions, the project reviews and a record. */
	2: (json) => ({
		reviews: [],
		record: [],
		...json,
		reels: (json['reels'] as readonly object[]).map((reel) => ({ versions: [], ...reel })),
	}),
};

/**
 * Applies the steps from the document's version to `target`.
 * @throws EmulsionError `project-invalid` for a version that is no whole number, is newer than this program, or too old.
 */
export function migrate(json: unknown, target: number, migrations: Migrations = MIGRATIONS): unknown {
	if (typeof json !== 'object' || json === null || Array.isArray(json)) refuse('project', phrase('kind-object'), json);
	let current: Record<string, unknown> = { ...(json as Record<string, unknown>) };
	const version = Object.hasOwn(current, 'version') ? current['version'] : undefined;
	if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0) {
		refuse('project.version', phrase('kind-integer'), version);
	}
	if (version > target) {
		throw new EmulsionError('project-invalid', phrase('newer-project', { version, target }), {
			path: 'project.version',
		});
	}
	for (let from = version; from < target; from++) {
		const step = Object.hasOwn(migrations, from) ? migrations[from] : undefined;
		if (!step) refuse('project.version', phrase('kind-version', { target }), version);
		current = { ...runStep(step, current, from), version: from + 1 };
	}
	return current;
}

function runStep(step: Migration, json: Record<string, unknown>, from: number): Record<string, unknown> {
	try {
		return step(readObject(json, 'project', Object.keys(json)));
	} catch (cause) {
		throw new EmulsionError('project-invalid', phrase('migration', { from, why: toEmulsionError(cause).said }), {
			cause,
		});
	}
}
