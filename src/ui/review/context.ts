/** The review that is open, for every component below the root. */

import { getContext, setContext } from 'svelte';
import type { Opened, ReviewDesk } from '../../state/review/desk.svelte.ts';

const KEY = Symbol('review');

/** Called once, by the root component. */
export function provideDesk(desk: ReviewDesk): void {
	setContext(KEY, desk);
}

/** The desk; call while a component initializes. */
export function useDesk(): ReviewDesk {
	return getContext<ReviewDesk>(KEY);
}

/** The open review; only below a component that is shown while one is open. */
export function useOpened(): Opened {
	const { opened } = useDesk();
	if (!opened) throw new TypeError('no review is open');
	return opened;
}
