/** Puts the reviewer's page together. Nothing of the editor, its workers or its models is loaded for it. */

import { mount } from 'svelte';
import { ReviewDesk } from '../state/review/desk.svelte.ts';
import '../ui/theme.css';
import ReviewApp from './ReviewApp.svelte';

/** Opens the review that the address names. */
export function bootReview(target: HTMLElement): void {
	const desk = new ReviewDesk();
	mount(ReviewApp, { target, props: { desk } });
	void desk.start(location.hash);
}
