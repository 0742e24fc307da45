/**
 * `npm start`: makes the demo reel where it is missing, builds the editor where a source changed, serves it with the share
 * service beside it and prints the address. `PORT` and `HOST` choose another address. The share service's database is opened when it is
 * first asked.
 */

import { shareConfig } from '../server/share/config.ts';
import { jsonLog } from '../server/share/log.ts';
import { shareHandler } from '../server/share/handler.ts';
import { startStaticServer } from '../server/static.ts';
import { ensureBuild, ROOT } from './build.ts';
import { ensureDemoReel } from './demo/make.ts';

const DEFAULT_PORT = 5180;

function portOf(wanted: string | undefined): number {
	if (wanted === undefined) return DEFAULT_PORT;
	const port = Number(wanted);
	if (/^\d{1,5}$/.test(wanted) && port < 65536) return port;
	throw new Error(`PORT: expected 0 to 65535, got "${wanted}"`);
}

const HELP = `usage: npm start
Builds the editor and the demo reel where they are missing, serves them and prints the address. It takes no arguments; the
environment may name another address: PORT (default ${DEFAULT_PORT}, or any free one where that is taken) and HOST (127.0.0.1), and
settings of the share service beside the editor (docs/share-service.md). Its reviews are kept in EMULSION_SHARE_DIR (.share).`;

async function main(): Promise<void> {
	const [argument] = process.argv.slice(2);
	if (argument === '--help' || argument === '-h') return console.log(HELP);
	if (argument !== undefined) throw new Error(`unknown argument "${argument}"\n${HELP}`);
	const wanted = process.env['PORT'];
	portOf(wanted);
	const config = shareConfig(process.env, ROOT);
	ensureDemoReel(console.log);
	const root = await ensureBuild(console.log);
	const host = process.env['HOST'] ?? '127.0.0.1';
	const share = shareHandler(config, jsonLog(console.error, false));
	const serve = (port: number) =>
		startStaticServer({ root, port, host, handlers: [share.handle], trustProxy: config.proxies > 0 });
	const server = await serve(portOf(wanted)).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'EADDRINUSE' && wanted === undefined) return serve(0);
		throw new Error(`${host}:${wanted ?? DEFAULT_PORT} cannot be served (${error.code ?? error.message})`);
	});
	console.log(`Emulsion is at ${server.url} (Ctrl+C stops it)`);
	const stop = async (): Promise<void> => {
		await server.close();
		await share.close();
		process.exit(0);
	};
	process.once('SIGINT', stop);
	process.once('SIGTERM', stop);
}

try {
	await main();
} catch (error) {
	console.error(`Emulsion: ${(error as Error).message}`);
	process.exitCode = 1;
}
