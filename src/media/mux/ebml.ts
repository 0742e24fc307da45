/** EBML, the syntax of Matroska (RFC 8794): reading elements from bytes and building them. */

/** Element ids used here, by their names in RFC 9559. */
export const EBML = {
	Header: 0x1a45dfa3,
	Version: 0x4286,
	ReadVersion: 0x42f7,
	MaxIdLength: 0x42f2,
	MaxSizeLength: 0x42f3,
	DocType: 0x4282,
	DocTypeVersion: 0x4287,
	DocTypeReadVersion: 0x4285,
	Void: 0xec,
	Segment: 0x18538067,
	SeekHead: 0x114d9b74,
	Seek: 0x4dbb,
	SeekId: 0x53ab,
	SeekPosition: 0x53ac,
	Info: 0x1549a966,
	TimestampScale: 0x2ad7b1,
	Duration: 0x4489,
	MuxingApp: 0x4d80,
	WritingApp: 0x5741,
	Tracks: 0x1654ae6b,
	TrackEntry: 0xae,
	TrackNumber: 0xd7,
	TrackUid: 0x73c5,
	TrackType: 0x83,
	FlagLacing: 0x9c,
	Language: 0x22b59c,
	CodecId: 0x86,
	CodecPrivate: 0x63a2,
	CodecDelay: 0x56aa,
	SeekPreRoll: 0x56bb,
	DefaultDuration: 0x23e383,
	Video: 0xe0,
	PixelWidth: 0xb0,
	PixelHeight: 0xba,
	DisplayWidth: 0x54b0,
	DisplayHeight: 0x54ba,
	DisplayUnit: 0x54b2,
	FlagInterlaced: 0x9a,
	FieldOrder: 0x9d,
	Color: 0x55b0,
	MatrixCoefficients: 0x55b1,
	Range: 0x55b9,
	TransferCharacteristics: 0x55ba,
	Primaries: 0x55bb,
	ChromaSitingHorz: 0x55b7,
	ChromaSitingVert: 0x55b8,
	Projection: 0x7670,
	ProjectionType: 0x7671,
	ProjectionPoseRoll: 0x7675,
	Audio: 0xe1,
	SamplingFrequency: 0xb5,
	Channels: 0x9f,
	BitDepth: 0x6264,
	Cluster: 0x1f43b675,
	Timestamp: 0xe7,
	SimpleBlock: 0xa3,
	BlockGroup: 0xa0,
	Block: 0xa1,
	BlockDuration: 0x9b,
	ReferenceBlock: 0xfb,
	DiscardPadding: 0x75a2,
	Cues: 0x1c53bb6b,
	CuePoint: 0xbb,
	CueTime: 0xb3,
	CueTrackPositions: 0xb7,
	CueTrack: 0xf7,
	CueClusterPosition: 0xf1,
	Tags: 0x1254c367,
	Tag: 0x7373,
	Targets: 0x63c0,
	TagTrackUid: 0x63c5,
	SimpleTag: 0x67c8,
	TagName: 0x45a3,
	TagString: 0x4487,
} as const;

/** An element's head. */
export interface ElementHead {
	readonly id: number;
	/** Content bytes; undefined for the reserved "unknown size". */
	readonly size: number | undefined;
	/** Bytes of id and size together. */
	readonly headBytes: number;
}

function vintLength(first: number): number {
	return first === 0 ? 9 : Math.clz32(first) - 23;
}

/** Reads the head at `at`; undefined where the bytes end too soon. Throws RangeError on an impossible length. */
export function readHead(bytes: Uint8Array, at: number): ElementHead | undefined {
	const first = bytes[at];
	if (first === undefined) return undefined;
	const idLength = vintLength(first);
	if (idLength > 4) throw new RangeError(`EBML id of ${idLength} bytes at ${at}`);
	const sizeFirst = bytes[at + idLength];
	if (sizeFirst === undefined) return undefined;
	const sizeLength = vintLength(sizeFirst);
	if (sizeLength > 8) throw new RangeError(`EBML size of ${sizeLength} bytes at ${at}`);
	if (at + idLength + sizeLength > bytes.length) return undefined;
	const id = readUint(bytes.subarray(at, at + idLength));
	let size = sizeFirst & ((1 << (8 - sizeLength)) - 1);
	let unknown = size === (1 << (8 - sizeLength)) - 1;
	for (let i = 1; i < sizeLength; i++) {
		const byte = bytes[at + idLength + i] ?? 0;
		unknown &&= byte === 0xff;
		size = size * 256 + byte;
	}
	return { id, size: unknown ? undefined : size, headBytes: idLength + sizeLength };
}

/** Big-endian unsigned integer of up to 7 significant bytes. */
export function readUint(bytes: Uint8Array): number {
	let value = 0;
	for (const b of bytes) value = value * 256 + b;
	return value;
}

/** Big-endian two's-complement integer. */
export function readInt(bytes: Uint8Array): number {
	const value = readUint(bytes);
	return (bytes[0] ?? 0) & 0x80 ? value - 2 ** (8 * bytes.length) : value;
}

/** Big-endian float of 4 or 8 bytes; 0 for an empty element. */
export function readFloat(bytes: Uint8Array): number {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return bytes.length === 4 ? view.getFloat32(0) : bytes.length === 8 ? view.getFloat64(0) : 0;
}

/** Child elements of a master's content. Stops quietly at a child that is cut short. */
export function* children(content: Uint8Array): Generator<{ readonly id: number; readonly data: Uint8Array }> {
	let at = 0;
	for (;;) {
		const head = readHead(content, at);
		if (head?.size === undefined || at + head.headBytes + head.size > content.length) return;
		yield { id: head.id, data: content.subarray(at + head.headBytes, at + head.headBytes + head.size) };
		at += head.headBytes + head.size;
	}
}

/** First child of an id, or undefined. */
export function child(content: Uint8Array, id: number): Uint8Array | undefined {
	for (const element of children(content)) if (element.id === id) return element.data;
	return undefined;
}

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	const result = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const part of parts) {
		result.set(part, at);
		at += part.length;
	}
	return result;
}

function bigEndian(value: number, bytes: number): Uint8Array<ArrayBuffer> {
	const result = new Uint8Array(bytes);
	let rest = value;
	for (let i = bytes - 1; i >= 0; i--) {
		result[i] = rest % 256;
		rest = Math.floor(rest / 256);
	}
	return result;
}

function idBytes(id: number): Uint8Array<ArrayBuffer> {
	return bigEndian(id, id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
}

/** A size as a variable-length integer of `length` bytes (the shortest when absent). */
export function sizeBytes(size: number, length?: number): Uint8Array<ArrayBuffer> {
	let n = length ?? 1;
	if (length === undefined) while (size >= 2 ** (7 * n) - 1) n++;
	const result = bigEndian(size, n);
	result[0] = (result[0] ?? 0) | (1 << (8 - n));
	return result;
}

/** An element around content. `sizeLength` fixes the bytes of its size field. */
export function element(id: number, content: Uint8Array, sizeLength?: number): Uint8Array<ArrayBuffer> {
	return concat([idBytes(id), sizeBytes(content.length, sizeLength), content]);
}

/** Head of an element whose content is written separately. */
export function elementHead(id: number, size: number, sizeLength?: number): Uint8Array<ArrayBuffer> {
	return concat([idBytes(id), sizeBytes(size, sizeLength)]);
}

/** A master element of its children. */
export function master(id: number, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	return element(id, concat(parts));
}

/** An unsigned integer element of `bytes` bytes (the fewest when absent). */
export function uint(id: number, value: number, bytes?: number): Uint8Array<ArrayBuffer> {
	let n = bytes ?? 1;
	if (bytes === undefined) while (value >= 2 ** (8 * n)) n++;
	return element(id, bigEndian(value, n));
}

/** A signed integer element of 8 bytes. */
export function int64(id: number, value: number): Uint8Array<ArrayBuffer> {
	const data = new DataView(new ArrayBuffer(8));
	data.setBigInt64(0, BigInt(value));
	return element(id, new Uint8Array(data.buffer));
}

/** A float element of 8 bytes. */
export function float64(id: number, value: number): Uint8Array<ArrayBuffer> {
	const data = new DataView(new ArrayBuffer(8));
	data.setFloat64(0, value);
	return element(id, new Uint8Array(data.buffer));
}

/** A text element. */
export function text(id: number, value: string): Uint8Array<ArrayBuffer> {
	return element(id, new TextEncoder().encode(value));
}
