/** The model manifest (`models.json`) and the files it names: nothing that was not checked is used. */

import type { ModelManifest, ModelRole, ModelSpec, TensorSpec } from '../contracts/models.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';

const ROLES: readonly ModelRole[] = [
	'interpolate',
	'denoise',
	'upscale-faithful',
	'upscale-vivid',
	'damage',
	'deblur',
	'diagnose',
];
/** Outside this range operators fall back to the CPU (design §3). */
const OPSET = { min: 16, max: 19 };
const DIMENSION = /^[HW](?:[*/][1-9]\d*)?$/;
/** Files lie beside the manifest: no way out of the folder. */
const PATH = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

function fail(path: string, expected: string, got: unknown): never {
	const shown = JSON.stringify(got) ?? 'nothing';
	// An installation's fault, for whoever mends it: its words are not translated.
	const problem = `${path}: expected ${expected}, got ${shown.slice(0, 80)}`;
	throw new EmulsionError('model-invalid', phrase('models-json', { problem }), { path });
}

/** One JSON object, read field by field; every complaint names its path. */
class Fields {
	readonly #value: Readonly<Record<string, unknown>>;
	readonly #path: string;

	constructor(value: unknown, path: string) {
		if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'an object', value);
		this.#value = value as Record<string, unknown>;
		this.#path = path;
	}

	path(key: string): string {
		return this.#path === '' ? key : `${this.#path}.${key}`;
	}

	get(key: string): unknown {
		return Object.hasOwn(this.#value, key) ? this.#value[key] : undefined;
	}

	text(key: string, pattern = /\S/, expected = 'text'): string {
		const value = this.get(key);
		return typeof value === 'string' && pattern.test(value) ? value : fail(this.path(key), expected, value);
	}

	number(key: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
		const value = this.get(key);
		const fits = typeof value === 'number' && value >= min && value <= max;
		return fits ? value : fail(this.path(key), `a number from ${min} to ${max}`, value);
	}

	integer(key: string, min: number, max?: number): number {
		const value = this.number(key, min, max);
		return Number.isInteger(value) ? value : fail(this.path(key), 'an integer', value);
	}

	list<T>(key: string, read: (value: unknown, path: string) => T): T[] {
		const value = this.get(key);
		if (!Array.isArray(value) || value.length === 0) return fail(this.path(key), 'a list that is not empty', value);
		return value.map((item, index) => read(item, `${this.path(key)}[${index}]`));
	}

	files(key: string, names: readonly string[]): Record<string, string> {
		const fields = new Fields(this.get(key), this.path(key));
		return Object.fromEntries(names.map((name) => [name, fields.text(name, PATH, 'a file name')]));
	}
}

function readTensor(value: unknown, path: string): TensorSpec {
	const fields = new Fields(value, path);
	const shape = fields.list('shape', (item, at) => {
		const fits = typeof item === 'number' ? Number.isInteger(item) && item > 0 : DIMENSION.test(String(item));
		return fits ? (item as number | string) : fail(at, 'a positive integer or H, W, H*2, W/2 …', item);
	});
	if (shape.length !== 4) fail(fields.path('shape'), 'four dimensions', shape);
	return { name: fields.text('name'), shape, range: fields.text('range'), meaning: fields.text('meaning') };
}

function readCanary(fields: Fields, spec: Pick<ModelSpec, 'inputs' | 'outputs' | 'align'>): ModelSpec['canary'] {
	const canary = new Fields(fields.get('canary'), fields.path('canary'));
	const side = (key: string): number => {
		const value = canary.integer(key, spec.align);
		return value % spec.align === 0 ? value : fail(canary.path(key), `a multiple of ${spec.align}`, value);
	};
	return {
		width: side('width'),
		height: side('height'),
		inputs: canary.files(
			'inputs',
			spec.inputs.map((t) => t.name),
		),
		outputs: canary.files(
			'outputs',
			spec.outputs.map((t) => t.name),
		),
		toleranceWasm: canary.number('toleranceWasm', 0, 0.01),
		toleranceWebgpu: canary.number('toleranceWebgpu', 0, 0.01),
	};
}

function readModel(value: unknown, path: string): ModelSpec {
	const fields = new Fields(value, path);
	const role = fields.text('role', new RegExp(`^(${ROLES.join('|')})$`), ROLES.join(', ')) as ModelRole;
	const inputs = fields.list('inputs', readTensor);
	const outputs = fields.list('outputs', readTensor);
	const bounded = fields.get('boundedReceptiveField');
	if (typeof bounded !== 'boolean') fail(fields.path('boundedReceptiveField'), 'true or false', bounded);
	const halo = fields.get('halo') === null ? null : fields.integer('halo', 0);
	if (bounded !== (halo !== null)) fail(fields.path('halo'), bounded ? 'a number' : 'null', halo);
	const align = fields.integer('align', 1, 256);
	const tile = fields.integer('tile', align);
	if (tile % align !== 0) fail(fields.path('tile'), `a multiple of ${align}`, tile);
	return {
		id: fields.text('id', /^[a-z0-9-]+$/, 'lower-case letters, digits and dashes'),
		role,
		file: fields.text('file', PATH, 'a file name'),
		sha256: fields.text('sha256', /^[0-9a-f]{64}$/, '64 hexadecimal digits'),
		bytes: fields.integer('bytes', 1),
		license: fields.text('license'),
		source: fields.text('source'),
		opset: fields.integer('opset', OPSET.min, OPSET.max),
		precision: fields.text('precision'),
		inputs,
		outputs,
		align,
		scale: fields.integer('scale', 1, 8),
		tile,
		halo,
		boundedReceptiveField: bounded,
		channelPadding: fields.text('channelPadding'),
		costGflopPerMegapixel: fields.number('costGflopPerMegapixel', 0),
		canary: readCanary(fields, { inputs, outputs, align }),
	};
}

/** Validates parsed JSON. Throws `model-invalid` naming the path of the first thing that is wrong. */
export function readManifest(json: unknown): ModelManifest {
	const fields = new Fields(json, '');
	if (fields.get('version') !== 1) fail('version', '1', fields.get('version'));
	const models = fields.list('models', readModel);
	models.forEach((model, index) => {
		const twice = models.findIndex((other) => other.id === model.id) !== index;
		if (twice) fail(`models[${index}].id`, 'an id of its own', model.id);
	});
	return { version: 1, models };
}

/** Sizes of a tensor for an input `height` × `width`: batch, channels, height, width. */
export function tensorDims(spec: TensorSpec, height: number, width: number): number[] {
	return spec.shape.map((dim) => {
		if (typeof dim === 'number') return dim;
		const base = dim.startsWith('H') ? height : width;
		const factor = Number(dim.slice(2) || '1');
		return dim[1] === '/' ? base / factor : base * factor;
	});
}

async function get(url: string): Promise<Response> {
	let response: Response;
	try {
		response = await fetch(url);
	} catch (cause) {
		throw new EmulsionError('model-invalid', phrase('not-fetched', { url }), { cause, retryable: true });
	}
	if (!response.ok)
		throw new EmulsionError('model-invalid', phrase('server-answered', { url, status: response.status }));
	return response;
}

/** Fetches and validates the manifest of a model folder (`base` ends with a slash). */
export async function fetchManifest(base: string): Promise<ModelManifest> {
	const response = await get(`${base}models.json`);
	let json: unknown;
	try {
		json = await response.json();
	} catch (cause) {
		throw new EmulsionError('model-invalid', phrase('not-json', { file: `${base}models.json` }), { cause });
	}
	return readManifest(json);
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: ArrayBuffer): Promise<string> {
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
	return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A model's file. Throws `model-invalid` unless length and SHA-256 are those of the manifest. */
export async function fetchModel(base: string, spec: ModelSpec): Promise<ArrayBuffer> {
	const bytes = await (await get(base + spec.file)).arrayBuffer();
	const sum = await sha256(bytes);
	if (sum !== spec.sha256) {
		const said = phrase('model-file', { file: spec.file, bytes: bytes.byteLength, sum });
		throw new EmulsionError('model-invalid', said, { retryable: true });
	}
	return bytes;
}

/** A raw little-endian float32 file of the canary with the expected number of values. */
export async function fetchFloats(url: string, count: number): Promise<Float32Array<ArrayBuffer>> {
	const bytes = await (await get(url)).arrayBuffer();
	if (bytes.byteLength !== count * 4) {
		throw new EmulsionError('model-invalid', phrase('file-bytes', { url, expected: count * 4, got: bytes.byteLength }));
	}
	return new Float32Array(bytes);
}
