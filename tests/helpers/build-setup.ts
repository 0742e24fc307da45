import { execFileSync } from 'node:child_process';

/** End-to-end tests use the built app, as a user would. */
export default function setup(): void {
	if (process.env['EMULSION_SKIP_BUILD'] === '1') return;
	execFileSync('npx', ['vite', 'build', '--logLevel', 'warn'], { stdio: 'inherit' });
}
