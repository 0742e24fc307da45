import { describe, expect, it } from 'vitest';
import { EmulsionError, exitCode } from '../../src/core/errors.ts';
import { parseReviewArgs } from './args.ts';

const AB = ['make', '--versions', 'a.mkv', 'b.mkv'];

describe('review command line', () => {
	it('takes films and names as lists, in any order', () => {
		const args = parseReviewArgs([
			...['make', '--names', 'Old', 'New', 'Other', '--blind', '--versions', 'a.mkv', 'x/b.mkv', 'c.mkv'],
			...['--shots', '0:12, 20:30', '-o', 'r.emreview', '--pairs', '6', '--no-ties', '--voters', '3', '--codec', 'vp9'],
		]);
		expect(args).toMatchObject({
			versions: ['a.mkv', 'x/b.mkv', 'c.mkv'],
			names: ['Old', 'New', 'Other'],
			...{ blind: true, ties: false, pairs: 6, voters: 3, codec: 'vp9', output: 'r.emreview', server: undefined },
			shots: [
				{ start: 0, end: 12 },
				{ start: 20, end: 30 },
			],
		});
	});

	it('takes the source and the truth by name, or by number where no name is one', () => {
		const named = ['make', '--versions', 'a', 'b', 'c', '--names', '3', 'Scan', 'Made', '-o', 'r'];
		expect(parseReviewArgs([...named, '--source', 'Scan', '--truth', '3'])).toMatchObject({ source: 1, truth: 0 });
		expect(parseReviewArgs([...AB, '--truth', '2', '-o', 'r'])).toMatchObject({ source: undefined, truth: 1 });
	});

	it('has defaults', () => {
		expect(parseReviewArgs([...AB, '--server', 'https://films.example/e?x#y'])).toMatchObject({
			...{
				names: ['a.mkv', 'b.mkv'],
				blind: false,
				ties: true,
				pairs: undefined,
				shots: undefined,
				stills: 3,
				days: 30,
			},
			...{ codec: 'h264', quality: undefined, backend: 'auto', server: 'https://films.example/e', json: false },
		});
	});

	it('reads results of a service and of a file', () => {
		expect(parseReviewArgs(['results', 'https://x/#/review?link=abc', '--json'])).toEqual({
			...{ command: 'results', link: 'https://x/#/review?link=abc', package: undefined, votes: [], json: true },
		});
		const file = ['results', 'abc', '--package', 'r.emreview', '--votes', 'a.json', 'b.json'];
		expect(parseReviewArgs(file)).toMatchObject({ package: 'r.emreview', votes: ['a.json', 'b.json'] });
		expect(parseReviewArgs(['make', '--help'])).toEqual({ command: 'help' });
	});

	it.each([
		[[], 'make or results'],
		[['vote'], 'make or results'],
		[[...AB, '--truth', '3', '-o', 'r'], '--truth: expected a number, 1 to 2, or one of a.mkv, b.mkv; got "3"'],
		[[...AB, '--source', 'c.mkv', '-o', 'r'], '--source: expected a number'],
		[[...AB, '--truth', '1', '--no-judge', '-o', 'r'], 'leave out --no-judge'],
		[['make', '--versions', 'a.mkv', '-o', 'r'], '2 to 4 films, got 1'],
		[['make', '--versions', 'a', 'b', 'c', 'd', 'e', '-o', 'r'], '2 to 4 films, got 5'],
		[['make', 'a.mkv', 'b.mkv', '-o', 'r'], 'films follow --versions'],
		[[...AB, '--names', 'A', '-o', 'r'], 'expected 2 names, got 1'],
		[[...AB, '--names', 'A', 'A', '-o', 'r'], 'name of its own'],
		[['make', '--versions', 'x/a.mkv', 'y/a.mkv', '-o', 'r'], 'name of its own'],
		[AB, 'either --server URL or -o FILE'],
		[[...AB, '--server', 'https://x', '-o', 'r'], 'either --server URL or -o FILE'],
		[[...AB, '--server', 'ftp://x'], '--server: expected an address'],
		[[...AB, '--server', 'javascript:alert(1)'], '--server: expected an address'],
		[[...AB, '-o', 'r', '--pairs', '1.5'], '--pairs'],
		[[...AB, '-o', 'r', '--pairs', '201'], '--pairs'],
		[[...AB, '-o', 'r', '--expires', '0'], '--expires'],
		[[...AB, '-o', 'r', '--expires', '367'], '--expires'],
		[[...AB, '-o', 'r', '--shots', '9:3'], 'OUT must be greater'],
		[[...AB, '-o', 'r', '--shots', '1:2,'], '--shots'],
		[[...AB, '-o', 'r', '--codec', 'prores'], '--codec'],
		[[...AB, '-o', 'r', '--quality', '99'], '--quality'],
		[[...AB, '-o', 'r', '--voters', '1000'], '--voters'],
		[[...AB, '-o', 'r', '--stills', '17'], '--stills'],
		[[...AB, '-o', 'r', '--rate', 'x'], '--rate'],
		[[...AB, '-o', 'r', '--votes', 'v'], 'go with results'],
		[[...AB, '--server', 'https://x', '--site', 'https://y'], '--site goes with -o'],
		[['results'], 'link is missing'],
		[['results', 'a', 'b'], 'unexpected b'],
		[['results', 'a', '--votes', 'v'], '--votes goes with --package'],
		[['results', 'a', '--blind'], '--blind goes with make'],
		[[...AB, '--nope'], '--nope is no option\nSee'],
		[[...AB, '--blnd'], '--blnd is no option; did you mean --blind?'],
		[[...AB, '--lbind'], 'did you mean --blind?'],
	])('%j is wrong usage', (argv, text) => {
		try {
			parseReviewArgs(argv);
		} catch (error) {
			expect(error).toBeInstanceOf(EmulsionError);
			expect((error as EmulsionError).message).toContain(text);
			expect(exitCode(error as EmulsionError)).toBe(2);
			return;
		}
		throw new Error('was accepted');
	});
});
