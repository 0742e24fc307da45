/** Two tabs of one browser on one project: one holds it, the other says so; nothing is lost when it changes hands. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

let e2e: E2e;
let folder: string;
let clip: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-tabs-'));
	clip = join(folder, 'clip.mkv');
	execFileSync('ffmpeg', [
		...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=48x32:rate=24,trim=end_frame=5'],
		...['-pix_fmt', 'yuv420p', '-c:v', 'ffv1', '-level', '3', clip],
	]);
	e2e = await startE2e();
});

afterAll(async () => {
	await e2e.close();
	rmSync(folder, { recursive: true, force: true });
});

const nameOf = (page: Page): Promise<string> => page.getByLabel('Project name').inputValue();
const bar = (page: Page) => page.getByRole('region', { name: 'Other tabs' });

async function rename(page: Page, name: string): Promise<void> {
	const field = page.getByLabel('Project name');
	await field.fill(name);
	await field.press('Enter');
}

it('the second tab reads, takes over with every change, and gives back when it closes', async () => {
	const { page: first, context, problems } = await e2e.open();
	await first.getByTestId('open').setInputFiles(clip);
	await idle(first);
	await rename(first, 'First');
	await first.getByText('Saved in this browser').waitFor();

	const { page: second, problems: others } = await e2e.open({ context });
	await bar(second).getByText('Another tab has this project open.').waitFor();
	await expect.poll(() => nameOf(second)).toBe('First');
	await rename(second, 'Overwritten');
	await second.getByText('Not changed: another tab has this project open.').waitFor();
	await second.waitForTimeout(800);
	await first.bringToFront();
	expect(await nameOf(first)).toBe('First');

	// A change that is not saved yet when the second tab takes over.
	await rename(first, 'Last words');
	await bar(second).getByRole('button', { name: 'Work here instead' }).click();
	await expect.poll(() => nameOf(second)).toBe('Last words');
	await bar(second).waitFor({ state: 'detached' });
	await bar(first).waitFor();
	await first.getByText('Another tab took this project over').waitFor();
	await rename(second, 'Second');
	await second.getByText('Saved in this browser').waitFor();

	// The first gets it back, with the second's changes, when the second is closed.
	await second.close();
	await bar(first).waitFor({ state: 'detached' });
	await expect.poll(() => nameOf(first)).toBe('Second');
	await rename(first, 'Third');
	await first.getByText('Saved in this browser').waitFor();
	await first.reload();
	await expect.poll(() => nameOf(first)).toBe('Third');
	expect(problems.concat(others)).toEqual([]);
	await context.close();
});
