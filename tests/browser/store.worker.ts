/** The frame store with its disk tier in the private file system, whose synchronous handles only workers have. */

import { toEmulsionError } from '../../src/core/errors.ts';
import { CpuCompute } from '../../src/gpu/cpu-compute.ts';
import { DiskCache } from '../../src/store/disk-cache.ts';
import { FrameStore } from '../../src/store/frame-store.ts';
import { releaseFrame } from '../../src/store/frames.ts';
import { createHashes } from '../../src/store/keys.ts';
import { BT709 } from '../helpers/color.ts';

const SIDE = 8;

/** What the worker is asked to do: keep frames on disk, or look for them as a new tab does. */
export interface StoreJob {
	readonly name: string;
	readonly task: 'write' | 'read';
	/** Each frame is filled with its place + 0.25. */
	readonly keys: readonly string[];
}

/** What it found: the first value of each frame, null where there was none. */
export interface StoreAnswer {
	readonly values: readonly (number | null)[];
	readonly corrupt: number;
	readonly left: number;
}

async function run({ name, task, keys }: StoreJob): Promise<StoreAnswer> {
	const compute = new CpuCompute({ memoryBudget: 2 ** 24, threads: 1, reason: 'test' });
	const disk = await DiskCache.open(name, 2 ** 24, await createHashes(), 'opfs');
	const store = new FrameStore(compute, { gpu: 2 ** 20, memory: 2 ** 20 }, disk);
	const values: (number | null)[] = [];
	try {
		for (const [i, key] of keys.entries()) {
			if (task === 'write') {
				const picture = compute.uploadPicture(new Float32Array(SIDE * SIDE * 3).fill(i + 0.25), SIDE, SIDE, 3);
				const frame = { picture, sides: {}, color: BT709 };
				await store.persist(key, frame);
				releaseFrame(frame);
				continue;
			}
			const frame = await store.get(key);
			values.push(frame ? (new Float32Array(await compute.readback(frame.picture))[0] ?? null) : null);
			if (frame) releaseFrame(frame);
		}
		await store.flush();
		return { values, corrupt: disk.stats().corrupt, left: disk.stats().entries };
	} finally {
		store.close();
		compute.destroy();
	}
}

const scope = globalThis as unknown as {
	onmessage: (event: MessageEvent<StoreJob>) => void;
	postMessage(message: unknown): void;
};

scope.onmessage = ({ data }) => {
	run(data).then(
		(answer) => scope.postMessage(answer),
		(error: unknown) => scope.postMessage({ error: toEmulsionError(error).message }),
	);
};
