import { join } from 'node:path';
import { build } from 'esbuild';
import { ensureBuild, ROOT } from '../../scripts/build.ts';
import { ensureDemoReel } from '../../scripts/demo/make.ts';

/**
 * The terminal's commands as one file each, of the same sources: `--list-stages` takes 0.85 CPU seconds, and 2.0 where they are
 * translated at every start. They lie a folder deep, as the sources that look for the repository do.
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
