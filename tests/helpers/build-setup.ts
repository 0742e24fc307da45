import { join } from 'node:path';
import { build } from 'esbuild';
import { ensureBuild, ROOT } from '../../scripts/build.ts';
import { ensureDemoReel } from '../../scripts/demo/make.ts';

/**
 * The terminal's commands as one file each, of the same sources: that starts with 0.85 CPU seconds, translating them at every start with
 * 2.0, and the tests start them more than a hundred times. They lie a folder deep, as the sources that look for the repository do.
 */
async function bundleCommands(): Promise<void> {
	await build({
		entryPoints: { restore: join(ROOT, 'cli', 'main.ts'), review: join(ROOT, 'cli', 'review', 'main.ts') },
		outdir: join(ROOT, '.cache'),
		outExtension: { '.js': '.mjs' },
		bundle: true,
		packages: 'external',
		platform: 'node',
		format: 'esm',
		logLevel: 'warning',
	});
}

/** End-to-end tests use the built app, as a user would. */
export default async function setup(): Promise<void> {
	ensureDemoReel();
	await ensureBuild();
	await bundleCommands();
}
