/** Puts the editor together: workspace, capabilities, root component. */

import { mount, unmount } from 'svelte';
import type { StageMeta } from '../contracts/stage.ts';
import type { BackendWish } from '../contracts/workers.ts';
import type { EnginePort } from '../state/engine-port.ts';
import { Workspace } from '../state/workspace.svelte.ts';
import '../ui/theme.css';
import App from './App.svelte';
import { checkCapabilities } from './capabilities.ts';

/** Starts the editor in an element; gives its end. */
export async function bootEditor(options: {
	readonly target: HTMLElement;
	readonly engine: EnginePort;
	readonly metas: readonly StageMeta[];
	readonly backend: BackendWish;
}): Promise<() => Promise<void>> {
	const { target, ...rest } = options;
	const workspace = new Workspace({ ...rest, capabilities: await checkCapabilities() });
	const app = mount(App, { target, props: { workspace } });
	const stop = workspace.start();
	return async () => {
		stop();
		await unmount(app);
	};
}
