/** Packages of made reviews beside the built app, as a static host has them, and visits to them. */

import type { Page } from 'playwright-core';
import { sendFile } from '../../server/static.ts';
import { type Scratch, scratch } from './cli.ts';
import { type E2e, startE2e } from './e2e.ts';
import { type Visit, visit, type VisitOptions } from './review-page.ts';
import { addressOf, type MadeReview, makeReview, type ReviewWish, writeReviewPackage } from './reviews.ts';

/** What a test does with packages. */
export interface ReviewPackages<Name extends string> {
	readonly e2e: E2e;
	readonly tmp: Scratch;
	/** By name; the package is `<name>.emreview`. */
	readonly made: Readonly<Record<Name, MadeReview>>;
	/** A fresh profile at an address. */
	readonly visit: (address: string, options?: VisitOptions) => Promise<Visit>;
	/** Address of a review's link, 0 the owner's, for a package of that name. */
	readonly link: (made: MadeReview, index: number, name: string) => string;
	readonly close: () => Promise<void>;
}

/** Makes packages and serves them. */
export async function startReviewPackages<Name extends string>(
	wishes: Readonly<Record<Name, ReviewWish>>,
): Promise<ReviewPackages<Name>> {
	const tmp = scratch();
	const made: Partial<Record<Name, MadeReview>> = {};
	for (const name of Object.keys(wishes) as Name[]) {
		const review = await makeReview(tmp, wishes[name]);
		await writeReviewPackage(tmp.path(`${name}.emreview`), review.review);
		made[name] = review;
	}
	const e2e = await startE2e([
		async (request, response, url) => {
			const name = /^\/(\w+\.emreview)$/.exec(url.pathname)?.[1];
			if (name === undefined) return false;
			await sendFile(request, response, tmp.path(name));
			return true;
		},
	]);
	return {
		...{ e2e, tmp, made: made as Record<Name, MadeReview> },
		visit: (address, options = {}) => visit(e2e.browser, address, options),
		link: (review, index, name) => addressOf(e2e.server.url, review, index, `${name}.emreview`),
		close: async () => {
			await e2e.close();
			tmp.remove();
		},
	};
}

/** Versions by name, three of them, with stills and crops; links of a commenter, a viewer and a voter. */
export const OPEN_REVIEW: ReviewWish = {
	...{ labels: ['Scan', 'Recipe A', 'Recipe B'], blind: false, still: 7, crops: 12, grain: [0.84, 0.936, null] },
	links: [{ role: 'commenter' }, { role: 'viewer' }, { role: 'voter' }],
};

/** What the page says of the codec's loss. */
export const codecLoss = async (page: Page): Promise<string> =>
	(await page.getByTestId('codec-loss').textContent())!.replace(/\s+/g, ' ').trim();
