/** The encode worker: encodes chunks, joins them, writes the file and reads it back. */

import { serve } from '../src/comms/bridge.ts';
import { receiveFrames } from '../src/comms/frame-port.ts';
import type { OnProgress } from '../src/contracts/frames.ts';
import type { ChunkEncoder, EncodeConfig, OutputTarget } from '../src/contracts/media.ts';
import type { EncodeWorkerApi, MuxedFile, SequenceSpec } from '../src/contracts/workers.ts';
import { EmulsionError, throwIfAborted } from '../src/core/errors.ts';
import { phrase } from '../src/core/phrases.ts';
import { sub } from '../src/core/rational.ts';
import { timelineDuration, type TimelineFrame } from '../src/core/timeline.ts';
import { createEncoder } from '../src/media/encode/encoder.ts';
import type { SequenceOptions } from '../src/media/encode/sequence-encoder.ts';
import { muxFile } from '../src/media/mux/mux.ts';
import { verifyFile } from '../src/media/mux/verify.ts';
import type { StagedSink } from '../src/media/sinks/files.ts';
import { openTarget } from '../src/media/sinks/target.ts';
import { blobSha256, createHashes } from '../src/store/keys.ts';

interface Job {
	readonly config: EncodeConfig;
	readonly encoder: ChunkEncoder;
	readonly sequence: SequenceSpec | undefined;
	/** Written and not yet published. */
	sink: StagedSink | undefined;
}

const jobs = new Map<string, Job>();
let opened = 0;

function find(id: string): Job {
	const job = jobs.get(id);
	if (!job)
		throw new EmulsionError('worker-crashed', phrase('encode-gone', { id }), {
			retryable: true,
		});
	return job;
}

async function sequenceOptions({ names, target }: SequenceSpec): Promise<SequenceOptions> {
	return {
		name: (index) => {
			const name = names[index];
			if (name === undefined) throw new EmulsionError('internal', `frame ${index} of ${names.length} has no name`);
			return name;
		},
		target: await openTarget(target),
	};
}

/**
 * Reads a sequence's files back. Stills carry no clock: times are the plan's for every file that is there, so that a missing
 * one shows in the count. The sum is over lines of sums and names, as `sha256sum` prints them.
 */
async function readBack(
	names: readonly string[],
	target: OutputTarget,
	timeline: readonly TimelineFrame[],
	onProgress: OnProgress,
	signal: AbortSignal,
): Promise<MuxedFile> {
	const hashes = await createHashes();
	const first = timeline[0];
	const lines: string[] = [];
	const found: TimelineFrame[] = [];
	let bytes = 0;
	for (const [i, name] of names.entries()) {
		throwIfAborted(signal);
		const blob = await target.read(name);
		if (!blob || blob.size === 0) continue;
		bytes += blob.size;
		lines.push(`${await blobSha256(blob, hashes, signal)}  ${name}\n`);
		found.push(timeline[i]!);
		onProgress({ phase: 'verify', done: i + 1, total: names.length });
	}
	return {
		bytes,
		sha256: hashes.sha256(new TextEncoder().encode(lines.join(''))),
		frames: found.length,
		pts: found.map((f) => sub(f.pts, first!.pts)),
		duration: timelineDuration({ frames: found, timebase: { num: 1, den: 1 } }),
		// Nothing is rounded: there is no clock in the files.
		tick: { num: 0, den: 1 },
	};
}

const api: EncodeWorkerApi = {
	connect: (port) => serve(api, port),
	async claim(names, target) {
		await (await openTarget(target)).claim?.(names);
	},
	async open(config, sequence) {
		const options = sequence && (await sequenceOptions(sequence));
		const id = `encode-${++opened}-${crypto.randomUUID()}`;
		jobs.set(id, { config, encoder: createEncoder(config, options), sequence, sink: undefined });
		return id;
	},
	encode(id, range, port, signal) {
		// An encoder is done with a frame when it asks for the next one.
		return find(id).encoder.encode(receiveFrames(port, { signal, recycle: true }), range, signal);
	},
	async mux(id, chunks, timeline, audio, target, name, onProgress, signal) {
		const job = find(id);
		if (job.sequence) return readBack(job.sequence.names, await openTarget(target), timeline, onProgress, signal);
		await job.sink?.abort();
		job.sink = await (await openTarget(target)).create(name);
		const { bytes, sha256 } = await muxFile(job.config, chunks, timeline, audio, job.sink, onProgress, signal);
		const found = await verifyFile(await job.sink.finish(), job.config.container, signal);
		return { ...found, bytes, sha256 };
	},
	async settle(id, keep) {
		const job = find(id);
		const { sink } = job;
		job.sink = undefined;
		if (keep) await sink?.close();
		else await sink?.abort();
	},
	async close(id) {
		const job = jobs.get(id);
		jobs.delete(id);
		await job?.sink?.abort();
		await job?.encoder.close();
	},
};

serve(api);
