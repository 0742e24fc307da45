import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { SECURITY_HEADERS } from './server/headers.ts';

/** The app's build. The same headers are sent by the dev server, the preview and `npm start`. */
export default defineConfig({
	plugins: [svelte()],
	worker: { format: 'es' },
	optimizeDeps: { exclude: ['onnxruntime-web', '@ffmpeg/ffmpeg', '@ffmpeg/core'] },
	// Modules are served as files: no inlined data: URLs, which the CSP would refuse.
	build: {
		target: 'es2023',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		rollupOptions: { input: { index: 'index.html', headless: 'headless.html' } },
	},
	server: { headers: { ...SECURITY_HEADERS.isolation } },
	preview: { headers: { ...SECURITY_HEADERS.isolation, ...SECURITY_HEADERS.policy } },
});
