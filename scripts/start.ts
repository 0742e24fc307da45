/**
 * `npm start`: makes the demo reel where it is missing, builds the editor where a source changed, serves it and prints the
 * address. `PORT` and `HOST` choose another address.
 */

import { startStaticServer } from '../server/static.ts';
import { ensureBuild } from './build.ts';
import { ensureDemoReel } from './demo/make.ts';

const DEFAULT_PORT = 5180;

async function main(): Promise<void> {
	ensureDemoReel(console.log);
	const root = await ensureBuild(console.log);
	const wanted = process.env['PORT'];
	const port = wanted === undefined ? DEFAULT_PORT : Number(wanted);
	const host = process.env['HOST'] ?? '127.0.0.1';
	const server = await startStaticServer({ root, port, host }).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== 'EADDRINUSE' || wanted !== undefined) throw error;
		return startStaticServer({ root, port: 0, host });
	});
	console.log(`Emulsion is at ${server.url} (Ctrl+C stops it)`);
	const stop = (): void => void server.close().then(() => process.exit(0));
	process.once('SIGINT', stop);
	process.once('SIGTERM', stop);
}

await main();
