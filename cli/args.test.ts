import { describe, expect, it } from 'vitest';
import { EmulsionError, exitCode } from '../src/core/errors.ts';
import { parseCommandLine, parseFrameRange } from './args.ts';

describe('command line', () => {
	it('takes the container from the extension and everything else typed', () => {
		expect(
			parseCommandLine(['in.mov', '-o', 'a/b.MKV', '--range', '3:9', '--backend', 'wasm', '--audio', 'none']),
		).toEqual({
			command: 'restore',
			input: 'in.mov',
			output: 'a/b.MKV',
			container: 'mkv',
			range: { start: 3, end: 9 },
			backend: 'wasm',
			audio: 'none',
		});
	});

	it('knows help and the stage list without an input', () => {
		expect(parseCommandLine(['--help']).command).toBe('help');
		expect(parseCommandLine(['--list-stages']).command).toBe('list-stages');
	});

	it.each([
		[[], 'INPUT is missing'],
		[['a'], '-o OUTPUT is missing'],
		[['a', 'b', '-o', 'c.mp4'], 'one INPUT'],
		[['a', '-o', 'c.avi'], 'OUTPUT: expected one of'],
		[['a', '-o', 'c.mp4', '--backend', 'cuda'], '--backend: expected auto, webgpu, wasm, got "cuda"'],
		[['a', '-o', 'c.mp4', '--range', '9:3'], 'OUT must be greater'],
		[['a', '-o', 'c.mp4', '--range', 'x'], '--range: expected IN:OUT'],
		[['a', '-o', 'c.mp4', '--depth', '7'], '--depth: expected 8 to 16'],
		[['a', '-o', 'c.mp4', '--transfer', 'sdr'], '--transfer: expected'],
		[['a', '-o', 'c.mp4', '--rate', '0x10'], '--rate: expected'],
		[['a', '-o', 'c.mp4', '--matte', 'm.mkv'], '--matte: expected ID=PATH'],
		[['a', '-o', 'c.mp4', '--matte', 'all=m.mkv'], '--matte: expected ID=PATH'],
		[['a', '-o', 'c.mp4', '--matte', 'x=m', '--matte', 'x=n'], 'x is given twice'],
		[['a', '-o', 'c.mp4', '--nope'], '--nope is no option\nSee'],
		[['a', '-o', 'c.mp4', '--recpie', 'x'], '--recpie is no option; did you mean --recipe?'],
	])('%j is wrong usage', (argv, text) => {
		try {
			parseCommandLine(argv);
		} catch (error) {
			expect(error).toBeInstanceOf(EmulsionError);
			expect((error as EmulsionError).message).toContain(text);
			expect(exitCode(error as EmulsionError)).toBe(2);
			return;
		}
		throw new Error('was accepted');
	});

	it('overwrites only when told to', () => {
		expect(parseCommandLine(['a', '-o', 'c.mkv'])).not.toHaveProperty('overwrite');
		expect(parseCommandLine(['a', '-o', 'c.mkv', '--overwrite'])).toMatchObject({ overwrite: true });
	});

	it('takes mattes by id', () => {
		expect(parseCommandLine(['a', '-o', 'c.mkv', '--matte', 'x=m=1.mkv', '--matte', 'y=n/%04d.png'])).toMatchObject({
			mattes: [
				{ id: 'x', path: 'm=1.mkv' },
				{ id: 'y', path: 'n/%04d.png' },
			],
		});
	});

	it('leaves either side of a range open', () => {
		expect(parseFrameRange(':5')).toEqual({ start: 0, end: 5 });
		expect(parseFrameRange('5:')).toEqual({ start: 5, end: -1 });
	});
});
