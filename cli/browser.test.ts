/** What a person reads when Chromium does not start. The programs that fail here are real ones. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmulsionError, exitCode } from '../src/core/errors.ts';
import { launch } from './browser.ts';

let dir: string;
beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'emulsion-start-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const LIBRARY = '$0: error while loading shared libraries: libnss3.so: cannot open shared object file';

it.each([
	[
		'ends at once',
		'#!/bin/sh\nexit 1\n',
		0o755,
		/did not start: it ended at once\nStart it by hand .*EMULSION_CHROMIUM/,
	],
	[
		'lacks a library',
		`#!/bin/sh\necho "${LIBRARY}" >&2\nexit 127\n`,
		0o755,
		/libnss3\.so.*\nA library is missing: install/,
	],
	['must not be run', '#!/bin/sh\n', 0o644, /EACCES\nGive its file the right/],
	['says something else', '#!/bin/sh\necho "bad day" >&2\nexit 3\n', 0o755, /did not start: bad day\nStart it by hand/],
	[
		'finds its profile in use',
		'#!/bin/sh\necho "Failed to create SingletonLock: File exists (17)" >&2\nexit 21\n',
		0o755,
		/SingletonLock.*\nEnd the Chromium/,
	],
])('a Chromium that %s: typed, in two lines, with what to do', async (what, script, mode, message) => {
	const path = join(dir, what.replaceAll(' ', '-'));
	writeFileSync(path, script, { mode });
	const error = await launch(path, join(dir, 'profile'), 'none').then(
		() => {
			throw new Error('started');
		},
		(thrown: unknown) => thrown as EmulsionError,
	);
	expect(error.code).toBe('backend-unavailable');
	expect(exitCode(error)).toBe(6);
	expect(error.message).toContain(path);
	expect(error.message).toMatch(message);
	expect(error.message.split('\n')).toHaveLength(2);
});
