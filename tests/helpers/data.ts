/** External test data (`EMULSION_DATA`, default `../shared/data`): never in the repository, skipped where absent. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Folder of the external data, or undefined where it does not exist. */
export const DATA_DIR: string | undefined = (() => {
	const dir = resolve(process.env['EMULSION_DATA'] ?? '../shared/data');
	return existsSync(dir) ? dir : undefined;
})();

/** The one reason a test may be skipped for. */
export const NEEDS_DATA = 'needs EMULSION_DATA (default ../shared/data)';

/** Path of a data file; skips the running test where the data is absent. */
export function dataFile(ctx: { skip(note?: string): never | void }, path: string): string {
	if (DATA_DIR === undefined) {
		ctx.skip(NEEDS_DATA);
		throw new Error('unreachable: the test was skipped');
	}
	return resolve(DATA_DIR, path);
}
