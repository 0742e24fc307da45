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

function contains(bytes: Uint8Array, name: string): boolean {
	const [a, b, c, d] = [...name].map((letter) => letter.charCodeAt(0));
	for (let i = bytes.indexOf(a!); i >= 0; i = bytes.indexOf(a!, i + 1)) {
		if (bytes[i + 1] === b && bytes[i + 2] === c && bytes[i + 3] === d) return true;
	}
	return false;
}

/** Walks the boxes of a file; reads their headers and the movie header only. */
export async function lookAtMov(blob: Blob): Promise<MovFacts> {
	let position = 0;
	let isMov = false;
	while (position + 8 <= blob.size) {
		const head = new DataView(await blob.slice(position, position + 16).arrayBuffer());
		const name = String.fromCharCode(...[4, 5, 6, 7].map((i) => head.getUint8(i)));
		if (position === 0) isMov = FIRST_BOXES.test(name);
		if (!isMov) break;
		const short = head.getUint32(0);
		const size =
			short === 1 && head.byteLength >= 16 ? Number(head.getBigUint64(8)) : short === 0 ? blob.size - position : short;
		if (name === 'moov') {
			const bytes = new Uint8Array(await blob.slice(position, position + Math.min(size, MAX_HEADER)).arrayBuffer());
			return { isMov, hasHeader: true, encrypted: contains(bytes, 'encv') || contains(bytes, 'drmi') };
		}
		if (size < 8) break;
		position += size;
	}
	return { isMov, hasHeader: false, encrypted: false };
}
