/** The media worker: holds open sources and streams their frames over ports. */

import { serve } from '../src/comms/bridge.ts';
import { sendFrames } from '../src/comms/frame-port.ts';
import type { MediaSource, SourceInput } from '../src/contracts/media.ts';
import type { OnProgress } from '../src/contracts/frames.ts';
import type { MediaWorkerApi, SourceId } from '../src/contracts/workers.ts';
import { EmulsionError } from '../src/core/errors.ts';
import { hearSound } from '../src/media/audio/hear.ts';
import { dropSound } from '../src/media/audio/spool.ts';
import { openSource } from '../src/media/source.ts';
import { blobSha256, createHashes } from '../src/store/keys.ts';

interface Open {
	readonly source: MediaSource;
	readonly input: SourceInput;
}

/** By id; a source that is still being opened (again, after a restart) is waited for. */
const sources = new Map<SourceId, Promise<Open>>();
let opened = 0;

function find(id: SourceId): Promise<Open> {
	const found = sources.get(id);
	if (!found) throw new EmulsionError('internal', `source ${id} is not open`);
	return found;
}

async function openInput(input: SourceInput, onProgress: OnProgress, signal: AbortSignal): Promise<Open> {
	return { input, source: await openSource(input, onProgress, signal) };
}

/** Sums that were made: many exports of one source (a review's clips) read it once. */
const hashed = new WeakMap<Open, string>();

async function hashOnce(open: Open, signal: AbortSignal): Promise<string> {
	const sum = hashed.get(open) ?? (await hashInput(open, signal));
	hashed.set(open, sum);
	return sum;
}

/** SHA-256 of the input: of the file, or of all files' sums and names in order for a sequence. */
async function hashInput({ input }: Open, signal: AbortSignal): Promise<string> {
	const hashes = await createHashes();
	if (input.files.length === 1) return blobSha256(input.files[0]!.file, hashes, signal);
	const sums: string[] = [];
	for (const { path, file } of input.files) sums.push(`${await blobSha256(file, hashes, signal)}  ${path}\n`);
	return hashes.sha256(new TextEncoder().encode(sums.join('')));
}

const api: MediaWorkerApi = {
	connect: (port) => serve(api, port),
	async open(input, onProgress, signal, id = `source-${++opened}`) {
		const opening = openInput(input, onProgress, signal);
		sources.set(id, opening);
		try {
			return { id, info: (await opening).source.info };
		} catch (error) {
			sources.delete(id);
			throw error;
		}
	},
	async stream(id, range, port, signal) {
		const { source } = await find(id);
		return sendFrames(source.frames(range, signal), port, signal, (data) => source.recycle?.(data));
	},
	audio: async (id, request, signal) => (await find(id)).source.audio(request, signal),
	async sound(id, request, signal) {
		const { source, input } = await find(id);
		return hearSound(input.files, source.info, request, signal);
	},
	dropAudio: (stored) => dropSound(stored),
	stats: async (id) => (await find(id)).source.stats(),
	hash: async (id, signal) => hashOnce(await find(id), signal),
	async close(id) {
		const found = sources.get(id);
		sources.delete(id);
		await (await found)?.source.close();
	},
};

serve(api);
