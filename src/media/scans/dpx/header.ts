/**
 * A DPX header that keeps its bytes: fields are read from and written into them, so that everything this program does not
 * know (reserved areas, user data, vendors' extensions) leaves as it came.
 */
import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import { checkSize, truncated, unreadable } from '../picture.ts';
import type { DpxField, DpxSpec, DpxValue, ElementField, ElementValue } from './layout.ts';
import {
	DPX_FIELDS,
	ELEMENT_FIELDS,
	ELEMENT_SIZE,
	ELEMENTS_OFFSET,
	GENERIC_SIZE,
	HEADER_SIZE,
	INDUSTRY_SIZE,
	MAX_ELEMENTS,
} from './layout.ts';

const MAGIC_BE = 0x53445058;
const MAGIC_LE = 0x58504453;
/** The file, image and element sections: below this there is no picture to speak of. */
const MIN_HEADER = 1408;
const UNDEFINED_U32 = 0xffffffff;

function fieldSize(spec: DpxSpec): number {
	return spec[1] === 'ascii' ? (spec[2] ?? 0) : { u8: 1, u16: 2, u32: 4, f32: 4 }[spec[1]];
}

function readField(view: DataView, at: number, spec: DpxSpec, le: boolean): string | number | undefined {
	if (at + fieldSize(spec) > view.byteLength) return undefined;
	switch (spec[1]) {
		case 'ascii':
			return readText(view, at, fieldSize(spec));
		case 'u8':
			return definedOr(view.getUint8(at), 0xff);
		case 'u16':
			return definedOr(view.getUint16(at, le), 0xffff);
		case 'u32':
			return definedOr(view.getUint32(at, le), UNDEFINED_U32);
		case 'f32': {
			const value = view.getFloat32(at, le);
			return Number.isFinite(value) ? value : undefined;
		}
	}
}

function definedOr(value: number, nothing: number): number | undefined {
	return value === nothing ? undefined : value;
}

function readText(view: DataView, at: number, length: number): string | undefined {
	let text = '';
	for (let i = 0; i < length; i++) {
		const c = view.getUint8(at + i);
		if (c === 0 || c === 0xff) break;
		text += String.fromCharCode(c);
	}
	return text === '' ? undefined : text;
}

function writeField(view: DataView, at: number, spec: DpxSpec, value: string | number | undefined, le: boolean): void {
	switch (spec[1]) {
		case 'ascii': {
			const text = typeof value === 'string' ? value : '';
			for (let i = 0; i < fieldSize(spec); i++) view.setUint8(at + i, i < text.length ? text.charCodeAt(i) & 0xff : 0);
			return;
		}
		case 'u8':
			return view.setUint8(at, value === undefined ? 0xff : Number(value));
		case 'u16':
			return view.setUint16(at, value === undefined ? 0xffff : Number(value), le);
		case 'u32':
			return view.setUint32(at, value === undefined ? UNDEFINED_U32 : Number(value), le);
		case 'f32':
			if (value === undefined) view.setUint32(at, UNDEFINED_U32, le);
			else view.setFloat32(at, Number(value), le);
	}
}

/** A header: its bytes up to the image data, and typed access to its fields. Undefined fields (all ones, empty text) read as `undefined`. */
export class DpxHeader {
	/** The file up to its image data. */
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly littleEndian: boolean;
	readonly #view: DataView;

	/** `bytes` is taken, not copied; it starts at the file's first byte and ends where image data starts. */
	constructor(bytes: Uint8Array<ArrayBuffer>, littleEndian: boolean) {
		this.bytes = bytes;
		this.littleEndian = littleEndian;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	/** An empty header (2048 bytes, every optional field undefined) for a picture made here. */
	static create(littleEndian = false): DpxHeader {
		const header = new DpxHeader(new Uint8Array(HEADER_SIZE), littleEndian);
		for (const field of Object.keys(DPX_FIELDS) as DpxField[]) {
			if (DPX_FIELDS[field][0] + 4 <= HEADER_SIZE) header.set(field, undefined);
		}
		for (let i = 0; i < MAX_ELEMENTS; i++) header.clearElement(i);
		new DataView(header.bytes.buffer).setUint32(0, MAGIC_BE, littleEndian);
		header.set('file.imageOffset', HEADER_SIZE);
		header.set('file.version', 'V2.0');
		header.set('file.dittoKey', 1);
		header.set('file.genericSize', GENERIC_SIZE);
		header.set('file.industrySize', INDUSTRY_SIZE);
		header.set('file.userSize', 0);
		header.set('file.creator', 'Emulsion');
		header.set('image.orientation', 0);
		for (const field of ['dataSign', 'packing', 'encoding'] as const) header.setElement(0, field, 0);
		return header;
	}

	/** Value of a field; `undefined` where the file leaves it undefined or has no such section. */
	get<F extends DpxField>(field: F): DpxValue<F> | undefined {
		const spec: DpxSpec = DPX_FIELDS[field];
		// The user section exists only where the header says so: its bytes may be padding.
		if (field === 'user.id' && !(this.get('file.userSize') ?? 0)) return undefined;
		return readField(this.#view, spec[0], spec, this.littleEndian) as DpxValue<F> | undefined;
	}

	/** Writes a field; `undefined` marks it undefined. Text is cut to the field's length. */
	set<F extends DpxField>(field: F, value: DpxValue<F> | undefined): void {
		const spec: DpxSpec = DPX_FIELDS[field];
		this.#need(spec[0], spec, field);
		writeField(this.#view, spec[0], spec, value, this.littleEndian);
	}

	/** Value of a field of image element `index` (0–7). */
	element<F extends ElementField>(index: number, field: F): ElementValue<F> | undefined {
		const spec: DpxSpec = ELEMENT_FIELDS[field];
		const at = ELEMENTS_OFFSET + index * ELEMENT_SIZE + spec[0];
		return readField(this.#view, at, spec, this.littleEndian) as ElementValue<F> | undefined;
	}

	/** Writes a field of image element `index` (0–7). */
	setElement<F extends ElementField>(index: number, field: F, value: ElementValue<F> | undefined): void {
		const spec: DpxSpec = ELEMENT_FIELDS[field];
		writeField(this.#view, ELEMENTS_OFFSET + index * ELEMENT_SIZE + spec[0], spec, value, this.littleEndian);
	}

	/** Marks every field of an image element undefined. */
	clearElement(index: number): void {
		for (const field of Object.keys(ELEMENT_FIELDS) as ElementField[]) this.setElement(index, field, undefined);
	}

	/** User data after the 32-byte user id, byte for byte; empty where there is none. */
	get userData(): Uint8Array {
		const size = this.get('file.userSize') ?? 0;
		return this.bytes.subarray(HEADER_SIZE + 32, Math.max(HEADER_SIZE + 32, HEADER_SIZE + size));
	}

	/** A copy, in the wanted byte order: known numbers are swapped, everything else is kept as it is. */
	copy(littleEndian = this.littleEndian): DpxHeader {
		const copy = new DpxHeader(this.bytes.slice(), littleEndian);
		if (littleEndian === this.littleEndian) return copy;
		copy.bytes.subarray(0, 4).reverse();
		for (const spec of Object.values(DPX_FIELDS) as DpxSpec[]) copy.#swap(spec[0], spec);
		for (let i = 0; i < MAX_ELEMENTS; i++) {
			for (const spec of Object.values(ELEMENT_FIELDS) as DpxSpec[]) {
				copy.#swap(ELEMENTS_OFFSET + i * ELEMENT_SIZE + spec[0], spec);
			}
		}
		return copy;
	}

	#swap(at: number, spec: DpxSpec): void {
		const size = fieldSize(spec);
		if (spec[1] !== 'ascii' && at + size <= this.bytes.length) this.bytes.subarray(at, at + size).reverse();
	}

	#need(at: number, spec: DpxSpec, field: string): void {
		if (at + fieldSize(spec) > this.bytes.length) {
			throw new EmulsionError('usage', phrase('dpx-room', { field, bytes: this.bytes.length }));
		}
	}
}

/** True when the bytes begin like a DPX file of either byte order. */
export function isDpx(bytes: Uint8Array): boolean {
	if (bytes.length < 4) return false;
	const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
	return magic === MAGIC_BE || magic === MAGIC_LE;
}

/**
 * Reads a header. `bytes` may be the whole file or only its beginning (2048 bytes suffice to probe); the header keeps what
 * is there, up to the image data. `what` names the file in errors.
 */
export function parseDpxHeader(bytes: Uint8Array, what = 'DPX'): DpxHeader {
	if (bytes.length < MIN_HEADER) throw truncated(what, MIN_HEADER, bytes.length);
	if (!isDpx(bytes)) throw unreadable(what, 'not a DPX file (no SDPX or XPDS at its start)');
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const littleEndian = view.getUint32(0) === MAGIC_LE;
	const imageOffset = view.getUint32(4, littleEndian);
	if (imageOffset < MIN_HEADER) throw unreadable(what, `image data offset ${imageOffset} lies inside the header`);
	const end = Math.min(imageOffset, bytes.length);
	const header = new DpxHeader(new Uint8Array(bytes.subarray(0, end)), littleEndian);
	checkSize(header.get('image.width') ?? 0, header.get('image.height') ?? 0, what);
	const elements = header.get('image.elements') ?? 0;
	if (elements < 1 || elements > MAX_ELEMENTS) throw unreadable(what, `${elements} image elements (1 to 8 are legal)`);
	return header;
}
