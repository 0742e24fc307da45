/** A worker that stores sound in the private file system and holds it until it is ended. */

import { SoundSpool } from '../../src/media/audio/spool.ts';

const scope = globalThis as unknown as {
	onmessage: (event: MessageEvent<number>) => void;
	postMessage(message: unknown): void;
};

async function store(bytes: number): Promise<void> {
	const spool = new SoundSpool(1);
	spool.push(new Uint8Array(bytes).fill(9));
	await spool.settle();
	scope.postMessage((await spool.finish()).stored);
}

scope.onmessage = ({ data }) => {
	void store(data);
};
