/**
 * `npm run serve`: the share service and the built editor from one address, for a server that reviewers reach. Requests are logged to
 * the standard output, one line of JSON each. SIGTERM or SIGINT takes no more requests, lets those in flight end and closes the database.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shareConfig } from './share/config.ts';
import { errorFields, jsonLog } from './share/log.ts';
import { shareHandler } from './share/handler.ts';
import { startStaticServer } from './static.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** How long requests in flight may take to end, ms: under the half minute that supervisors wait. */
const GRACE = 20_000;

function portOf(wanted: string | undefined): number {
	if (wanted === undefined || wanted === '') return 5180;
	if (/^\d{1,5}$/.test(wanted) && Number(wanted) < 65536) return Number(wanted);
	throw new Error(`PORT: expected 0 to 65535, got "${wanted}"`);
}

async function main(): Promise<void> {
	const config = shareConfig(process.env, ROOT);
	const port = portOf(process.env['PORT']);
	const host = process.env['HOST'] || '127.0.0.1';
	const root = process.env['EMULSION_FILES'] || join(ROOT, 'dist');
	if (!existsSync(root)) throw new Error(`${root} does not exist: run npm run build first`);
	const log = jsonLog((line) => process.stdout.write(`${line}\n`));
	const share = shareHandler(config, log);
	// Before anybody is let in: what cannot be opened is said at once.
	await share.open();
	const trustProxy = config.proxies > 0;
	const server = await startStaticServer({ root, port, host, handlers: [share.handle], trustProxy });
	log.event('info', 'listening', { url: server.url });
	let ending = false;
	const end = async (signal: string): Promise<void> => {
		if (ending) return;
		ending = true;
		log.event('info', 'ending', { signal });
		await server.close(GRACE);
		await share.close();
		log.event('info', 'ended');
		process.exit(0);
	};
	for (const signal of ['SIGTERM', 'SIGINT'] as const) {
		process.on(signal, () => {
			end(signal).catch((error: unknown) => {
				log.event('error', 'ending failed', errorFields(error));
				process.exit(1);
			});
		});
	}
}

try {
	await main();
} catch (error) {
	console.error(`Emulsion: ${(error as Error).message}`);
	process.exitCode = 1;
}
