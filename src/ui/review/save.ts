/** Files to the reader's disk. */

/** Offers bytes as a download. */
export function saveBlob(blob: Blob, name: string): void {
	const url = URL.createObjectURL(blob);
	const anchor = document.createElement('a');
	anchor.href = url;
	anchor.download = name;
	anchor.click();
	// The download has begun by then; browsers keep the bytes for it.
	setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
