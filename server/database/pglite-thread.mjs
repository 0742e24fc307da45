// The thread that runs PGlite: Postgres' wire protocol in, the same out. Plain JavaScript, because Node loads no TypeScript in a
// thread that tsx or vitest did not start themselves.

import { PGlite } from '@electric-sql/pglite';
import { parentPort, workerData } from 'node:worker_threads';

const database = await PGlite.create(workerData.folder);
parentPort.postMessage({ type: 'ready' });

// In order: a message is answered before the next one is read.
let last = Promise.resolve();
parentPort.on('message', (message) => {
	last = last.then(async () => {
		if (message.type === 'close') {
			await database.close();
			parentPort.postMessage({ type: 'closed' });
			parentPort.close();
			return;
		}
		const answer = await database.execProtocolRaw(message.bytes);
		parentPort.postMessage({ type: 'answer', bytes: answer });
	});
});
