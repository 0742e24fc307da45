/** Scans in a real browser: folders of OPFS as directory handles, files read on demand, the same bytes as in node. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeDpx, encodeDpx } from '../../src/media/scans/dpx/dpx.ts';
import { SequenceEncoder } from '../../src/media/encode/sequence-encoder.ts';
import { filesOfDirectory } from '../../src/media/scans/folder.ts';
import { decodeScan, encodeScan, type ScanContainer } from '../../src/media/scans/formats.ts';
import { nameFor } from '../../src/media/scans/names.ts';
import { allocatePicture, rgbFormat, UNTAGGED, type ScanPicture } from '../../src/media/scans/picture.ts';
import { openScans } from '../../src/media/scans/source.ts';

const FOLDER = 'scans-test';
const SIGNAL = new AbortController().signal;

function picture(depth: number, seed: number): ScanPicture {
	const made = allocatePicture(rgbFormat(3, depth), { width: 64, height: 48 }, { ...UNTAGGED, transfer: 'linear' });
	for (const [p, plane] of made.planes.entries()) {
		for (let i = 0; i < plane.length; i++) {
			plane[i] = depth === 32 ? ((i % 97) + seed) / 64 : (i * (p + 1) * 37 + seed * 11) & (2 ** depth - 1);
		}
	}
	return made;
}

async function write(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
	const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
	await stream.write(bytes);
	await stream.close();
}

function same(a: ArrayBuffer, b: ArrayBuffer): boolean {
	const x = new Uint8Array(a);
	const y = new Uint8Array(b);
	return x.length === y.length && x.every((v, i) => v === y[i]);
}

async function sha(bytes: BufferSource): Promise<string> {
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
	return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}

describe('scans in the browser', () => {
	let folder: FileSystemDirectoryHandle;
	beforeAll(async () => {
		const root = await navigator.storage.getDirectory();
		folder = await root.getDirectoryHandle(FOLDER, { create: true });
		for (const n of [998, 999, 1000, 1002]) await write(folder, `s.${n}.dpx`, encodeDpx(picture(10, n)));
		await write(folder, 's.1003.dpx', encodeDpx(picture(10, 3)).slice(0, 3000));
		await write(folder, 'readme.txt', new Uint8Array(4));
	});
	afterAll(async () => {
		await (await navigator.storage.getDirectory()).removeEntry(FOLDER, { recursive: true });
	});

	it('opens a directory handle, lists its oddities, and restores it to the same files', async () => {
		const source = await openScans({ kind: 'sequence', files: await filesOfDirectory(folder) });
		expect(source.info.names).toEqual(['s.998.dpx', 's.999.dpx', 's.1000.dpx', 's.1002.dpx', 's.1003.dpx']);
		expect(source.info.notices.map((n) => n.kind).sort()).toEqual([
			'assumed-rate',
			'held-frames',
			'missing-frames',
			'not-an-image',
			'truncated-frame',
		]);
		const { info } = source;
		// Number 1001 is missing: its time is not.
		expect(info.frames.map(({ pts }) => (pts.num * 24) / pts.den)).toEqual([0, 1, 2, 4, 5]);
		expect(info.constantRate).toBe(false);
		const config = { ...info, container: 'dpx', codec: 'dpx', engine: 'software' } as const;
		const encoder = new SequenceEncoder(config, {
			name: (i) => nameFor(info, i, 'dpx'),
			dpxHeader: async (i) => (await source.headerOf(i))?.bytes,
		});
		const range = { start: 0, end: 4 };
		const chunk = await encoder.encode(source.frames(range, SIGNAL), range, SIGNAL);
		for (const { name, data } of chunk.files ?? []) {
			const original = await (await folder.getFileHandle(name)).getFile();
			const a = decodeDpx(new Uint8Array(await data.arrayBuffer()));
			const b = decodeDpx(new Uint8Array(await original.arrayBuffer()));
			expect(same(a.data, b.data), name).toBe(true);
			expect(a.color).toEqual(b.color);
		}
		await expect(source.frame(4)).rejects.toMatchObject({ code: 'input-truncated', details: { frame: 4 } });
		await encoder.close();
		await source.close();
	});

	it.each([
		['dpx', 10],
		['dpx', 16],
		['png', 16],
		['tiff', 16],
		['exr', 32],
	] as [ScanContainer, number][])(
		'writes %s of %i bit, reads it back, the same bytes twice',
		async (container, depth) => {
			const made = picture(depth, 5);
			const bytes = encodeScan(container, made);
			expect(await sha(encodeScan(container, made))).toBe(await sha(bytes));
			const read = decodeScan(bytes, container);
			expect(read.format).toEqual(made.format);
			expect(same(read.data, made.data)).toBe(true);
		},
	);
});
