/** Entry: a fragment that begins with `#/review` is a reviewer's page, anything else the editor. Each loads only its own code. */

import { REVIEW_ROUTE } from '../share/links.ts';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');

const isReview = (): boolean => location.hash.startsWith(REVIEW_ROUTE);
const began = isReview();
/** Another review, or the editor instead of one: the page begins anew, with nothing of the other in memory. */
window.addEventListener('hashchange', () => {
	if (began || isReview()) location.reload();
});

if (began) void import('./review.ts').then(({ bootReview }) => bootReview(target));
else void import('./editor.ts').then(({ startEditor }) => startEditor(target));
