/** Memory that large buffers leave behind. */

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
