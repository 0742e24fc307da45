/** Byte ranges of HTTP (RFC 9110 §14). */

/** Bytes from `start` to `end`, both among them. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
}

/** One `bytes=a-b` range, inclusive; `null` when unsatisfiable, `undefined` when absent or not a single range. */
export function parseRange(header: string | undefined, size: number): ByteRange | null | undefined {
	const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
	if (!match || (match[1] === '' && match[2] === '')) return undefined;
	const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
	const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
	return start > end || start >= size ? null : { start, end };
}
