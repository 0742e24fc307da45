/**
 * The settings of started exports, by file name, so that an interrupted one is offered again with the settings it had:
 * only the same plan goes on from its chunks. Kept in this browser; what is read back is validated.
 */

import { EXPORT_OPTIONS } from './export-options.ts';
import type { ExportSettings } from './exports.svelte.ts';

const KEY = 'emulsion.exports';
const KEPT = 20;

function readAll(): readonly unknown[] {
	try {
		const json: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
		return Array.isArray(json) ? json.slice(0, KEPT) : [];
	} catch {
		return [];
	}
}

/** Settings from stored JSON; undefined where anything is not what the dialog could have made. */
export function readSettings(json: unknown): ExportSettings | undefined {
	if (typeof json !== 'object' || json === null) return undefined;
	const { container, codec, depth, quality, engine, audio, stretchMode, range, destination, name } = json as Record<
		string,
		unknown
	>;
	const option = EXPORT_OPTIONS.find((o) => o.container === container);
	const chosen = option?.codecs.find((c) => c.codec === codec);
	const bits = chosen?.depths.find((d) => d === depth) ?? (depth === 'source' ? depth : undefined);
	const encoder = chosen?.engines.find((e) => e === engine);
	const track = audio === 'first' || audio === 'none' || Number.isSafeInteger(audio);
	const level = quality === null || (Number.isInteger(quality) && chosen?.quality !== undefined);
	const stretch = (['keep-pitch', 'resample', 'drop'] as const).find((m) => m === stretchMode) ?? null;
	const part = (['all', 'marks'] as const).find((r) => r === range);
	const to = (['download', 'file', 'folder'] as const).find((d) => d === destination);
	const known = option && chosen && encoder && bits !== undefined && part && to;
	if (!known || !track || !level || typeof name !== 'string' || name.length > 500) return undefined;
	return {
		container: option.container,
		codec: chosen.codec,
		depth: bits,
		quality: quality as number | null,
		engine: encoder,
		audio: audio as ExportSettings['audio'],
		stretchMode: stretch,
		range: part,
		destination: to,
		name,
	};
}

/** Remembers an export that starts. A browser that refuses costs the convenience only. */
export function rememberExport(settings: ExportSettings): void {
	const others = readAll().filter((entry) => readSettings(entry)?.name !== settings.name);
	try {
		localStorage.setItem(KEY, JSON.stringify([settings, ...others].slice(0, KEPT)));
	} catch {
		// Then the restorer chooses the settings again.
	}
}

/** The settings an export of this file name had. */
export function recallExport(name: string): ExportSettings | undefined {
	return readAll()
		.map(readSettings)
		.find((settings) => settings?.name === name);
}
