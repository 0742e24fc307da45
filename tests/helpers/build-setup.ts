import { ensureBuild } from '../../scripts/build.ts';
import { ensureDemoReel } from '../../scripts/demo/make.ts';

/** End-to-end tests use the built app, as a user would. */
export default async function setup(): Promise<void> {
	ensureDemoReel();
	await ensureBuild();
}
