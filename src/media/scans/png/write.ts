/** PNG writer: gray, RGB, alpha, 8 and 16 bit, with color tags. See `read.ts`. */
import { type ColorTags, formatPhrase, type Transfer } from '../../../core/color.ts';
import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import { deflate } from '../deflate.ts';
import { gatherRow, type ScanPicture } from '../picture.ts';
import { chromaticitiesOf, codesSuffice, colorText, primariesCode, transferCode } from '../tags.ts';
import { crc32, paeth, SIGNATURE } from './common.ts';

const TRANSFER_GAMMAS: Readonly<Partial<Record<Transfer, number>>> = {
	linear: 100000,
	gamma22: 45455,
	gamma28: 35714,
	srgb: 45455,
};

/** How a PNG is written. */
export interface PngWriteOptions {
	/** zlib level 0–9; default 4. */
	readonly level?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
}

/** Encodes gray, gray with alpha, RGB or RGBA of 8 or 16 bit. The same picture always gives the same bytes. */
export function encodePng(picture: ScanPicture, options: PngWriteOptions = {}): Uint8Array<ArrayBuffer> {
	const { format, size, planes, color } = picture;
	if ((format.depth !== 8 && format.depth !== 16) || (format.chroma !== 'rgb' && format.chroma !== 'gray')) {
		const legal = phrase('legal-bits', { layouts: ['RGB', phrase('layout-gray')], depths: '8, 16' });
		throw new EmulsionError('usage', phrase('takes', { format: 'PNG', legal, found: formatPhrase(format) }));
	}
	const header = new Uint8Array(13);
	const view = new DataView(header.buffer);
	view.setUint32(0, size.width);
	view.setUint32(4, size.height);
	header[8] = format.depth;
	header[9] = (format.chroma === 'rgb' ? 2 : 0) + (format.alpha ? 4 : 0);
	const parts = [chunk('IHDR', header), ...colorChunks(color)];
	parts.push(
		chunk('IDAT', deflate(filteredRows(picture, planes.length), options.level)),
		chunk('IEND', new Uint8Array()),
	);
	const signature = Uint8Array.from(SIGNATURE);
	const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, signature.length));
	out.set(signature);
	let at = signature.length;
	for (const part of parts) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
	const out = new Uint8Array(body.length + 12);
	const view = new DataView(out.buffer);
	view.setUint32(0, body.length);
	for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
	out.set(body, 8);
	view.setUint32(body.length + 8, crc32(out.subarray(4, body.length + 8)));
	return out;
}

function colorChunks(color: ColorTags): Uint8Array[] {
	const chunks: Uint8Array[] = [];
	const primaries = primariesCode(color.primaries);
	const transfer = transferCode(color.transfer);
	if (primaries !== 2 || transfer !== 2) {
		chunks.push(chunk('cICP', Uint8Array.of(primaries, transfer, 0, color.range === 'full' ? 1 : 0)));
	}
	const gamma = TRANSFER_GAMMAS[color.transfer];
	if (gamma !== undefined) chunks.push(chunk('gAMA', words([gamma])));
	const xy = chromaticitiesOf(color.primaries);
	if (xy) chunks.push(chunk('cHRM', words(xy.map((v) => Math.round(v * 100000)))));
	if (color.transfer === 'srgb' && color.primaries === 'bt709') chunks.push(chunk('sRGB', Uint8Array.of(0)));
	if (!codesSuffice(color)) chunks.push(chunk('tEXt', new TextEncoder().encode(`Comment\0${colorText(color)}`)));
	return chunks;
}

function words(values: readonly number[]): Uint8Array {
	const out = new Uint8Array(values.length * 4);
	const view = new DataView(out.buffer);
	values.forEach((v, i) => view.setUint32(i * 4, v));
	return out;
}

/** All rows with the Paeth filter: the best single one for pictures, and cheap enough for scans. */
function filteredRows(picture: ScanPicture, samples: number): Uint8Array {
	const { width, height } = picture.size;
	const wide = picture.format.depth === 16;
	const bpp = samples * (wide ? 2 : 1);
	const stride = width * bpp;
	const out = new Uint8Array((stride + 1) * height);
	const order = Array.from({ length: samples }, (_, i) => i);
	const row = new Uint16Array(width * samples);
	let current = new Uint8Array(stride + bpp);
	let above = new Uint8Array(stride + bpp);
	for (let y = 0; y < height; y++) {
		gatherRow(row, picture.planes, order, y * width, width);
		if (wide) {
			for (let i = 0, o = bpp; i < row.length; i++) {
				current[o++] = (row[i] as number) >> 8;
				current[o++] = row[i] as number;
			}
		} else {
			current.set(row, bpp);
		}
		const start = y * (stride + 1);
		out[start] = 4;
		for (let i = 0; i < stride; i++) {
			// The first `bpp` bytes of both rows are the zeros left of the picture.
			const guess = paeth(current[i] as number, above[i + bpp] as number, above[i] as number);
			out[start + 1 + i] = (current[i + bpp] as number) - guess;
		}
		[current, above] = [above, current];
	}
	return out;
}
