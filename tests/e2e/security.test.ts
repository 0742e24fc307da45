/** The served page keeps to itself: the CSP is in force, and a whole run asks nobody else for anything. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { ffmpeg, Lab, type Scratch, scratch } from '../helpers/cli.ts';

let lab: Lab;
let tmp: Scratch;

beforeAll(async () => {
	tmp = scratch();
	lab = await Lab.open();
});
afterAll(async () => {
	await lab.close();
	tmp.remove();
});

it('forbids eval, inline scripts, foreign scripts and foreign connections, and is isolated', async () => {
	const page = await lab.context.newPage();
	const violations: string[] = [];
	await page.exposeFunction('violated', (directive: string) => violations.push(directive));
	for (const path of ['', 'headless.html']) {
		const response = await page.goto(`${lab.server.url}${path}`);
		expect(response!.headers()['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval';");
		const found = await page.evaluate(async () => {
			document.addEventListener('securitypolicyviolation', (event) => {
				void (globalThis as unknown as { violated(d: string): void }).violated(event.effectiveDirective);
			});
			const inline = document.createElement('script');
			inline.textContent = 'document.title = "owned"';
			document.head.append(inline);
			const foreign = document.createElement('script');
			foreign.src = 'https://example.com/x.js';
			document.head.append(foreign);
			const fails = (call: () => unknown): boolean => {
				try {
					call();
					return false;
				} catch {
					return true;
				}
			};
			const fetched = await fetch('https://example.com/').then(
				() => true,
				() => false,
			);
			const worker = await new Promise<boolean>((resolve) => {
				try {
					const made = new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])));
					made.onmessage = () => resolve(true);
					made.onerror = () => resolve(false);
				} catch {
					resolve(false);
				}
			});
			// A string as code, without a direct call that a linter or bundler would see.
			const code: unknown = Reflect.get(globalThis, 'eval');
			return {
				evaluates: !fails(() => (code as (text: string) => unknown)('1')),
				title: document.title,
				fetched,
				worker,
				isolated: crossOriginIsolated,
			};
		});
		expect(found).toMatchObject({ evaluates: false, fetched: false, worker: false, isolated: true });
		expect(found.title).not.toBe('owned');
	}
	for (const directive of ['script-src', 'connect-src', 'worker-src']) {
		expect(violations.some((v) => v.startsWith(directive))).toBe(true);
	}
	await page.close();
});

it('a whole run with a stage asks its own origin only, and no byte of the film crosses the protocol', async () => {
	const film = tmp.path('film.mp4');
	ffmpeg(
		...['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=24,trim=end_frame=4'],
		...['-f', 'lavfi', '-i', 'sine=duration=0.2', '-c:v', 'libx264', '-c:a', 'aac', film],
	);
	const origins = new Set<string>();
	let requests = 0;
	let writes = 0;
	const told: string[] = [];
	lab.context.on('request', (request) => {
		requests++;
		const { origin, pathname } = new URL(request.url());
		origins.add(origin);
		if (pathname === '/run/write') writes++;
		// What the browser's protocol carries of a body: nothing of the film.
		if (request.postDataBuffer()?.length) told.push(request.url());
	});
	const messages: string[] = [];
	const recipe = { version: 1, stages: [{ stage: 'degrain', params: { sigma: 5 } }] };
	const report = await lab.run([film, '-o', tmp.path('out.mp4')], {
		recipe,
		onPage: (page) => void page.on('console', (message) => messages.push(message.text())),
	});
	expect(report.models.length).toBeGreaterThan(0);
	expect(requests).toBeGreaterThan(5);
	expect(writes).toBeGreaterThan(0);
	expect(told).toEqual([]);
	expect([...origins].filter((origin) => origin !== 'null')).toEqual([new URL(lab.server.url).origin]);
	expect(messages.filter((text) => /Content.Security.Policy|refused/i.test(text))).toEqual([]);
});
