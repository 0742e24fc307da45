/**
 * From text to a {@link Project}: size and depth are bounded before parsing, migrations bring old versions up, and a strict
 * reader rebuilds the document field by field, so that nothing that was not checked survives.
 */

import type { StageMeta } from '../contracts/stage.ts';
import type { Size, Transfer } from '../core/color.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { type Rational, rational } from '../core/rational.ts';
import { isMatteId } from '../core/regions.ts';
import { type Shot, validateShots } from '../core/shots.ts';
import { migrate, type Migrations } from './migrations.ts';
import {
	readBoolean,
	readInteger,
	readList,
	readNullable,
	readNumber,
	readObject,
	readOneOf,
	readText,
	refuse,
} from './reader.ts';
import { validateRecipe } from './recipe.ts';
import {
	type Marks,
	type MatteRef,
	MAX_FRAMES,
	MAX_MATTES,
	MAX_REELS,
	MAX_SHOTS,
	type Project,
	PROJECT_KIND,
	PROJECT_VERSION,
	MAX_KEPT_VERSIONS,
	type RecipeVersion,
	type Reel,
	type ReelNumbering,
	type ReelView,
	type SourceRef,
} from './schema.ts';
import { MAX_RECORD, MAX_REVIEWS, readRecordEntry, readReview } from './review-records.ts';

/** Longest project text that is read: far above a feature film with a shot for every second. */
export const MAX_PROJECT_CHARACTERS = 64 * 1024 * 1024;
/** Deepest nesting that is read; the schema needs 8. */
export const MAX_PROJECT_DEPTH = 16;

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const VIEW = /^(?:result|provenance|[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\/[A-Za-z0-9_-]{1,64})$/;
const TRANSFERS: readonly Transfer[] = [
	'bt709',
	'gamma22',
	'gamma28',
	'smpte170m',
	'smpte240m',
	'linear',
	'srgb',
	'bt2020-10',
	'bt2020-12',
	'pq',
	'hlg',
	'log',
];

function readId(value: unknown, path: string): string {
	if (typeof value !== 'string' || !ID.test(value)) refuse(path, phrase('kind-own-id'), value);
	return value;
}

function readRational(value: unknown, path: string): Rational {
	const fields = readObject(value, path, ['num', 'den']);
	const num = readInteger(fields['num'], `${path}.num`, 1, 1e9);
	return rational(num, readInteger(fields['den'], `${path}.den`, 1, 1e9));
}

/** True for an address of this origin: a path that begins with a single slash, without a scheme or a host. */
export function isSameOriginPath(url: string): boolean {
	return /^\/(?![/\\])[^\\\s]*$/.test(url);
}

function readSize(value: unknown, path: string): Size {
	const size = readObject(value, path, ['width', 'height']);
	return {
		width: readInteger(size['width'], `${path}.width`, 1, 65_536),
		height: readInteger(size['height'], `${path}.height`, 1, 65_536),
	};
}

function readSource(value: unknown, path: string): SourceRef {
	const f = readObject(
		value,
		path,
		['name', 'kind', 'fingerprint', 'bytes', 'frames', 'size', 'rate'],
		['url', 'transfer'],
	);
	const url = f['url'] === undefined ? undefined : readText(f['url'], `${path}.url`, 2000);
	if (url !== undefined && !isSameOriginPath(url)) refuse(`${path}.url`, phrase('kind-same-origin'), url);
	return {
		name: readText(f['name'], `${path}.name`, 1000, 1),
		kind: readOneOf(f['kind'], `${path}.kind`, ['file', 'sequence']),
		fingerprint: readText(f['fingerprint'], `${path}.fingerprint`, 200),
		bytes: readInteger(f['bytes'], `${path}.bytes`, 0, Number.MAX_SAFE_INTEGER),
		frames: readInteger(f['frames'], `${path}.frames`, 1, MAX_FRAMES),
		size: readSize(f['size'], `${path}.size`),
		rate: readRational(f['rate'], `${path}.rate`),
		...(url === undefined ? {} : { url }),
		...(f['transfer'] === undefined ? {} : { transfer: readOneOf(f['transfer'], `${path}.transfer`, TRANSFERS) }),
	};
}

function readMatte(value: unknown, path: string, filmFrames: number): MatteRef {
	const f = readObject(value, path, ['id', 'name', 'kind', 'fingerprint', 'frames', 'size']);
	const id = f['id'];
	if (typeof id !== 'string' || !isMatteId(id)) {
		refuse(`${path}.id`, phrase('kind-matte-id'), id);
	}
	const frames = readInteger(f['frames'], `${path}.frames`, 1, filmFrames);
	if (frames !== 1 && frames !== filmFrames)
		refuse(`${path}.frames`, phrase('kind-matte-frames', { frames: filmFrames }), frames);
	return {
		id,
		name: readText(f['name'], `${path}.name`, 1000, 1),
		kind: readOneOf(f['kind'], `${path}.kind`, ['file', 'sequence']),
		fingerprint: readText(f['fingerprint'], `${path}.fingerprint`, 200, 1),
		frames,
		size: readSize(f['size'], `${path}.size`),
	};
}

function readMattes(value: unknown, path: string, filmFrames: number): readonly MatteRef[] {
	const taken = new Set<string>();
	return readList(value, path, MAX_MATTES, (entry, at) => {
		const matte = readMatte(entry, at, filmFrames);
		if (taken.has(matte.id)) refuse(`${at}.id`, phrase('kind-matte-free'), matte.id);
		taken.add(matte.id);
		return matte;
	});
}

function readNumbering(value: unknown, path: string): ReelNumbering {
	const f = readObject(value, path, ['firstFrame', 'base', 'drop']);
	const base = readInteger(f['base'], `${path}.base`, 1, 120);
	const drop = readBoolean(f['drop'], `${path}.drop`);
	if (drop && base % 30 !== 0) refuse(`${path}.drop`, phrase('kind-drop'), drop);
	return { firstFrame: readInteger(f['firstFrame'], `${path}.firstFrame`, 0, 1e9), base, drop };
}

function readShot(value: unknown, path: string, frames: number): Shot {
	const f = readObject(value, path, ['start', 'end', 'transitionIn', 'source'], ['dissolve']);
	const base = {
		start: readInteger(f['start'], `${path}.start`, 0, frames),
		end: readInteger(f['end'], `${path}.end`, 0, frames),
		transitionIn: readOneOf(f['transitionIn'], `${path}.transitionIn`, ['start', 'cut', 'dissolve']),
		source: readOneOf(f['source'], `${path}.source`, ['detected', 'edited', 'edl']),
	};
	if (f['dissolve'] === undefined) return base;
	const d = readObject(f['dissolve'], `${path}.dissolve`, ['from', 'to']);
	const from = readInteger(d['from'], `${path}.dissolve.from`, 0, frames);
	return { ...base, dissolve: { from, to: readInteger(d['to'], `${path}.dissolve.to`, 0, frames) } };
}

function readShots(value: unknown, path: string, frames: number): readonly Shot[] {
	const shots = readList(value, path, MAX_SHOTS, (v, p) => readShot(v, p, frames));
	try {
		validateShots(shots, frames);
	} catch (thrown) {
		const error = toEmulsionError(thrown);
		const full = `${path.replace(/\.shots$/, '')}.${error.details.path ?? 'shots'}`;
		throw new EmulsionError('project-invalid', phrase('at-path', { path, what: error.said }), { path: full });
	}
	return shots;
}

function readMarks(value: unknown, path: string, frames: number): Marks {
	const f = readObject(value, path, ['in', 'out']);
	const start = readNullable(f['in'], (v) => readInteger(v, `${path}.in`, 0, frames - 1));
	const out = readNullable(f['out'], (v) => readInteger(v, `${path}.out`, (start ?? 0) + 1, frames));
	return { in: start, out };
}

function readView(value: unknown, path: string, frames: number): ReelView {
	const f = readObject(value, path, ['frame', 'mode', 'wipe', 'zoom', 'center', 'view']);
	const center = readObject(f['center'], `${path}.center`, ['x', 'y']);
	const view = f['view'];
	if (typeof view !== 'string' || !VIEW.test(view)) refuse(`${path}.view`, phrase('kind-view'), view);
	return {
		frame: readInteger(f['frame'], `${path}.frame`, 0, frames - 1),
		mode: readOneOf(f['mode'], `${path}.mode`, ['source', 'result', 'wipe']),
		wipe: readNumber(f['wipe'], `${path}.wipe`, 0, 1),
		zoom: f['zoom'] === 'fit' ? 'fit' : readNumber(f['zoom'], `${path}.zoom`, 1 / 64, 64),
		center: {
			x: readNumber(center['x'], `${path}.center.x`, 0, 1),
			y: readNumber(center['y'], `${path}.center.y`, 0, 1),
		},
		view,
	};
}

function readVersions(value: unknown, path: string, metas: readonly StageMeta[]): readonly RecipeVersion[] {
	const taken = new Set<string>();
	return readList(value, path, MAX_KEPT_VERSIONS, (entry, at) => {
		const f = readObject(entry, at, ['id', 'name', 'recipe', 'keptAt']);
		const id = readId(f['id'], `${at}.id`);
		if (taken.has(id)) refuse(`${at}.id`, phrase('kind-ids'), id);
		taken.add(id);
		return {
			id,
			name: readText(f['name'], `${at}.name`, 120, 1),
			recipe: validateRecipe(f['recipe'], metas, { code: 'project-invalid', path: `${at}.recipe` }),
			keptAt: readInteger(f['keptAt'], `${at}.keptAt`, 0, Number.MAX_SAFE_INTEGER),
		};
	});
}

function readReel(value: unknown, path: string, metas: readonly StageMeta[]): Reel {
	const f = readObject(value, path, [
		...['id', 'source', 'mattes', 'numbering', 'shots', 'recipe', 'versions', 'marks', 'view'],
	]);
	const source = readSource(f['source'], `${path}.source`);
	return {
		id: readId(f['id'], `${path}.id`),
		source,
		mattes: readMattes(f['mattes'], `${path}.mattes`, source.frames),
		numbering: readNumbering(f['numbering'], `${path}.numbering`),
		shots: readNullable(f['shots'], (v) => readShots(v, `${path}.shots`, source.frames)),
		recipe: validateRecipe(f['recipe'], metas, { code: 'project-invalid', path: `${path}.recipe` }),
		versions: readVersions(f['versions'], `${path}.versions`, metas),
		marks: readMarks(f['marks'], `${path}.marks`, source.frames),
		view: readView(f['view'], `${path}.view`, source.frames),
	};
}

/**
 * Rebuilds a project of the current version from parsed JSON.
 * @throws EmulsionError `project-invalid` with `details.path`.
 */
export function validateProject(json: unknown, metas: readonly StageMeta[]): Project {
	const f = readObject(json, 'project', [
		...['kind', 'version', 'id', 'name', 'reels', 'activeReel', 'reviews', 'record'],
	]);
	if (f['kind'] !== PROJECT_KIND) refuse('project.kind', `"${PROJECT_KIND}"`, f['kind']);
	if (f['version'] !== PROJECT_VERSION) refuse('project.version', String(PROJECT_VERSION), f['version']);
	const reels = readList(f['reels'], 'reels', MAX_REELS, (v, p) => readReel(v, p, metas));
	const ids = new Set(reels.map((r) => r.id));
	if (ids.size !== reels.length) refuse('reels', phrase('kind-ids'), [...reels.map((r) => r.id)]);
	const active = readNullable(f['activeReel'], (v) => readId(v, 'activeReel'));
	if (active !== null && !ids.has(active)) refuse('activeReel', phrase('kind-reel-id'), active);
	return {
		version: PROJECT_VERSION,
		id: readId(f['id'], 'project.id'),
		name: readText(f['name'], 'project.name', 200),
		reels,
		activeReel: active ?? reels[0]?.id ?? null,
		reviews: readList(f['reviews'], 'reviews', MAX_REVIEWS, (v, p) => readReview(v, p, readId)),
		record: readList(f['record'], 'record', MAX_RECORD, (v, p) => readRecordEntry(v, p, readId)),
	};
}

/** Refuses text that nests deeper than {@link MAX_PROJECT_DEPTH}, before a parser sees it. */
function checkDepth(text: string): void {
	let depth = 0;
	let inString = false;
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i);
		if (inString) {
			if (c === 0x5c) i++;
			else if (c === 0x22) inString = false;
		} else if (c === 0x22) inString = true;
		else if (c === 0x7b || c === 0x5b) {
			if (++depth > MAX_PROJECT_DEPTH) refuse('project', phrase('kind-depth', { max: MAX_PROJECT_DEPTH }), 'more');
		} else if (c === 0x7d || c === 0x5d) depth--;
	}
}

/**
 * Reads a project's text: bounds, syntax, migrations, validation.
 * @throws EmulsionError `project-invalid`.
 */
export function parseProject(text: string, metas: readonly StageMeta[], migrations?: Migrations): Project {
	if (text.length > MAX_PROJECT_CHARACTERS) {
		refuse('project', phrase('kind-characters', { max: MAX_PROJECT_CHARACTERS }), text.length);
	}
	checkDepth(text);
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (cause) {
		throw new EmulsionError('project-invalid', phrase('json', { what: 'project', why: toEmulsionError(cause).said }), {
			cause,
		});
	}
	return validateProject(migrate(json, PROJECT_VERSION, migrations), metas);
}

/** The text of a project file; `parseProject` gives the same document back. */
export function serializeProject(project: Project): string {
	const { version, id, name, reels, activeReel, reviews, record } = project;
	const text = { kind: PROJECT_KIND, version, id, name, reels, activeReel, reviews, record };
	return `${JSON.stringify(text, null, '\t')}\n`;
}
