/** Regions: where in the picture a stage acts. `all`, a matte's id, or what lies outside of it (`outside:face`). */

/** A region that a matte bounds. */
export interface MatteRegion {
	readonly matte: string;
	/** The region is where the matte is 0. */
	readonly inverted: boolean;
}

const OUTSIDE = 'outside:';
const MATTE_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** True for what may name a matte. `all` is taken: it means the whole picture. */
export function isMatteId(id: string): boolean {
	return MATTE_ID.test(id) && id !== 'all';
}

/** A region's matte; undefined for the whole picture. Gives no verdict on the id: see {@link isRegion}. */
export function parseRegion(region: string): MatteRegion | undefined {
	if (region === 'all') return undefined;
	const inverted = region.startsWith(OUTSIDE);
	return { matte: inverted ? region.slice(OUTSIDE.length) : region, inverted };
}

/** True for `all`, a matte id, and `outside:` with a matte id. */
export function isRegion(region: string): boolean {
	const parsed = parseRegion(region);
	return parsed === undefined || isMatteId(parsed.matte);
}

/** The region where a matte is 0. */
export function outsideOf(matte: string): string {
	return OUTSIDE + matte;
}
