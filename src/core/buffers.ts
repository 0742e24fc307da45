/** Memory that large buffers leave behind, and buffers of nothing. */

/** Bytes after which a collection is worth its milliseconds. */
const COLLECT_AFTER = 32 * 2 ** 20;

let waiting = 0;

/**
 * Says that buffers of so many bytes will not be looked at again. What is read in a loop without a pause (ffmpeg on a whole film)
 * outruns the collector by hundreds of megabytes. Where the browser lets pages ask for a collection, as the terminal's does, one
 * is made every 32 MiB; elsewhere nothing happens. Detaching such buffers does not help: the engine holds their bytes
 * until the same collection, and then no longer counts them.
 */
export function discarded(bytes: number): void {
	waiting += bytes;
	if (waiting < COLLECT_AFTER) return;
	waiting = 0;
	(globalThis as { readonly gc?: () => void }).gc?.();
}

/** True where all bytes are zero; looks no further than the first that is not. */
export function isZero(bytes: Uint8Array): boolean {
	const { buffer, byteOffset, length } = bytes;
	const lead = Math.min(length, (4 - (byteOffset % 4)) % 4);
	const count = (length - lead) >> 2;
	for (let i = 0; i < lead; i++) if (bytes[i] !== 0) return false;
	for (let i = lead + 4 * count; i < length; i++) if (bytes[i] !== 0) return false;
	if (count === 0) return true;
	// Four at a time: a block of silence is looked at to its end.
	const words = new Uint32Array(buffer, byteOffset + lead, count);
	for (let i = 0; i < count; i++) if (words[i] !== 0) return false;
	return true;
}
