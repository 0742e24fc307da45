import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { CHROMIUM_FLAGS, chromiumPath, preferHeadlessShell } from './scripts/chromium.ts';
import { fixtureServer } from './tests/helpers/fixture-server.ts';
import { nativeCommands } from './tests/helpers/native-commands.ts';
import { SECURITY_HEADERS } from './server/headers.ts';

preferHeadlessShell();

/**
 * Tests that kill workers, tabs and browsers at chosen moments meet a machine of unknown speed in CI: one second try there, which
 * the reporter prints as `(retry x1)`; none on a developer's machine, where a flaky test is to be seen and mended.
 */
const RETRIES = process.env['CI'] === 'true' ? 1 : 0;

/** One Chromium project: real workers, OPFS, WebCodecs and (SwiftShader) WebGPU. */
const chromium = (name: string, dir: string) => ({
	plugins: [svelte(), fixtureServer()],
	worker: { format: 'es' as const },
	optimizeDeps: {
		exclude: ['onnxruntime-web', '@ffmpeg/ffmpeg', '@ffmpeg/core'],
		include: ['comlink', 'idb-keyval', 'mediabunny', 'hash-wasm'],
	},
	server: { headers: SECURITY_HEADERS.isolation, fs: { strict: false } },
	test: {
		name,
		include: [`${dir}/**/*.test.ts`],
		testTimeout: 120_000,
		hookTimeout: 120_000,
		fileParallelism: false,
		retry: RETRIES,
		globalSetup: ['./tests/helpers/global-setup.ts'],
		browser: {
			enabled: true,
			headless: true,
			screenshotFailures: false,
			provider: playwright({ launchOptions: { executablePath: chromiumPath(), args: [...CHROMIUM_FLAGS] } }),
			instances: [{ browser: 'chromium' as const }],
			commands: nativeCommands,
		},
	},
});

/** All tests. `npm test` runs every project; `npx vitest run --project unit src/core` runs a part. */
export default defineConfig({
	test: {
		passWithNoTests: false,
		projects: [
			{
				test: {
					name: 'unit',
					include: [
						'src/**/*.test.ts',
						'server/**/*.test.ts',
						'cli/**/*.test.ts',
						'scripts/**/*.test.ts',
						'tests/unit/**/*.test.ts',
					],
					environment: 'node',
					testTimeout: 120_000,
					hookTimeout: 120_000,
					maxWorkers: 2,
					globalSetup: ['./tests/helpers/global-setup.ts'],
				},
			},
			chromium('browser', 'tests/browser'),
			chromium('gpu', 'tests/gpu'),
			{
				test: {
					name: 'e2e',
					include: ['tests/e2e/**/*.test.ts'],
					environment: 'node',
					testTimeout: 300_000,
					hookTimeout: 300_000,
					// Two files at a time: 1,244 s of tests took 650 s.
					maxWorkers: 2,
					retry: RETRIES,
					globalSetup: ['./tests/helpers/global-setup.ts', './tests/helpers/build-setup.ts'],
				},
			},
		],
	},
});
