/** The editor's start. `?backend=webgpu` or `?backend=wasm` asks for a backend; otherwise the engine chooses. */

import type { BackendWish } from '../contracts/workers.ts';
import { STAGE_METAS } from '../stages/metas.ts';
import { bootEditor } from './boot.ts';
import { connectEngine } from './engine-adapter.ts';

const WISHES: readonly BackendWish[] = ['auto', 'webgpu', 'wasm'];

/** Starts the editor as the address asks. */
export function startEditor(target: HTMLElement): void {
	const asked = new URLSearchParams(location.search).get('backend');
	const backend = WISHES.find((wish) => wish === asked) ?? 'auto';
	void bootEditor({ target, engine: connectEngine(backend), metas: STAGE_METAS, backend });
}
