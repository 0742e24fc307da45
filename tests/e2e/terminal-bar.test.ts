/** The command on a real terminal (a pseudoterminal), in the browser that users have: the bar is drawn in place, and Ctrl-C is typed. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { findUsersChromium } from '../../scripts/chromium.ts';
import { nativeFrameMd5, noisyFilm, type Scratch, scratch, startOnTerminal } from '../helpers/cli.ts';

let tmp: Scratch;
beforeAll(() => {
	tmp = scratch();
	// Most tests take a lighter build of the same engine.
	process.env['EMULSION_CHROMIUM'] = findUsersChromium()!;
});
afterAll(() => tmp.remove());

/** What stands on the lines of a terminal in the end: a carriage return starts a line anew, `ESC[2K` clears it. */
function screen(output: string): string[] {
	return output.split(/\r?\n/).map((line) => line.split('\r').at(-1)!.replace('\x1b[2K', ''));
}

it('draws one bar in place that grows to the end and fits the terminal; the summary stands below it', async () => {
	const film = noisyFilm(tmp.path('film.mkv'), 24);
	const columns = 60;
	const output = tmp.path('out.mkv');
	const { code, out } = await startOnTerminal([film, '-o', output, '--backend', 'wasm'], columns).done;
	expect(code, out).toBe(0);
	const drawn = [...out.matchAll(/\r\x1b\[2K(\[[= ]{10,}\][^\r]*)/g)].map((match) => match[1]!);
	expect(drawn.length).toBeGreaterThan(2);
	for (const line of drawn) expect(line.length, line).toBeLessThan(columns);
	const restoring = drawn.filter((line) => line.includes('restoring'));
	const shares = restoring.map((line) => Number(/(\d+) %/.exec(line)![1]));
	expect(shares).toEqual([...shares].sort((a, b) => a - b));
	expect(restoring.at(-1)).toMatch(/^\[=+\] 100 % {2}restoring 24\/24/);
	// One line of the screen for all of it, then the words.
	const lines = screen(out).filter((line) => line !== '');
	expect(lines.filter((line) => line.startsWith('['))).toHaveLength(1);
	expect(lines.findIndex((line) => line.startsWith('['))).toBeLessThan(
		lines.findIndex((line) => line.startsWith('out.mkv: 24 frames')),
	);
	expect(lines.some((line) => line.startsWith('invariants: 5 of 5 hold'))).toBe(true);
	expect(nativeFrameMd5(output)).toEqual(nativeFrameMd5(film));
});

it('Ctrl-C typed at the bar: 130, a line of its own, nothing left', async () => {
	const output = tmp.path('cut', 'out.mkv');
	const run = startOnTerminal(
		[noisyFilm(tmp.path('long.mkv'), 480), '-o', output, '--backend', 'wasm', '--chunk', '8'],
		80,
	);
	await run.seen(/\] +\d+ % {2}restoring (1\d\d|[4-9]\d)\//);
	run.child.stdin!.write('\x03');
	const { code, out } = await run.done;
	expect(code, out).toBe(130);
	expect(screen(out)).toContain('emulsion: Interrupted.');
	expect(tmp.names('cut')).toEqual([]);
});
