/** The model runtime: one queue, a session cache, a canary before first use. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type {
	ModelManifest,
	ModelRuntime,
	ModelSpec,
	ModelTensors,
	ModelUse,
	TensorSize,
} from '../contracts/models.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { outputSizes, runCanary } from './canary.ts';
import { fetchManifest, fetchModel, tensorDims } from './manifest.ts';
import { createSession } from './session.ts';
import type { ModelSession } from './session.ts';

/** A run as a watchdog sees it: whoever can end the worker does so when `deadline` passes without the run's end. */
export interface RunWatch {
	readonly model: string;
	/** `performance.now()` plus what the run may take at most, in milliseconds. */
	readonly deadline: number;
}

/** Options of {@link createModelRuntime}. */
export interface RuntimeOptions {
	readonly compute: Compute;
	/** Same-origin folder of `models.json`, with or without a slash at its end. */
	readonly modelBase: string;
	/** Told when a run starts and, with `undefined`, when it ended. */
	readonly onRun?: (watch: RunWatch | undefined) => void;
}

interface Loaded {
	readonly session: ModelSession;
	readonly canaryError: number;
	/** Seconds a pixel as the canary measured it. */
	readonly secondsPerPixel: number;
	runs: number;
	seconds: number;
}

const MIN_DEADLINE_MS = 20_000;
const MAX_DEADLINE_MS = 900_000;
/** A run that takes this many times the canary's scaled time is taken for hung (design §2). */
const PATIENCE = 10;

/** Milliseconds that a run over `pixels` pixels may take. */
export function runAllowance(secondsPerPixel: number, pixels: number): number {
	return Math.min(MAX_DEADLINE_MS, Math.max(MIN_DEADLINE_MS, secondsPerPixel * pixels * PATIENCE * 1000));
}

/** Fetches the manifest and makes a runtime. Models are fetched, checked and compiled when first used. */
export async function createModelRuntime(options: RuntimeOptions): Promise<ModelRuntime> {
	const base = options.modelBase.endsWith('/') ? options.modelBase : `${options.modelBase}/`;
	return new OrtRuntime(options, base, await fetchManifest(base));
}

class OrtRuntime implements ModelRuntime {
	readonly #compute: Compute;
	readonly #base: string;
	readonly #manifest: ModelManifest;
	readonly #onRun: (watch: RunWatch | undefined) => void;
	readonly #loaded = new Map<string, Loaded>();
	/** Models that must not be used, with the reason: a failed canary stays failed. */
	readonly #refused = new Map<string, EmulsionError>();
	/** onnxruntime must never be entered twice (design §3): everything goes through here. */
	#tail: Promise<unknown> = Promise.resolve();
	#dead: Error | undefined;

	constructor(options: RuntimeOptions, base: string, manifest: ModelManifest) {
		this.#compute = options.compute;
		this.#base = base;
		this.#manifest = manifest;
		this.#onRun = options.onRun ?? (() => undefined);
		void options.compute.lost.then((error) => {
			this.#dead = error;
		});
	}

	spec(id: string): ModelSpec {
		const spec = this.#manifest.models.find((model) => model.id === id);
		if (spec !== undefined) return spec;
		const known = this.#manifest.models.map((model) => model.id);
		throw new EmulsionError('model-invalid', phrase('no-model', { id, known }));
	}

	async run(
		id: string,
		inputs: ModelTensors,
		wanted: Readonly<Record<string, TensorSize>>,
		signal: AbortSignal,
	): Promise<Record<string, Picture>> {
		const spec = this.spec(id);
		const pixels = checkTensors(spec, inputs, wanted);
		// The queue may be long: whoever gave the pictures may let go of them meanwhile.
		const held = Object.values(inputs).map((picture) => picture.retain());
		try {
			return await this.#enqueue(async () => {
				throwIfAborted(signal);
				const loaded = this.#loaded.get(id) ?? (await this.#load(spec));
				throwIfAborted(signal);
				return this.#runLoaded(spec, loaded, inputs, wanted, pixels);
			});
		} finally {
			for (const picture of held) picture.release();
		}
	}

	ready(id: string, signal: AbortSignal): Promise<void> {
		const spec = this.spec(id);
		return this.#enqueue(async () => {
			throwIfAborted(signal);
			if (!this.#loaded.has(id)) await this.#load(spec);
		});
	}

	used(): readonly ModelUse[] {
		// One that was only made ready is not part of any result.
		const run = [...this.#loaded].filter(([, { runs }]) => runs > 0);
		return run.map(([id, { runs, seconds, canaryError }]) => ({
			id,
			sha256: this.spec(id).sha256,
			runs,
			seconds,
			canaryError,
		}));
	}

	release(): Promise<void> {
		return this.#enqueue(async () => {
			const all = [...this.#loaded.values()];
			this.#loaded.clear();
			// A session on a lost device is left alone: touching it can hang.
			if (this.#dead !== undefined) return;
			for (const { session } of all) await session.release();
		}, true);
	}

	#enqueue<T>(work: () => Promise<T>, evenDead = false): Promise<T> {
		const next = this.#tail.then(() => {
			if (this.#dead !== undefined && !evenDead) throw this.#dead;
			return work();
		});
		this.#tail = next.catch(() => undefined);
		return next;
	}

	async #load(spec: ModelSpec): Promise<Loaded> {
		const refused = this.#refused.get(spec.id);
		if (refused !== undefined) throw refused;
		const bytes = await fetchModel(this.#base, spec);
		const session = await createSession(this.#compute, bytes);
		try {
			this.#onRun({ model: spec.id, deadline: performance.now() + MAX_DEADLINE_MS });
			const { error, seconds } = await runCanary(this.#compute, this.#base, spec, session);
			const secondsPerPixel = seconds / (spec.canary.width * spec.canary.height);
			const loaded: Loaded = { session, canaryError: error, secondsPerPixel, runs: 0, seconds: 0 };
			this.#loaded.set(spec.id, loaded);
			return loaded;
		} catch (error) {
			const typed = toEmulsionError(error);
			if (typed.code === 'canary-failed') this.#refused.set(spec.id, typed);
			if (this.#dead === undefined && typed.code !== 'device-lost') await session.release();
			throw typed;
		} finally {
			this.#onRun(undefined);
		}
	}

	async #runLoaded(
		spec: ModelSpec,
		loaded: Loaded,
		inputs: ModelTensors,
		wanted: Readonly<Record<string, TensorSize>>,
		pixels: number,
	): Promise<Record<string, Picture>> {
		const started = performance.now();
		this.#onRun({ model: spec.id, deadline: started + runAllowance(loaded.secondsPerPixel, pixels) });
		try {
			return await loaded.session.run(inputs, wanted);
		} catch (error) {
			throw runError(spec, error);
		} finally {
			this.#onRun(undefined);
			loaded.runs++;
			loaded.seconds += (performance.now() - started) / 1000;
		}
	}
}

/** Errors of a run: typed ones as they are, memory exhaustion of the wasm heap recognized. */
function runError(spec: ModelSpec, error: unknown): EmulsionError {
	if (error instanceof EmulsionError) return error;
	const { message } = toEmulsionError(error);
	const memory = /out of memory|bad_alloc|memory access out of bounds|Array buffer allocation failed/i.test(message);
	return new EmulsionError(
		memory ? 'out-of-memory' : 'internal',
		phrase('model-failed', { model: spec.id, why: message }),
		{
			cause: error,
			data: { model: spec.id },
		},
	);
}

/** Checks inputs and wanted outputs against the manifest; returns the pixels of the input. Throws `internal`. */
function checkTensors(spec: ModelSpec, inputs: ModelTensors, wanted: Readonly<Record<string, TensorSize>>): number {
	const main = inputs[spec.inputs[0]?.name ?? ''];
	const refuse = (message: string): never => {
		throw new EmulsionError('internal', `${spec.id}: ${message}`);
	};
	if (main === undefined) return refuse(`input ${spec.inputs[0]?.name} is missing`);
	const { width, height } = main;
	if (width % spec.align !== 0 || height % spec.align !== 0) {
		refuse(`${width}×${height} is not a multiple of ${spec.align}`);
	}
	for (const tensor of spec.inputs) {
		const [, channels, h, w] = tensorDims(tensor, height, width) as [number, number, number, number];
		compareSize(tensor.name, inputs[tensor.name], { channels, height: h, width: w }, refuse);
	}
	const sizes = outputSizes(spec, height, width);
	for (const [name, size] of Object.entries(wanted)) {
		const expected = sizes[name];
		if (expected === undefined) return refuse(`there is no output ${name}`);
		compareSize(name, size, expected, refuse);
	}
	return width * height;
}

function compareSize(
	name: string,
	got: TensorSize | undefined,
	expected: TensorSize,
	refuse: (message: string) => never,
): void {
	const show = (s: TensorSize | undefined): string => (s ? `${s.width}×${s.height}×${s.channels}` : 'nothing');
	if (show(got) !== show(expected)) refuse(`${name}: expected ${show(expected)}, got ${show(got)}`);
}
