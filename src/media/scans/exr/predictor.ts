/** What RLE, ZIPS, ZIP and the flat part of DWA do to bytes before they compress them. */

/** Undoes what RLE, ZIPS and ZIP do before they compress: differences, and even bytes apart from odd ones. */
export function joinHalves(packed: Uint8Array): Uint8Array<ArrayBuffer> {
	const length = packed.length;
	for (let i = 1; i < length; i++) packed[i] = (packed[i - 1] as number) + (packed[i] as number) - 128;
	const out = new Uint8Array(length);
	const half = (length + 1) >> 1;
	for (let i = 0, o = 0; o < length; i++) {
		out[o++] = packed[i] as number;
		if (o < length) out[o++] = packed[half + i] as number;
	}
	return out;
}
