/** The restore worker: owner of the one device and of every model session. Wires ports to the pipeline's `Restorer`. */

import { computeFlowPair } from '../src/analysis/flow/flow.ts';
import { makeGuide } from '../src/analysis/flow/guide.ts';
import { type PortBridge, serve, wrapPort } from '../src/comms/bridge.ts';
import { sendFrames } from '../src/comms/frame-port.ts';
import { frameStream } from '../src/comms/remote-stream.ts';
import { reportRuns } from '../src/comms/watch.ts';
import type { SourceInfo } from '../src/contracts/media.ts';
import type {
	EncodeWorkerApi,
	MediaWorkerApi,
	PlanId,
	PlanRequest,
	RestoreWorkerApi,
	SourceId,
} from '../src/contracts/workers.ts';
import { EmulsionError } from '../src/core/errors.ts';
import { phrase } from '../src/core/phrases.ts';
import { createCompute } from '../src/gpu/create.ts';
import { WebGpuCompute } from '../src/gpu/webgpu-compute.ts';
import { FFDNET } from '../src/models/ffdnet.ts';
import { RIFE } from '../src/models/rife.ts';
import { createModelRuntime, type RunWatch } from '../src/models/runtime.ts';
import type { EncodeClient, MediaClient } from '../src/pipeline/clients.ts';
import { Restorer } from '../src/pipeline/restorer.ts';

/** Bytes of the backend's pool, and how much of it the frame store may hold: on wasm it is the tab's own memory. */
const POOL = { webgpu: 2 * 2 ** 30, wasm: 2 ** 30 };
const STORE_SHARE = { webgpu: 1 / 2, wasm: 1 / 6 };
const MEMORY_TIER = 512 * 2 ** 20;
const DISK_TIER = 4 * 2 ** 30;
/** Raised when the flow's method would give other vectors. */
const FLOW_VERSION = 2;

let mediaBridge: PortBridge<MediaWorkerApi> | undefined;
let encodeBridge: PortBridge<EncodeWorkerApi> | undefined;
let onRun: (watch: RunWatch | undefined) => void = () => undefined;
let restorer: Promise<Restorer> | undefined;

function connected<T>(bridge: PortBridge<T> | undefined, name: string): PortBridge<T>['api'] {
	if (!bridge) throw new EmulsionError('internal', `the restore worker has no connection to the ${name} worker`);
	return bridge.api;
}

const media: MediaClient = {
	frames: (id, range, signal) => frameStream(connected(mediaBridge, 'media'), id, range, signal),
	audio: (id, request, signal) => connected(mediaBridge, 'media').audio(id, request, signal),
	dropAudio: (stored) => connected(mediaBridge, 'media').dropAudio(stored),
	stats: (id) => connected(mediaBridge, 'media').stats(id),
	hash: (id, signal) => connected(mediaBridge, 'media').hash(id, signal),
};

const encode: EncodeClient = {
	claim: (names, target) => connected(encodeBridge, 'encode').claim(names, target),
	open: (config, sequence) => connected(encodeBridge, 'encode').open(config, sequence),
	async encode(job, range, frames, signal) {
		const { port1, port2 } = new MessageChannel();
		const stop = new AbortController();
		const both = AbortSignal.any([signal, stop.signal]);
		const sending = sendFrames(frames, port1, both);
		// The encoder hears of it through the port; its own rejection is what the caller sees.
		sending.catch(() => undefined);
		try {
			return await connected(encodeBridge, 'encode').encode(job, range, port2, both);
		} finally {
			stop.abort();
		}
	},
	mux: (...args) => connected(encodeBridge, 'encode').mux(...args),
	settle: (job, keep) => connected(encodeBridge, 'encode').settle(job, keep),
	close: (job) => connected(encodeBridge, 'encode').close(job),
};

function create(options: Parameters<RestoreWorkerApi['init']>[0]): Promise<Restorer> {
	const { backend: wish, memoryBudget, modelBase, threads } = options;
	let store = POOL.wasm * STORE_SHARE.wasm;
	return Restorer.create({
		media,
		encode,
		backend: {
			async compute() {
				const compute = await createCompute({
					wish,
					...(memoryBudget === undefined ? {} : { memoryBudget }),
					...(threads === undefined ? {} : { threads }),
				});
				const { kind } = compute.info;
				store = (memoryBudget ?? POOL[kind]) * STORE_SHARE[kind];
				return compute;
			},
			models: (compute) => createModelRuntime({ compute, modelBase, onRun: (watch) => onRun(watch) }),
			flow: (models) => ({
				get key() {
					const { sha256, tile, halo } = models.spec(FFDNET);
					return `rife-there-and-back:${FLOW_VERSION}:${models.spec(RIFE).sha256}:${sha256}:${tile}:${halo}`;
				},
				guide: (picture, options, env) => makeGuide(env, picture, options),
				pair: (a, b, env) => computeFlowPair(env, a, b, Infinity),
			}),
		},
		budgets: {
			get gpu() {
				return Math.floor(store);
			},
			memory: MEMORY_TIER,
			disk: DISK_TIER,
		},
		lose(compute) {
			if (!(compute instanceof WebGpuCompute)) {
				throw new EmulsionError('usage', phrase('no-device-to-lose'));
			}
			compute.loseDevice();
		},
	});
}

function ready(): Promise<Restorer> {
	if (!restorer) throw new EmulsionError('internal', 'the restore worker was not initialized');
	return restorer;
}

const never = new AbortController().signal;

/** What the main thread told: sources, and requests by the names that calls carry. */
const sources = new Map<SourceId, SourceInfo>();
const requests = new Map<PlanId, PlanRequest>();

function requestOf(plan: PlanId): PlanRequest {
	const request = requests.get(plan);
	if (!request) throw new EmulsionError('internal', `the restore worker was not told of ${plan}`);
	return request;
}

const api: RestoreWorkerApi = {
	async init(options) {
		const previous = restorer;
		restorer = create(options);
		await (await previous?.catch(() => undefined))?.close();
		try {
			return await (await restorer).backend();
		} catch (error) {
			restorer = undefined;
			throw error;
		}
	},
	connectMedia(port) {
		mediaBridge?.close();
		mediaBridge = wrapPort<MediaWorkerApi>(port, 'media');
	},
	connectEncode(port) {
		encodeBridge?.close();
		encodeBridge = wrapPort<EncodeWorkerApi>(port, 'encode');
	},
	watch(port) {
		const report = reportRuns(port);
		onRun = (run) => report(run && { what: `Model ${run.model}`, deadline: run.deadline });
	},
	know(source, info) {
		if (info) sources.set(source, info);
		else sources.delete(source);
	},
	remember(plan, parts) {
		const info = sources.get(parts.source);
		if (!info) throw new EmulsionError('internal', `the restore worker was not told of ${parts.source}`);
		requests.set(plan, { ...parts, info });
	},
	forget(plan) {
		requests.delete(plan);
	},
	attachCanvas: async (canvas) => (await ready()).attachCanvas(canvas),
	warm: async (recipe) => (await ready()).warm(recipe),
	plan: async (plan, onProgress, signal = never) => {
		const request = requestOf(plan);
		return (await ready()).plan(request, onProgress, signal);
	},
	view: async (plan, state, signal) => {
		const request = requestOf(plan);
		return (await ready()).view(request, state, signal);
	},
	render: async (plan, range, onProgress, signal) => {
		const request = requestOf(plan);
		return (await ready()).render(request, range, onProgress, signal);
	},
	export: async (plan, settings, onProgress, signal) => {
		const request = requestOf(plan);
		return (await ready()).export({ ...request, ...settings }, onProgress, signal);
	},
	interrupted: async () => (await ready()).interrupted(),
	discard: async (job) => (await ready()).discard(job),
	still: async (plan, frame, view, signal) => {
		const request = requestOf(plan);
		return (await ready()).still(request, frame, view, signal);
	},
	status: async () => (await ready()).status(),
	loseDevice: async () => (await ready()).loseDevice(),
};

serve(api);
