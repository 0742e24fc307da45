import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { SECURITY_HEADERS } from './server/headers.ts';

/** How long the bundler's plugins took is nothing that a user of `npm start` needs to read. */
const QUIET = { bundlerTimings: false };

/** The app's build. The same headers are sent by the dev server, the preview and `npm start`. */
export default defineConfig({
	// Everything is named relative to the page: the same build works at a host's root and in any folder of it.
	base: './',
	plugins: [svelte()],
	worker: { format: 'es', rolldownOptions: { checks: QUIET } },
	optimizeDeps: { exclude: ['onnxruntime-web', '@ffmpeg/ffmpeg', '@ffmpeg/core'] },
	// Modules are served as files: no inlined data: URLs, which the CSP would refuse.
	build: {
		target: 'es2023',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		rolldownOptions: { input: { index: 'index.html', headless: 'headless.html' }, checks: QUIET },
	},
	server: { headers: { ...SECURITY_HEADERS.isolation } },
	preview: { headers: { ...SECURITY_HEADERS.isolation, ...SECURITY_HEADERS.policy } },
});
