/** A look at the top level of an ISO base media file (ISO/IEC 14496-12), for failures that ffmpeg does not name. */

/** What the boxes say. */
export interface MovFacts {
	/** The file begins with an ISO media box. */
	readonly isMov: boolean;
	/** There is a movie header: without one nothing can be played. */
	readonly hasHeader: boolean;
	/** A sample entry is encrypted (`encv`, or Apple's `drmi`). */
	readonly encrypted: boolean;
}

const MAX_HEADER = 64 << 20;
const FIRST_BOXES = /^(ftyp|moov|mdat|wide|free|skip|pnot|styp|moof)$/;

/** Boxes on the way from the movie header to the sample descriptions. */
const CONTAINERS = new Set(['trak', 'mdia', 'minf', 'stbl']);
/** `stsd` is a full box (version, flags) with a count before its entries. */
const STSD_HEADER = 8;
const ENCRYPTED = new Set(['encv', 'drmi']);

function nameAt(view: DataView, position: number): string {
	return String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(position + i)));
}

/** Whether a sample description between two positions names an encrypted picture. Tables are stepped over, never searched. */
function encryptedWithin(view: DataView, start: number, end: number): boolean {
	for (let position = start; position + 8 <= end;) {
		const name = nameAt(view, position);
		if (ENCRYPTED.has(name)) return true;
		const size = view.getUint32(position);
		if (size < 8) return false;
		const next = Math.min(end, position + size);
		const inside = CONTAINERS.has(name) ? 8 : name === 'stsd' ? 8 + STSD_HEADER : 0;
		if (inside > 0 && encryptedWithin(view, position + inside, next)) return true;
		position = next;
	}
	return false;
}

/** Walks the boxes of a file; reads their headers and the movie header only. */
export async function lookAtMov(blob: Blob): Promise<MovFacts> {
	let position = 0;
	let isMov = false;
	while (position + 8 <= blob.size) {
		const head = new DataView(await blob.slice(position, position + 16).arrayBuffer());
		const name = nameAt(head, 0);
		if (position === 0) isMov = FIRST_BOXES.test(name);
		if (!isMov) break;
		const short = head.getUint32(0);
		const size =
			short === 1 && head.byteLength >= 16 ? Number(head.getBigUint64(8)) : short === 0 ? blob.size - position : short;
		if (name === 'moov') {
			const view = new DataView(await blob.slice(position, position + Math.min(size, MAX_HEADER)).arrayBuffer());
			return { isMov, hasHeader: true, encrypted: encryptedWithin(view, short === 1 ? 16 : 8, view.byteLength) };
		}
		if (size < 8) break;
		position += size;
	}
	return { isMov, hasHeader: false, encrypted: false };
}
