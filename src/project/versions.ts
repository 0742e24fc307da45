/** What commands do to a reel's kept versions, and to the project's reviews and record. */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { MAX_RECORD, MAX_REVIEWS, type RecordEntry, type ReviewRef } from './review-records.ts';
import { MAX_KEPT_VERSIONS, type Project, type Reel } from './schema.ts';

/** Keeps the reel's recipe under a name. Throws `usage` for a name that is empty or taken, and for too many. */
export function keepVersion(
	reel: Reel,
	{ id, name, at }: { readonly id: string; readonly name: string; readonly at: number },
): Reel {
	const trimmed = name.trim().slice(0, 120);
	const isTaken = reel.versions.some((version) => version.name === trimmed || version.id === id);
	if (trimmed === '' || isTaken) throw new EmulsionError('usage', phrase('version-name', { name: trimmed }));
	if (reel.versions.length >= MAX_KEPT_VERSIONS) {
		throw new EmulsionError('usage', phrase('most-versions', { max: MAX_KEPT_VERSIONS }));
	}
	return { ...reel, versions: [...reel.versions, { id, name: trimmed, recipe: reel.recipe, keptAt: at }] };
}

/** Removes a kept version; the same reel where there is none of that id. */
export function removeVersion(reel: Reel, id: string): Reel {
	const versions = reel.versions.filter((version) => version.id !== id);
	return versions.length === reel.versions.length ? reel : { ...reel, versions };
}

/** Adds a review; one that is known already is replaced. Throws `usage` for too many. */
export function addReview(project: Project, review: ReviewRef): Project {
	const others = project.reviews.filter(({ id }) => id !== review.id);
	if (others.length >= MAX_REVIEWS) throw new EmulsionError('usage', phrase('most-reviews', { max: MAX_REVIEWS }));
	return { ...project, reviews: [...others, review] };
}

function isSame(a: RecordEntry, b: RecordEntry): boolean {
	return a.kind === 'approval' && b.kind === 'approval' && a.approval.signature === b.approval.signature;
}

/** The project with entries added to its record; approvals that are there already are not added again. Throws `usage` for too many. */
export function withRecord(project: Project, entries: readonly RecordEntry[]): Project {
	const fresh = entries.filter(
		(entry, i) => ![...project.record, ...entries.slice(0, i)].some((e) => isSame(e, entry)),
	);
	if (fresh.length === 0) return project;
	const record = [...project.record, ...fresh];
	if (record.length > MAX_RECORD) throw new EmulsionError('usage', phrase('most-record', { max: MAX_RECORD }));
	return { ...project, record };
}
