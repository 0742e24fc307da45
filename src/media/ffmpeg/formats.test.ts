import { describe, expect, it } from 'vitest';
import { frameBytes, planeLayouts, type Size } from '../../core/color.ts';
import { lookAtMov } from './mov-boxes.ts';
import { rawFormat } from './pixel-formats.ts';
import { inputArgs, videoArgs } from './plan.ts';
import { parseConfigTimebase, parseShowinfo, parseTagText, planesChecksum } from './showinfo.ts';
import { fieldOrder, resolveTags } from './tags.ts';

function unpack(pixFmt: string, raw: ArrayLike<number>, size: Size, wide = false): number[] {
	const format = rawFormat(pixFmt);
	if (!format) throw new Error(pixFmt);
	const bytes = wide ? new Uint8Array(Uint16Array.from(raw).buffer) : Uint8Array.from(raw);
	expect(bytes).toHaveLength(format.bytes(size));
	const out = new ArrayBuffer(frameBytes(format.format, size));
	format.unpack(bytes, out, size);
	return [...(format.format.sample === 'u16' ? new Uint16Array(out) : new Uint8Array(out))];
}

describe('rawFormat', () => {
	const two = { width: 2, height: 1 };

	it('puts every RGB order into R, G, B planes', () => {
		const planes = [1, 4, 2, 5, 3, 6];
		expect(unpack('rgb24', [1, 2, 3, 4, 5, 6], two)).toEqual(planes);
		expect(unpack('bgr24', [3, 2, 1, 6, 5, 4], two)).toEqual(planes);
		expect(unpack('bgr0', [3, 2, 1, 0, 6, 5, 4, 0], two)).toEqual(planes);
		expect(unpack('0rgb', [0, 1, 2, 3, 0, 4, 5, 6], two)).toEqual(planes);
		expect(unpack('gbrp', [2, 5, 3, 6, 1, 4], two)).toEqual(planes);
		expect(unpack('argb', [9, 1, 2, 3, 8, 4, 5, 6], two)).toEqual([...planes, 9, 8]);
		expect(unpack('gbrap', [2, 5, 3, 6, 1, 4, 9, 8], two)).toEqual([...planes, 9, 8]);
		expect(unpack('rgb48le', [256, 2, 3, 4, 5, 6], two, true)).toEqual([256, 4, 2, 5, 3, 6]);
		expect(unpack('rgb48be', [0, 1, 0, 2, 0, 3, 1, 4, 0, 5, 0, 6], two)).toEqual([1, 260, 2, 5, 3, 6]);
	});

	it('pulls packed and semi-planar chroma apart, odd sizes included', () => {
		expect(unpack('uyvy422', [7, 1, 8, 2], two)).toEqual([1, 2, 7, 8]);
		expect(unpack('yuyv422', [1, 7, 2, 8, 3, 9, 0, 6], { width: 3, height: 1 })).toEqual([1, 2, 3, 7, 9, 8, 6]);
		expect(
			unpack('nv12', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], { width: 3, height: 3 }),
		).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 11, 13, 15, 17]);
		expect(unpack('nv21', [1, 2, 8, 7], two)).toEqual([1, 2, 7, 8]);
		expect(unpack('p010le', [64, 65472, 128, 192], two, true)).toEqual([1, 1023, 2, 3]);
		expect(unpack('y210le', [64, 128, 192, 256], two, true)).toEqual([1, 3, 2, 4]);
	});

	it('reads bits, swaps words, and knows what it cannot hold', () => {
		expect(unpack('monow', [0b01000000], two)).toEqual([255, 0]);
		expect(unpack('monob', [0b01000000], two)).toEqual([0, 255]);
		expect(unpack('gray16be', [1, 2, 3, 4], two)).toEqual([258, 772]);
		expect(unpack('ya8', [1, 9, 2, 8], two)).toEqual([1, 2, 9, 8]);
		expect(rawFormat('yuvj422p')?.format).toEqual({ chroma: '422', depth: 8, sample: 'u8', alpha: false });
		expect(rawFormat('pal8')).toMatchObject({ pixFmt: 'rgb24', converted: true });
		expect(rawFormat('rgb565le')).toMatchObject({ pixFmt: 'rgb24', converted: true });
		expect(rawFormat('xyz12le')).toBeUndefined();
		expect(rawFormat('bayer_rggb8')).toBeUndefined();
	});

	it('has as many bytes as our planes where only the order differs', () => {
		const size = { width: 7, height: 5 };
		for (const name of ['yuv420p', 'yuv422p10le', 'yuva444p12le', 'gbrp16le', 'nv12', 'p010le', 'gray', 'gbrpf32le']) {
			const format = rawFormat(name)!;
			expect(format.bytes(size), name).toBe(frameBytes(format.format, size));
			expect(planeLayouts(format.format, size).length, name).toBeGreaterThan(0);
		}
	});
});

describe('tags', () => {
	const yuv = { chroma: '420', depth: 8, sample: 'u8', alpha: false } as const;
	const untagged = { range: undefined, space: 'unknown' };

	it('assumes by size, and says what', () => {
		expect(resolveTags(untagged, yuv, 'yuv420p', { width: 1920, height: 1080 })).toMatchObject({
			color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited' },
			assumed: ['primaries', 'transfer', 'matrix'].map((tag) => ({ tag, value: 'bt709' })),
		});
		expect(resolveTags(untagged, yuv, 'yuv420p', { width: 720, height: 576 }).color.matrix).toBe('bt470bg');
		expect(resolveTags(untagged, yuv, 'yuvj420p', { width: 720, height: 480 }).color).toMatchObject({
			matrix: 'smpte170m',
			range: 'full',
		});
		expect(resolveTags(untagged, { ...yuv, chroma: 'rgb' }, 'gbrp', { width: 8, height: 8 }).color).toMatchObject({
			matrix: 'rgb',
			range: 'full',
		});
	});

	it('keeps what is tagged', () => {
		const raw = { range: 'pc', space: 'bt2020nc', primaries: 'bt2020', transfer: 'arib-std-b67', location: 'topleft' };
		expect(resolveTags(raw, yuv, 'yuv420p', { width: 8, height: 8 })).toEqual({
			color: { primaries: 'bt2020', transfer: 'hlg', matrix: 'bt2020nc', range: 'full', chromaLocation: 'topleft' },
			assumed: [],
		});
	});

	it('names the field shown first', () => {
		expect(['progressive', 'tt', 'bt', 'bb', 'tb', undefined].map(fieldOrder)).toEqual([
			'progressive',
			'tff',
			'tff',
			'bff',
			'bff',
			'unknown',
		]);
	});
});

describe('showinfo', () => {
	const line =
		'[Parsed_showinfo_0 @ 0xf4c0a0] [info] n:   3 pts:  -1536 pts_time:-0.125   pos:     6599 fmt:yuv420p sar:1/1 s:160x120 i:T iskey:1 type:B checksum:68AAE499 plane_checksum:[B2961BF5] [Parsed_showinfo_0 @ 0xf4c0a0] [info] color_range:tv color_space:bt709 color_primaries:bt709 color_trc:unknown';

	it('gives time, fields, size and tags of a frame', () => {
		const shown = parseShowinfo(line);
		expect(shown).toMatchObject({
			ticks: -1536,
			pixFmt: 'yuv420p',
			width: 160,
			height: 120,
			fields: 'tff',
			keyframe: true,
			checksum: 0x68aae499,
		});
		expect(parseTagText(shown!.tagText)).toEqual({
			range: 'tv',
			space: 'bt709',
			primaries: 'bt709',
			transfer: 'unknown',
		});
		expect(parseShowinfo(line.replace('-1536', 'NOPTS'))?.ticks).toBeUndefined();
		expect(parseShowinfo('frame= 24')).toBeUndefined();
		expect(parseConfigTimebase('[x] config in time_base: 1/12288, frame_rate: 24/1')).toBe('1/12288');
	});

	it('computes the filter’s checksum', () => {
		expect(planesChecksum(Uint8Array.from([1, 2, 3]))).toBe(10 * 65536 + 6);
		expect(planesChecksum(new Uint8Array(20_000).fill(255))).toBe(
			(((255 * 20_000 * 20_001) / 2) % 65521) * 65536 + ((255 * 20_000) % 65521),
		);
	});
});

describe('command lines', () => {
	const base = {
		mode: 'packets',
		countRate: { num: 25, den: 1 },
		discardCorrupt: true,
		seekShift: { num: 0, den: 1 },
	} as const;

	it('seek to the microsecond after a keyframe, negative times included', () => {
		const seek = (num: number, den: number) =>
			inputArgs(base, { pts: { num, den }, duration: { num: 1, den }, keyframe: true }).join(' ');
		expect(seek(1001, 24000)).toContain('-ss 0.041709 ');
		expect(seek(3601, 1)).toContain('-ss 3601.000001 ');
		expect(seek(-1, 24)).toContain('-ss -0.041666 ');
	});

	it('count where there is no clock, and select by ticks', () => {
		expect(inputArgs({ ...base, mode: 'counted' }).join(' ')).toContain('-r 25/1 -noautorotate -i');
		expect(videoArgs(2, 512).join(' ')).toContain('-map 0:2 -vf select=gte(pts\\,512),showinfo=checksum=0');
	});
});

describe('lookAtMov', () => {
	const box = (name: string, content: Uint8Array<ArrayBuffer>) => {
		const head = new DataView(new ArrayBuffer(8));
		head.setUint32(0, 8 + content.length);
		[...name].forEach((letter, i) => {
			head.setUint8(4 + i, letter.charCodeAt(0));
		});
		return new Blob([head, content]);
	};
	const empty = new Uint8Array(4);
	const text = (s: string) => new TextEncoder().encode(s) as Uint8Array<ArrayBuffer>;

	const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
	const movie = async (entry: Blob, beside: Blob = new Blob()) => {
		const stsd = box('stsd', await bytesOf(new Blob([new Uint8Array(8), entry])));
		let inner = new Blob([beside, stsd]);
		for (const name of ['stbl', 'minf', 'mdia', 'trak', 'moov']) inner = box(name, await bytesOf(inner));
		return new Blob([box('ftyp', empty), box('mdat', empty), inner]);
	};

	it('finds the header behind media data, and encryption in it', async () => {
		const encrypted = { isMov: true, hasHeader: true, encrypted: true };
		expect(await lookAtMov(await movie(box('encv', empty)))).toEqual(encrypted);
		expect(await lookAtMov(await movie(box('drmi', empty)))).toEqual(encrypted);
		expect(await lookAtMov(await movie(box('avc1', empty)))).toEqual({ ...encrypted, encrypted: false });
	});

	it('takes the letters for encryption only where a sample is described', async () => {
		const beside = box('stsz', text('....encv....'));
		expect((await lookAtMov(await movie(box('avc1', text('encv')), beside))).encrypted).toBe(false);
	});

	it('misses it in a cut file, and leaves other files alone', async () => {
		const cut = new Blob([box('ftyp', empty), box('mdat', new Uint8Array(100))]).slice(0, 60);
		expect(await lookAtMov(cut)).toEqual({ isMov: true, hasHeader: false, encrypted: false });
		expect(await lookAtMov(new Blob(['RIFFxxxxAVI LIST']))).toEqual({
			isMov: false,
			hasHeader: false,
			encrypted: false,
		});
		expect(await lookAtMov(new Blob([]))).toEqual({ isMov: false, hasHeader: false, encrypted: false });
	});
});
