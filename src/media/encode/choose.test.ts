import { describe, expect, it } from 'vitest';
import { type ColorTags, describeFormat } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { spoken } from '../../core/phrases.ts';
import { rational } from '../../core/rational.ts';
import type { PixelFormat } from '../../core/color.ts';
import type { ContainerId } from '../../contracts/media.ts';
import { type EncodeSource, chooseEncode } from './choose.ts';
import { CODECS, CONTAINERS, containerOfName, pixelFormat } from './formats.ts';

const YUV: ColorTags = {
	primaries: 'bt709',
	transfer: 'bt709',
	matrix: 'bt709',
	range: 'limited',
	chromaLocation: 'left',
};
const RGB: ColorTags = { ...YUV, matrix: 'rgb', range: 'full', chromaLocation: 'unspecified' };

function source(format: PixelFormat, extra: Partial<EncodeSource> = {}): EncodeSource {
	return {
		format,
		size: { width: 640, height: 360 },
		color: format.chroma === 'rgb' ? RGB : YUV,
		fields: 'progressive',
		sampleAspect: rational(1),
		rotation: 0,
		timebase: rational(1, 24),
		rate: rational(24),
		...extra,
	};
}

describe('chooseEncode', () => {
	const same: readonly (readonly [ContainerId, PixelFormat])[] = [
		['mp4', pixelFormat('420', 8)],
		['mp4', pixelFormat('422', 10)],
		['mp4', pixelFormat('rgb', 8)],
		['mov', pixelFormat('422', 10)],
		['mov', pixelFormat('444', 10, true)],
		['mkv', pixelFormat('420', 12)],
		['mkv', pixelFormat('rgb', 16)],
		['mkv', pixelFormat('411', 8)],
		['tiff', pixelFormat('rgb', 16)],
		['dpx', pixelFormat('rgb', 10)],
		['dpx', pixelFormat('rgb', 8)],
		['dpx', pixelFormat('gray', 8)],
	];
	it.each(same)('%s takes %o as it is, and says that nothing is converted', (container, format) => {
		const { config, conversions } = chooseEncode(source(format), container);
		expect(config.format).toEqual(format);
		expect(conversions).toEqual([]);
	});

	const nearest: readonly (readonly [ContainerId, PixelFormat, string])[] = [
		['mp4', pixelFormat('420', 12), '4:2:0 10 bit'],
		['mp4', pixelFormat('rgb', 10), '4:4:4 10 bit'],
		['mp4', pixelFormat('411', 8), '4:2:2 8 bit'],
		['mp4', pixelFormat('420', 8, true), '4:2:0 8 bit'],
		['mov', pixelFormat('420', 8), '4:2:2 10 bit'],
		['mov', pixelFormat('rgb', 12), '4:4:4 10 bit'],
		['mkv', pixelFormat('gray', 14), 'gray 16 bit'],
		['mkv', pixelFormat('rgb', 32), 'RGB 16 bit'],
		['dpx', pixelFormat('420', 8), 'RGB 10 bit'],
		['png', pixelFormat('rgb', 10), 'RGB 16 bit'],
		['webm', pixelFormat('444', 10), '4:2:0 8 bit'],
	];
	it.each(nearest)('%s takes %o as what loses least', (container, format, expected) => {
		const { config, conversions } = chooseEncode(source(format), container);
		expect(describeFormat(config.format)).toBe(expected);
		expect(spoken(conversions)[0]).toContain(`→ ${expected}`);
	});

	it('passes the distance of keyframes on where a codec has one', () => {
		const film = source(pixelFormat('420', 8));
		expect(chooseEncode(film, 'mp4', { keyframes: 12 }).config.keyframes).toBe(12);
		expect(chooseEncode(film, 'mp4').config).not.toHaveProperty('keyframes');
		expect(chooseEncode(film, 'mov', { keyframes: 12 }).config).not.toHaveProperty('keyframes');
		for (const bad of [0, 1.5, NaN, 10_001]) {
			expect(() => chooseEncode(film, 'mp4', { keyframes: bad })).toThrow('keyframes');
		}
	});

	it('follows wishes, and names what is held when it cannot', () => {
		const { config } = chooseEncode(source(pixelFormat('rgb', 16)), 'mp4', { chroma: '420', depth: 8, quality: 20 });
		expect([config.format, config.quality]).toEqual([pixelFormat('420', 8), 20]);
		expect(config.color).toMatchObject({ matrix: 'bt709', range: 'limited', chromaLocation: 'left' });
		expect(() => chooseEncode(source(pixelFormat('420', 8)), 'mov', { depth: 12 })).toThrow(/It holds 4:2:2 10 bit/);
		// DPX of 8 bit is for scans that have 8 bit: nothing is brought down to it.
		expect(chooseEncode(source(pixelFormat('rgb', 8)), 'dpx', { depth: 10 }).config.format.depth).toBe(10);
		expect(() => chooseEncode(source(pixelFormat('rgb', 10)), 'dpx', { depth: 8 })).toThrow(/It holds RGB 10 bit/);
		expect(() => chooseEncode(source(pixelFormat('420', 8)), 'mp4', { quality: 99 })).toThrow(/expected 0–51, got 99/);
	});

	it('says what containers and codecs cannot carry', () => {
		const odd = source(pixelFormat('420', 8), {
			rotation: 90,
			sampleAspect: rational(16, 15),
			fields: 'tff',
			color: { ...YUV, range: 'full' },
		});
		expect(spoken(chooseEncode(odd, 'png').conversions).join('\n')).toMatch(
			/rotation by 90°[^]*pixel aspect 16:15[^]*fields/,
		);
		const prores = chooseEncode(odd, 'mov');
		expect(prores.config.color.range).toBe('limited');
		expect(spoken(prores.conversions).join()).toContain('full range → limited range');
		const log = source(pixelFormat('rgb', 10), { color: { ...RGB, transfer: 'log' } });
		expect(spoken(chooseEncode(log, 'mkv').conversions).join()).toContain('Cineon log');
		expect(chooseEncode(log, 'dpx').conversions).toEqual([]);
	});

	it('makes linear light for OpenEXR and never guesses it', () => {
		const choice = chooseEncode(source(pixelFormat('rgb', 10)), 'exr');
		expect(choice.config.color.transfer).toBe('linear');
		expect(spoken(choice.conversions)).toContain('BT.709 → linear light');
		const unknown = source(pixelFormat('rgb', 10), { color: { ...RGB, transfer: 'unknown' } });
		expect(() => chooseEncode(unknown, 'exr')).toThrow(EmulsionError);
	});

	it('has a codec, an engine and planes for every container', () => {
		for (const [id, row] of Object.entries(CONTAINERS)) {
			for (const codec of row.codecs) {
				for (const engine of CODECS[codec].engines) expect(CODECS[codec].formats(engine).length).toBeGreaterThan(0);
			}
			expect(containerOfName(`film${row.extension}`)).toBe(id);
		}
		expect(containerOfName('a.tif')).toBe('tiff');
		expect(containerOfName('a.constructor')).toBeUndefined();
	});
});
