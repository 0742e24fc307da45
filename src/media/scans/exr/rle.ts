/** Runs of bytes, as RLE and DWA store them. */
import { truncated } from '../picture.ts';

/** Expands runs to `expected` bytes: a negative count is that many bytes as they are, others repeat the next byte. */
export function expandRle(data: Uint8Array, expected: number, what: string): Uint8Array<ArrayBuffer> {
	const out = new Uint8Array(expected);
	let o = 0;
	for (let i = 0; i < data.length && o < expected;) {
		const n = ((data[i++] as number) << 24) >> 24;
		if (n < 0) {
			const run = data.subarray(i, i + Math.min(-n, expected - o));
			out.set(run, o);
			i -= n;
			o += run.length;
		} else if (i < data.length) {
			const end = Math.min(expected, o + n + 1);
			out.fill(data[i++] as number, o, end);
			o = end;
		}
	}
	if (o < expected) throw truncated(what, expected, o);
	return out;
}
