/** The workspace, for every component below the root. */

import { getContext, setContext } from 'svelte';
import type { Workspace } from '../state/workspace.svelte.ts';

const KEY = Symbol('workspace');

/** Called once, by the root component. */
export function provideWorkspace(workspace: Workspace): void {
	setContext(KEY, workspace);
}

/** The workspace; call while a component initializes. */
export function useWorkspace(): Workspace {
	return getContext<Workspace>(KEY);
}
