/** The share service as a process of its own, to be killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { ROOT } from '../../scripts/build.ts';
import { freePort } from './stores.testkit.ts';

/** A process that serves. */
export interface ServeProcess {
	readonly origin: string;
	readonly port: number;
	/** Everything it printed since it was last started. */
	output(): string;
	/** Starts it, again after its end, at the same address. */
	start(): Promise<void>;
	/** Ends it at once, in the middle of whatever it does (SIGKILL). */
	kill(): Promise<void>;
	/** Asks it to end (SIGTERM). @returns Its exit code. */
	end(): Promise<number | null>;
}

/** @param env Settings. @param files Folder to serve as the editor. */
export async function serveProcess(env: Readonly<Record<string, string>>, files: string): Promise<ServeProcess> {
	const port = await freePort();
	let child: ChildProcess | undefined;
	let ended: Promise<number | null> = Promise.resolve(null);
	let output = '';
	return {
		origin: `http://127.0.0.1:${port}`,
		port,
		output: () => output,
		async start() {
			output = '';
			const running = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
				cwd: ROOT,
				stdio: ['ignore', 'pipe', 'pipe'],
				env: { ...process.env, ...env, PORT: String(port), EMULSION_FILES: files },
			});
			child = running;
			ended = new Promise((done) => running.once('close', done));
			await new Promise<void>((done, failed) => {
				const hear = (data: Buffer): void => {
					output += data.toString();
					if (output.includes('"what":"listening"')) done();
				};
				running.stdout.on('data', hear);
				running.stderr.on('data', hear);
				void ended.then((code) => failed(new Error(`ended with ${code}: ${output}`)));
			});
		},
		async kill() {
			child?.kill('SIGKILL');
			await ended;
		},
		end() {
			child?.kill('SIGTERM');
			return ended;
		},
	};
}
