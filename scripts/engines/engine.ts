/** Browsers that are not Chromium, driven as a reviewer would use them: Firefox over WebDriver BiDi, WebKit over classic WebDriver. */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import puppeteer from 'puppeteer-core';

/** A browser with one page. */
export interface Engine {
	/** Its name and version, as it says them. */
	readonly name: string;
	/** Opens an address as a fresh document. */
	open(address: string): Promise<void>;
	/** The value of a JavaScript expression in the page; it must be plain data. */
	evaluate(expression: string): Promise<unknown>;
	/** Presses and releases a key as the keyboard does; `name` as `KeyboardEvent.key` says it. */
	press(name: 'ArrowRight' | 'Home' | 'n'): Promise<void>;
	/** Writes what the page looks like as a PNG file. */
	screenshot(file: string): Promise<void>;
	close(): Promise<void>;
}

/** Size of the page in CSS pixels. */
const VIEWPORT = { width: 1280, height: 800 };

/** Firefox, headless, by puppeteer (its WebDriver BiDi; nothing of the browser is patched). */
export async function firefox(executablePath: string): Promise<Engine> {
	const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
	const page = await browser.newPage();
	await page.setViewport(VIEWPORT);
	return {
		name: await browser.version(),
		open: async (address) => {
			// A change of the fragment alone loads nothing.
			await page.goto('about:blank');
			await page.goto(address);
		},
		evaluate: (expression) => page.evaluate(expression),
		press: (name) => page.keyboard.press(name),
		screenshot: async (file) => {
			await page.screenshot({ path: file as `${string}.png` });
		},
		close: () => browser.close(),
	};
}

/** Code points of keys by the WebDriver standard, §17.4.2. */
const KEYS = { ArrowRight: '\uE014', Home: '\uE011', n: 'n' } as const;

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === 'string') throw new Error('no port');
	return address.port;
}

/** A session of a WebDriver server (W3C WebDriver, https://www.w3.org/TR/webdriver2/). */
async function session(origin: string, capabilities: object) {
	const command = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> => {
		const response = await fetch(`${origin}/session${path}`, {
			method,
			// A browser that hangs must not hang whoever asks.
			signal: AbortSignal.timeout(90_000),
			...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
		});
		const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
		if (!response.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
		return value;
	};
	const made = (await command('POST', '', { capabilities: { alwaysMatch: capabilities } })) as {
		sessionId: string;
		capabilities: { browserName: string; browserVersion: string };
	};
	return {
		name: `${made.capabilities.browserName} ${made.capabilities.browserVersion}`,
		command: (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
			command(method, `/${made.sessionId}${path}`, body),
	};
}

/**
 * Without a GPU its GL renderer crashed in three runs of six, and in another left the picture before in a canvas; drawn by the processor, 731
 * readings of one run were right. As root it has no sandbox.
 */
const WEBKIT_SETTINGS = { WEBKIT_DISABLE_DMABUF_RENDERER: '1', WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' };

/** WebKit (WebKitGTK's MiniBrowser, which is Safari's engine with GStreamer's decoders), on a display of its own by Xvfb. */
export async function webkit(driver: string, miniBrowser: string): Promise<Engine> {
	const port = await freePort();
	const child: ChildProcess = spawn(
		'xvfb-run',
		['-a', '-s', '-screen 0 1400x1000x24', driver, `--port=${port}`, '--host=127.0.0.1'],
		{ stdio: 'ignore', detached: true, env: { ...process.env, ...WEBKIT_SETTINGS } },
	);
	const stop = (): void => {
		if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
	};
	try {
		const origin = `http://127.0.0.1:${port}`;
		for (let i = 0; ; i++) {
			if (
				await fetch(`${origin}/status`).then(
					(r) => r.ok,
					() => false,
				)
			)
				break;
			if (i === 100) throw new Error('WebKitWebDriver does not answer');
			await sleep(200);
		}
		const { name, command } = await session(origin, {
			'webkitgtk:browserOptions': { binary: miniBrowser, args: ['--automation'] },
		});
		await command('POST', '/window/rect', VIEWPORT);
		return {
			name,
			open: async (url) => {
				await command('POST', '/url', { url: 'about:blank' });
				await command('POST', '/url', { url });
			},
			evaluate: (expression) => command('POST', '/execute/sync', { script: `return (${expression})`, args: [] }),
			press: async (key) => {
				const value = KEYS[key];
				const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value }));
				await command('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
			},
			screenshot: async (file) => {
				writeFileSync(file, Buffer.from((await command('GET', '/screenshot')) as string, 'base64'));
			},
			close: async () => {
				try {
					await command('DELETE', '');
				} finally {
					stop();
				}
			},
		};
	} catch (error) {
		stop();
		throw error;
	}
}
