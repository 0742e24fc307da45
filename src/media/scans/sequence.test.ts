import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../../core/errors.ts';
import type { PlanarFrame } from '../../contracts/frames.ts';
import type { EncodeConfig, InputFile, SourceNotice } from '../../contracts/media.ts';
import { SequenceEncoder } from '../encode/sequence-encoder.ts';
import { decodeDpx, encodeDpx } from './dpx/dpx.ts';
import { DpxHeader } from './dpx/header.ts';
import { decodeScan, encodeScan, probeScanFile, type ScanContainer } from './formats.ts';
import { compareNatural, nameFor, numberedName, parseName, patternMatcher } from './names.ts';
import { UNTAGGED, type ScanPicture } from './picture.ts';
import { ffmpegEncode, firstDifference, noisePicture, planeBytes } from './scans.testkit.ts';
import { surveySequence } from './sequence.ts';
import { openScans, rationalRate, type ScanSource } from './source.ts';

const LOG = { ...UNTAGGED, transfer: 'log' } as const;
const NEVER = new AbortController().signal;

function input(path: string, bytes: Uint8Array<ArrayBuffer>): InputFile {
	return { path, file: new File([bytes], path.split('/').pop() ?? path) };
}

/** A 10-bit log frame whose samples and header tell its number. */
function dpxFrame(number: number, edit?: (header: DpxHeader) => void): Uint8Array<ArrayBuffer> {
	const picture = noisePicture(24, 10, 3, 10, LOG);
	picture.planes[0]![0] = number % 1024;
	const header = DpxHeader.create();
	header.set('film.framePosition', number);
	header.set('film.frameRate', 24);
	header.set('tv.timecode', 0x01000000 + (number % 10));
	edit?.(header);
	return encodeDpx(picture, { header });
}

function reel(numbers: readonly number[]): InputFile[] {
	return numbers.map((n) => input(`reel1/scan.${String(n).padStart(7, '0')}.dpx`, dpxFrame(n)));
}

async function collect(source: ScanSource, start: number, end: number): Promise<PlanarFrame[]> {
	const frames: PlanarFrame[] = [];
	for await (const frame of source.frames({ start, end }, NEVER)) frames.push(frame);
	return frames;
}

function kinds(notices: readonly SourceNotice[]): string[] {
	return notices.map((n) => n.kind);
}

describe('names', () => {
	it('finds the number, and orders as people do', () => {
		expect(parseName('reel3.0086400.dpx')).toEqual({
			prefix: 'reel3.',
			digits: '0086400',
			suffix: '',
			extension: 'dpx',
		});
		expect(parseName('title.exr').digits).toBe('');
		expect(['b2', 'a10', 'a9', 'a09', 'a1b'].sort(compareNatural)).toEqual(['a1b', 'a09', 'a9', 'a10', 'b2']);
	});

	it('matches printf patterns', () => {
		const six = patternMatcher('f_%06d.dpx');
		expect(['f_000001.dpx', 'f_1000000.dpx', 'f_1.dpx', 'f_0000001.dpx', 'g_000001.dpx'].map(six)).toEqual([
			true,
			true,
			false,
			false,
			false,
		]);
		expect(patternMatcher('a.%d.png')('x/y/a.17.png')).toBe(true);
		expect(patternMatcher('x/%04d.png')('y/0001.png')).toBe(false);
		expect(() => patternMatcher('none.png')).toThrow(/%06d/);
		expect(() => patternMatcher('%d-%d.png')).toThrow(/one number/);
		expect(() => patternMatcher('%s.png')).toThrow(EmulsionError);
	});

	it('keeps names and numbering for output', () => {
		const source = { name: 'reel1', names: ['s.0086400.dpx', 's.0086401.dpx', 's.0086405.dpx'], firstNumber: 86400 };
		expect(nameFor(source, 2, 'exr')).toBe('s.0086405.exr');
		expect(nameFor(source, 3, 'exr')).toBe('s.0086406.exr');
		expect(numberedName(source, 2, 'dpx')).toBe('s.0086402.dpx');
		expect(numberedName({ name: 'x', names: ['a001_2k.png', 'a002_2k.png'], firstNumber: 1 }, 9, 'png')).toBe(
			'a010_2k.png',
		);
		expect(nameFor({ name: 'films/film.mp4' }, 12, 'png')).toBe('film_0000012.png');
	});

	it('reads rates of headers exactly', () => {
		expect(rationalRate(Math.fround(23.976))).toEqual({ num: 24000, den: 1001 });
		expect(rationalRate(Math.fround(29.97003))).toEqual({ num: 30000, den: 1001 });
		expect(rationalRate(18)).toEqual({ num: 18, den: 1 });
		expect(rationalRate(Math.fround(16.67))).toEqual({ num: 1667, den: 100 });
	});
});

describe('survey', () => {
	it('orders by number, not by text, and lists all that is odd', async () => {
		const whole = dpxFrame(4);
		const files = [
			...reel([1, 2, 3, 10, 11, 12, 100]),
			input('reel1/scan.0000004.dpx', whole.slice(0, 2500)),
			input('reel1/scan.0000005.dpx', new Uint8Array(0)),
			input('reel1/scan.0000006.dpx', new TextEncoder().encode('this is no picture')),
			input('reel1/scan.0000013.dpx', encodeDpx(noisePicture(26, 10, 3, 10, LOG))),
			input('reel1/scan.0000014.dpx', encodeDpx(noisePicture(24, 10, 3, 12, LOG))),
			input('reel1/scan.0000015.dpx', encodeDpx(noisePicture(24, 10, 3, 10))),
			input(
				'reel1/scan.0000016.dpx',
				dpxFrame(16, (h) => h.set('image.orientation', 2)),
			),
			input('reel1/scan.16.dpx', dpxFrame(16)),
			input('reel1/leader.png', encodeScan('png', noisePicture(4, 4, 3, 8))),
			input('reel1/notes.txt', new Uint8Array(3)),
			input('reel1/.DS_Store', new Uint8Array(3)),
		];
		const { frames, notices } = await surveySequence(files.reverse());
		expect(frames.map((f) => f.number)).toEqual([1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 100]);
		const by = (kind: string): SourceNotice[] => notices.filter((n) => n.kind === kind);
		expect(by('missing-frames').map((n) => n.message)).toEqual([
			'Frames 7–9 (3) are missing before scan.0000010.dpx.',
			'Frames 17–99 (83) are missing before scan.0000100.dpx.',
		]);
		expect(by('truncated-frame').map((n) => [n.frame, n.path])).toEqual([
			[3, 'reel1/scan.0000004.dpx'],
			[4, 'reel1/scan.0000005.dpx'],
		]);
		expect(by('unreadable-frame').map((n) => n.frame)).toEqual([5]);
		expect(by('mixed-size')[0]?.message).toBe('scan.0000013.dpx is 26 × 10, the others 24 × 10.');
		expect(by('mixed-depth')[0]?.message).toBe('scan.0000014.dpx is RGB 12 bit, the others RGB 10 bit.');
		expect(by('mixed-color')[0]?.frame).toBe(11);
		expect(by('odd-header')[0]?.message).toMatch(/orientation 2 .*kept as stored/);
		expect(by('duplicate-frame')[0]?.path).toBe('reel1/scan.16.dpx');
		expect(by('other-series')[0]?.path).toBe('reel1/leader.png');
		expect(by('not-an-image').map((n) => n.path)).toEqual(['reel1/notes.txt']);
		expect(notices.length).toBe(2 + 2 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1);
	});

	it('finds the number even where other digits follow or change', async () => {
		const files = [9, 10, 11].map((n) => input(`v2/shot010_${n}_2k.dpx`, dpxFrame(n)));
		const { frames, notices } = await surveySequence(files);
		expect(frames.map((f) => f.number)).toEqual([9, 10, 11]);
		expect(notices).toEqual([]);
		const two = [...reel([1, 2, 3]), ...[1, 2].map((n) => input(`reel1/scanB.${n}.dpx`, dpxFrame(n)))];
		expect((await surveySequence(two)).frames.length).toBe(3);
		expect((await surveySequence(two, { pattern: 'scanB.%d.dpx' })).frames.length).toBe(2);
	});

	it('refuses folders without pictures, and reports the first problem where nothing is readable', async () => {
		await expect(surveySequence([])).rejects.toMatchObject({ code: 'input-no-video' });
		await expect(surveySequence(reel([1]), { pattern: 'x%d.dpx' })).rejects.toMatchObject({ code: 'input-no-video' });
		const broken = [input('a1.dpx', dpxFrame(1).slice(0, 100))];
		await expect(surveySequence(broken)).rejects.toMatchObject({ code: 'input-truncated', details: { frame: 0 } });
	});

	it('stops when canceled', async () => {
		const signal = AbortSignal.abort();
		await expect(surveySequence(reel([1, 2]), { signal })).rejects.toMatchObject({ code: 'aborted' });
	});

	it.each(['png', 'tiff', 'exr'] as const)('finds truncated %s files from their ends', async (format) => {
		const picture = noisePicture(40, 30, 3, format === 'exr' ? 32 : 16, {
			...UNTAGGED,
			transfer: 'linear',
			primaries: 'bt709',
		});
		const bytes = encodeScan(format, picture);
		expect((await probeScanFile(new Blob([bytes]), 'x')).size).toEqual({ width: 40, height: 30 });
		for (let n = 0; n < bytes.length - 1; n += 64) {
			await expect(probeScanFile(new Blob([bytes.slice(0, n)]), 'x')).rejects.toMatchObject({
				code: 'input-truncated',
			});
		}
	});

	it('probes large files by their headers alone', async () => {
		const picture = noisePicture(1000, 500, 3, 16);
		const tiff = ffmpegEncode(picture, 'a.tiff', ['-pix_fmt', 'rgb48le', '-compression_algo', 'raw']);
		for (const bytes of [tiff, encodeDpx(picture), encodeScan('png', picture)]) {
			let read = 0;
			const blob = new Blob([bytes]);
			const counted = {
				size: blob.size,
				slice: (from: number, to: number) => {
					read += to - from;
					return blob.slice(from, to);
				},
			} as unknown as Blob;
			expect((await probeScanFile(counted, 'x')).pixel.depth).toBe(16);
			expect(read).toBeLessThan(300_000);
		}
	});
});

describe('ScanSource', () => {
	it('gives frames in order and at random, at the files’ own depth, with their numbers kept', async () => {
		const source = await openScans({ kind: 'sequence', files: reel([86400, 86401, 86402, 86405]) });
		const { info } = source;
		expect(info).toMatchObject({
			name: 'reel1',
			container: 'dpx',
			firstNumber: 86400,
			timecode: '01:00:00:00',
			rate: { num: 24, den: 1 },
			size: { width: 24, height: 10 },
			color: { transfer: 'log' },
			format: { chroma: 'rgb', depth: 10 },
		});
		expect(info.names?.[3]).toBe('scan.0086405.dpx');
		const frames = await collect(source, 1, 4);
		expect(frames.map((f) => f.index)).toEqual([1, 2, 3]);
		expect(frames.map((f) => f.pts)).toEqual([
			{ num: 1, den: 24 },
			{ num: 1, den: 12 },
			// Numbers 86403 and 86404 are missing; their time is not.
			{ num: 5, den: 24 },
		]);
		expect(frames[1]?.duration).toEqual({ num: 1, den: 8 });
		expect(kinds(info.notices)).toContain('held-frames');
		const expected = decodeDpx(dpxFrame(86405));
		expect(firstDifference(new Uint8Array(frames[2]!.data), planeBytes(expected))).toBe(-1);
		expect((await source.frame(0)).index).toBe(0);
		expect(source.identity(3)?.framePosition).toBe(86405);
		expect(source.stats()).toMatchObject({ frames: 4, engine: 'scans' });
		await source.close();
		await expect(source.frame(0)).rejects.toMatchObject({ code: 'usage' });
	});

	it('names the frame that is truncated, damaged, or of another size', async () => {
		const files = [
			...reel([1, 2]),
			input('reel1/scan.0000003.dpx', dpxFrame(3).slice(0, 2100)),
			input('reel1/scan.0000004.dpx', encodeDpx(noisePicture(8, 8, 3, 10, LOG))),
		];
		const source = await openScans({ kind: 'sequence', files });
		expect(kinds(source.info.notices)).toEqual(['truncated-frame', 'mixed-size']);
		await expect(collect(source, 0, 4)).rejects.toMatchObject({ code: 'input-truncated', details: { frame: 2 } });
		await expect(collect(source, 3, 4)).rejects.toMatchObject({ code: 'unsupported-format', details: { frame: 3 } });
		expect((await collect(source, 0, 2)).length).toBe(2);
	});

	it('asks where nothing is tagged; an answer counts more than a tag, and that is said', async () => {
		const untagged = [1, 2].map((n) => input(`f${n}.png`, encodeScan('png', noisePicture(8, 8, 3, 16))));
		const asked = await openScans({ kind: 'sequence', files: untagged });
		expect(asked.info.color.transfer).toBe('unknown');
		expect(asked.info.notices[0]).toMatchObject({ kind: 'untagged-transfer', severity: 'error' });
		const answered = await openScans({ kind: 'sequence', files: untagged, transfer: 'log' });
		expect(answered.info.color.transfer).toBe('log');
		expect(kinds(answered.info.notices)).toEqual(['assumed-rate']);
		expect((await answered.frame(0)).color.transfer).toBe('log');
		const tagged = await openScans({ kind: 'sequence', files: reel([1]), transfer: 'srgb' });
		expect(tagged.info.color.transfer).toBe('srgb');
		expect(kinds(tagged.info.notices)).toContain('transfer-told');
		expect((await tagged.frame(0)).color.transfer).toBe('srgb');
		const agreed = await openScans({ kind: 'sequence', files: reel([1]), transfer: 'log' });
		expect(kinds(agreed.info.notices)).not.toContain('transfer-told');
	});

	it('reads ahead a bounded number of files, and stops reading when left or canceled', async () => {
		let reads = 0;
		const files = reel(Array.from({ length: 12 }, (_, i) => i));
		for (const { file } of files) {
			const real = file.arrayBuffer.bind(file);
			file.arrayBuffer = () => {
				reads++;
				return real();
			};
		}
		const source = await openScans({ kind: 'sequence', files });
		for await (const frame of source.frames({ start: 0, end: 12 }, NEVER)) {
			if (frame.index === 1) break;
		}
		expect(reads).toBeLessThanOrEqual(5);
		const controller = new AbortController();
		const canceled = (async () => {
			for await (const frame of source.frames({ start: 0, end: 12 }, controller.signal)) {
				if (frame.index === 2) controller.abort();
			}
		})();
		await expect(canceled).rejects.toMatchObject({ code: 'aborted' });
		expect(reads).toBeLessThanOrEqual(12);
	});
});

describe('the way back', () => {
	function config(container: ScanContainer, picture: ScanPicture): EncodeConfig {
		const one = { num: 1, den: 1 };
		const { format, size, color } = picture;
		const rate = { num: 24, den: 1 };
		return {
			container,
			codec: container,
			engine: 'software',
			format,
			size,
			color,
			fields: 'progressive',
			sampleAspect: one,
			rotation: 0,
			timebase: { num: 1, den: 24 },
			rate,
		};
	}

	it('an untouched DPX sequence leaves byte for byte, user data and unknown fields included', async () => {
		const files = [5, 6, 7].map((n) => {
			const header = new DpxHeader(new Uint8Array(4096).fill(0x5a, 2048), false);
			header.bytes.set(DpxHeader.create().bytes);
			header.bytes.fill(0xa7, 1864, 1920);
			header.set('file.imageOffset', 4096);
			header.set('file.userSize', 2048);
			header.set('film.framePosition', n);
			return input(`in/s.${n}.dpx`, encodeDpx(noisePicture(24, 10, 3, 10, LOG), { header, name: `s.${n}.dpx` }));
		});
		const source = await openScans({ kind: 'sequence', files });
		const headers: (ArrayBuffer | undefined)[] = [];
		const encoder = new SequenceEncoder(config('dpx', noisePicture(24, 10, 3, 10, source.info.color)), {
			name: (i) => nameFor(source.info, i, 'dpx'),
			dpxHeader: (i) => Promise.resolve(headers[i] && new Uint8Array(headers[i])),
		});
		const kept = async function* (frames: AsyncIterable<PlanarFrame>): AsyncGenerator<PlanarFrame> {
			for await (const frame of frames) {
				headers[frame.index] = frame.header;
				yield frame;
			}
		};
		const range = { start: 0, end: 3 };
		const chunk = await encoder.encode(kept(source.frames(range, NEVER)), range, NEVER);
		expect(chunk.files?.map((f) => f.name)).toEqual(['s.5.dpx', 's.6.dpx', 's.7.dpx']);
		expect(headers.map((h) => h?.byteLength)).toEqual([4096, 4096, 4096]);
		expect(firstDifference(new Uint8Array(headers[1] ?? []), (await source.headerOf(1))!.bytes)).toBe(-1);
		for (const [i, written] of (chunk.files ?? []).entries()) {
			const bytes = new Uint8Array(await written.data.arrayBuffer());
			expect(firstDifference(bytes, new Uint8Array(await files[i]!.file.arrayBuffer()))).toBe(-1);
		}
		expect(new Set(chunk.frameMd5).size).toBe(1);
		await encoder.close();
	});

	it.each([
		['dpx', 12],
		['tiff', 16],
		['png', 16],
		['exr', 32],
	] as const)('writes %s at %i bit through the chunk encoder', async (container, depth) => {
		const picture = noisePicture(16, 9, 3, depth, { ...UNTAGGED, transfer: 'linear', primaries: 'bt709' });
		const encoder = new SequenceEncoder(config(container, picture), { name: (i) => `x${i}.${container}` });
		const time = { pts: { num: 0, den: 1 }, duration: { num: 1, den: 24 }, fields: 'progressive' } as const;
		const frames = (async function* () {
			yield { ...time, index: 0, format: picture.format, size: picture.size, data: picture.data, color: picture.color };
		})();
		const chunk = await encoder.encode(frames, { start: 4, end: 5 }, NEVER);
		expect(chunk.files?.[0]?.name).toBe(`x4.${container}`);
		const read = decodeScan(new Uint8Array(await chunk.files![0]!.data.arrayBuffer()), 'x');
		expect(read.color.transfer).toBe('linear');
		expect(read.format).toEqual(picture.format);
		if (container !== 'exr') expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
	});

	it.each(['tiff', 'dpx'] as const)('%s: a turned source stays turned', async (container) => {
		const picture = noisePicture(8, 4, 3, 10, LOG);
		const wide = noisePicture(8, 4, 3, 16, { ...UNTAGGED, transfer: 'linear', primaries: 'bt709' });
		for (const rotation of [0, 90, 180, 270] as const) {
			const { format, size, data, color } = container === 'dpx' ? picture : wide;
			const frame = {
				pts: { num: 0, den: 1 },
				duration: { num: 1, den: 24 },
				fields: 'progressive',
				index: 0,
			} as const;
			const frames = (async function* () {
				yield { ...frame, format, size, data, color };
			})();
			const settings = { ...config(container, container === 'dpx' ? picture : wide), rotation };
			const encoder = new SequenceEncoder(settings, { name: () => `x.${container}` });
			const chunk = await encoder.encode(frames, { start: 0, end: 1 }, NEVER);
			expect((await probeScanFile(chunk.files![0]!.data, 'x')).rotation).toBe(rotation);
		}
	});
});
