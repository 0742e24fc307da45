/** `npm start`: builds, makes the demo reel, serves editor and share service, prints the address, and ends on Ctrl-C. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';
import * as kit from '../../server/share/share.testkit.ts';
import { seedPglite } from '../../server/share/stores.testkit.ts';

interface Started {
	/** What it said so far. */
	readonly text: () => string;
	readonly stop: () => void;
	/** Exit code. */
	readonly done: Promise<number | null>;
	/** The address, once printed; rejects when it ends before. */
	readonly address: Promise<string>;
}

function start(port: string, env: Record<string, string> = {}): Started {
	const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/start.ts'], {
		cwd: ROOT,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: { ...process.env, ...env, PORT: port },
	});
	let text = '';
	const done = new Promise<number | null>((resolve) => child.once('close', resolve));
	const address = new Promise<string>((resolve, reject) => {
		const listen = (data: Buffer): void => {
			text += data.toString();
			const found = /^Emulsion is at (http:\S+)/m.exec(text)?.[1];
			if (found !== undefined) resolve(found);
		};
		child.stdout.on('data', listen);
		child.stderr.on('data', listen);
		void done.then(() => reject(new Error(`ended: ${text}`)));
	});
	address.catch(() => undefined);
	return { text: () => text, stop: () => child.kill('SIGINT'), done, address };
}

it('prints the address of the editor, isolated and with its policy, and of the demo reel with its recipe', async () => {
	const run = start('0');
	try {
		const url = await run.address;
		expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
		const page = await fetch(url);
		expect(page.status).toBe(200);
		expect(await page.text()).toContain('<script type="module"');
		expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
		expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
		const policy = page.headers.get('content-security-policy')!;
		expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
		expect(policy).toContain("worker-src 'self';");
		expect(policy).not.toContain("'unsafe-eval'");
		expect(policy).not.toMatch(/https?:/);
		const [reel, recipe] = await Promise.all([fetch(`${url}demo/reel.avi`), fetch(`${url}demo/reel.json`)]);
		expect((await reel.arrayBuffer()).byteLength).toBeGreaterThan(10_000);
		expect(await recipe.json()).toMatchObject({ file: 'reel.avi', recipe: { version: 1, stages: [{}, {}, {}] } });
	} finally {
		run.stop();
	}
	expect(await run.done).toBe(0);
});

it('the share service is beside the editor, and keeps its reviews in its folder', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'emulsion-start-'));
	await seedPglite(folder);
	try {
		let token = '';
		for (const time of ['first', 'second']) {
			const run = start('0', { EMULSION_SHARE_DIR: folder });
			const origin = (await run.address).replace(/\/$/, '');
			if (time === 'first') {
				// Nothing is opened for the editor alone.
				expect((await fetch(origin)).status).toBe(200);
				expect(existsSync(join(folder, 'blobs'))).toBe(false);
				({
					tokens: { owner: token },
				} = await kit.makeReview({ origin }));
			}
			const { status, body } = await kit.ask({ origin }, 'review', { token });
			expect([status, body.state]).toEqual([200, 'draft']);
			run.stop();
			expect(await run.done).toBe(0);
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

it('the build says nothing that a user need not read', () => {
	const folder = mkdtempSync(join(tmpdir(), 'emulsion-build-'));
	const script = `await (await import('./scripts/build.ts')).buildInto(${JSON.stringify(folder)})`;
	try {
		const args = ['--import', 'tsx', '--input-type=module', '-e', script];
		const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
		expect([status, stdout, stderr]).toEqual([0, '', '']);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

it('a port that is no port, or is taken, is named', async () => {
	const odd = start('8o80');
	expect(await odd.done).toBe(1);
	expect(odd.text()).toBe('Emulsion: PORT: expected 0 to 65535, got "8o80"\n');
	const other = createServer();
	const port = await new Promise<number>((resolve) => {
		other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
	});
	try {
		const taken = start(String(port));
		expect(await taken.done).toBe(1);
		expect(taken.text()).toContain(`127.0.0.1:${port} cannot be served (EADDRINUSE)`);
	} finally {
		other.close();
	}
});

it('help is printed, and an argument it does not know is refused', () => {
	const run = (...args: string[]) =>
		spawnSync(process.execPath, ['--import', 'tsx', 'scripts/start.ts', ...args], { cwd: ROOT, encoding: 'utf8' });
	const help = run('--help');
	expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('PORT (default 5180')]);
	const odd = run('--port=1');
	expect([odd.status, odd.stderr]).toEqual([1, expect.stringContaining('unknown argument "--port=1"')]);
});
