/** Writes through the private file system's synchronous handles, which only workers have. */

import { toEmulsionError } from '../../src/core/errors.ts';
import { openTarget } from '../../src/media/sinks/target.ts';

/** What the worker is asked to do. */
export interface SinkJob {
	readonly folder: string;
	readonly name: string;
	/** Sizes of the writes in bytes; each is filled with its place. */
	readonly writes: readonly number[];
	readonly end: 'close' | 'abort';
}

const scope = globalThis as unknown as {
	onmessage: (event: MessageEvent<SinkJob>) => void;
	postMessage(message: unknown): void;
};

async function run(job: SinkJob): Promise<number> {
	const target = await openTarget({ kind: 'opfs', folder: job.folder });
	const sink = await target.create(job.name);
	try {
		for (const [i, size] of job.writes.entries()) await sink.write(new Uint8Array(size).fill(i + 1));
		const reader = await sink.finish();
		if (job.end === 'close') await sink.close();
		else await sink.abort();
		return reader.size;
	} catch (error) {
		await sink.abort();
		throw error;
	}
}

scope.onmessage = ({ data }) => {
	run(data).then(
		(size) => {
			scope.postMessage({ size });
		},
		(error: unknown) => {
			scope.postMessage({ error: toEmulsionError(error).toRecord() });
		},
	);
};
