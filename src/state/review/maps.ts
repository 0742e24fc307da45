/** Maps and sets that are not reactive by themselves: they stand in `$state.raw` and are replaced as a whole. */

/** A plain Map. */
export function plainMap<K, V>(entries: Iterable<readonly [K, V]> = []): Map<K, V> {
	return new Map(entries);
}

/** A plain Set. */
export function plainSet<T>(): Set<T> {
	return new Set();
}
