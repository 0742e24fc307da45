import { describe, expect, it } from 'vitest';
import type { InputFile } from '../contracts/media.ts';
import { exportFields, type ExportSettings, settingsFor } from './exports.svelte.ts';
import { EXPORT_OPTIONS } from './export-options.ts';
import { readSettings } from './export-memory.ts';
import { classify } from './files.ts';

const file = (path: string): InputFile => ({ path, file: new File(['x'], path.split('/').at(-1) ?? '') });

describe('classify', () => {
	it('tells films, sequences, projects, cut lists and recipes apart', () => {
		expect(classify([file('a.mov')])).toMatchObject({ kind: 'source', input: { kind: 'file' } });
		expect(classify([file('a.dpx')])).toMatchObject({ kind: 'source', input: { kind: 'sequence' } });
		expect(classify([file('a.EMULSION')]).kind).toBe('project');
		expect(classify([file('cuts.edl')]).kind).toBe('edl');
		expect(classify([file('recipe.json')]).kind).toBe('recipe');
	});

	it('takes the folder with the most images and leaves the rest', () => {
		const files = [
			...['reel/a/1.tif', 'reel/a/2.tif', 'reel/b/1.tif', 'reel/a/notes.txt', 'reel/a/.DS_Store', 'reel/a/3.TIFF'],
		].map(file);
		const opened = classify(files);
		expect(opened.kind === 'source' && opened.input.files.map((f) => f.path)).toEqual([
			'reel/a/1.tif',
			'reel/a/2.tif',
			'reel/a/3.TIFF',
		]);
	});

	it('refuses nothing and several films', () => {
		expect(() => classify([])).toThrow(/holds no files/);
		expect(() => classify([file('a.mov'), file('b.mov')])).toThrow(/got 2 files/);
	});
});

describe('export settings', () => {
	const base: ExportSettings = {
		container: 'mp4',
		codec: 'h264',
		depth: 'source',
		quality: 16,
		engine: 'software',
		audio: 'first',
		stretchMode: null,
		range: 'all',
		destination: 'download',
		name: 'x',
	};

	it('follow the container: codec, quality and encoder are its own', () => {
		for (const option of EXPORT_OPTIONS) {
			const settings = settingsFor(option.container, base);
			const codec = option.codecs[0];
			expect(settings.codec).toBe(codec?.codec);
			expect(settings.quality).toBe(codec?.quality?.default ?? null);
			expect(codec?.engines).toContain(settings.engine);
		}
		expect(settingsFor('dpx', { ...base, destination: 'file' }).destination).toBe('folder');
	});

	it('come back from storage only as the dialog could have made them', () => {
		for (const option of EXPORT_OPTIONS) {
			const settings = settingsFor(option.container, base);
			expect(readSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
		}
		const bad = [
			null,
			7,
			{},
			{ ...base, codec: 'ffv1' },
			{ ...base, depth: 11 },
			{ ...base, name: 5 },
			{ ...base, audio: {} },
		];
		for (const json of bad) expect(readSettings(json)).toBeUndefined();
	});

	it('leave out what follows the source', () => {
		expect(exportFields({ ...base, quality: null })).toEqual({ container: 'mp4', codec: 'h264', engine: 'software' });
		expect(exportFields({ ...base, depth: 10, audio: 'none', stretchMode: 'resample' })).toMatchObject({
			depth: 10,
			audio: 'none',
			stretchMode: 'resample',
			quality: 16,
		});
	});
});
