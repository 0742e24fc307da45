/**
 * Vite middleware of the Chromium test projects: serves external data under `/@data/` and clips made at test time under
 * `/@fixtures/` (see `fixtures.ts`), as files with ranges are not needed there.
 */

import { createReadStream, existsSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import type { Plugin } from 'vite';
import { DATA_DIR } from './data.ts';
import { FIXTURE_DIR } from './fixtures.ts';

const ROOTS: readonly (readonly [string, string | undefined])[] = [
	['/@data/', DATA_DIR],
	['/@fixtures/', FIXTURE_DIR],
];

/** The plugin. A missing file answers 404, which the browser helper `fetchFile` turns into a skip or an error. */
export function fixtureServer(): Plugin {
	return {
		name: 'emulsion-fixtures',
		configureServer(server) {
			server.middlewares.use((request, response, next) => {
				const url = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
				const root = ROOTS.find(([prefix]) => url.startsWith(prefix));
				if (!root) return next();
				const [prefix, dir] = root;
				const path = dir === undefined ? '' : resolve(dir, url.slice(prefix.length));
				if (dir === undefined || !path.startsWith(dir + sep) || !existsSync(path) || !statSync(path).isFile()) {
					response.statusCode = 404;
					response.end();
					return;
				}
				response.setHeader('Content-Type', 'application/octet-stream');
				response.setHeader('Content-Length', statSync(path).size);
				response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
				createReadStream(path).pipe(response);
			});
		},
	};
}
