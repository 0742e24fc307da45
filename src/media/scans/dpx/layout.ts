/**
 * Where every field of a DPX header lies: SMPTE 268M-2003, tables 1 to 7. One table, from which reading, writing and
 * byte swapping are derived. Offsets are in bytes from the start of the file.
 */

/** How a field is stored. `ascii` is text padded with NUL (or 0xFF when undefined). */
export type DpxType = 'u8' | 'u16' | 'u32' | 'f32' | 'ascii';

/** Offset, type and, for text, length in bytes. */
export type DpxSpec = readonly [offset: number, type: DpxType, length?: number];

/** Bytes of the file, image and orientation sections. */
export const GENERIC_SIZE = 1664;
/** Bytes of the film and television sections. */
export const INDUSTRY_SIZE = 384;
/** Bytes of a header without user data. */
export const HEADER_SIZE = GENERIC_SIZE + INDUSTRY_SIZE;
/** Image elements a file may have. */
export const MAX_ELEMENTS = 8;
/** Offset of the first image element. */
export const ELEMENTS_OFFSET = 780;
/** Bytes an image element takes in the header. */
export const ELEMENT_SIZE = 72;

/** Every field outside the image elements, named `section.field`. */
export const DPX_FIELDS = {
	'file.imageOffset': [4, 'u32'],
	'file.version': [8, 'ascii', 8],
	'file.size': [16, 'u32'],
	'file.dittoKey': [20, 'u32'],
	'file.genericSize': [24, 'u32'],
	'file.industrySize': [28, 'u32'],
	'file.userSize': [32, 'u32'],
	'file.name': [36, 'ascii', 100],
	'file.created': [136, 'ascii', 24],
	'file.creator': [160, 'ascii', 100],
	'file.project': [260, 'ascii', 200],
	'file.copyright': [460, 'ascii', 200],
	'file.encryptionKey': [660, 'u32'],
	'image.orientation': [768, 'u16'],
	'image.elements': [770, 'u16'],
	'image.width': [772, 'u32'],
	'image.height': [776, 'u32'],
	'orientation.xOffset': [1408, 'u32'],
	'orientation.yOffset': [1412, 'u32'],
	'orientation.xCenter': [1416, 'f32'],
	'orientation.yCenter': [1420, 'f32'],
	'orientation.xOriginalSize': [1424, 'u32'],
	'orientation.yOriginalSize': [1428, 'u32'],
	'orientation.sourceName': [1432, 'ascii', 100],
	'orientation.sourceTime': [1532, 'ascii', 24],
	'orientation.device': [1556, 'ascii', 32],
	'orientation.serial': [1588, 'ascii', 32],
	'orientation.borderLeft': [1620, 'u16'],
	'orientation.borderRight': [1622, 'u16'],
	'orientation.borderTop': [1624, 'u16'],
	'orientation.borderBottom': [1626, 'u16'],
	'orientation.aspectHorizontal': [1628, 'u32'],
	'orientation.aspectVertical': [1632, 'u32'],
	'film.manufacturer': [1664, 'ascii', 2],
	'film.type': [1666, 'ascii', 2],
	'film.perfOffset': [1668, 'ascii', 2],
	'film.prefix': [1670, 'ascii', 6],
	'film.count': [1676, 'ascii', 4],
	'film.format': [1680, 'ascii', 32],
	'film.framePosition': [1712, 'u32'],
	'film.sequenceLength': [1716, 'u32'],
	'film.heldCount': [1720, 'u32'],
	'film.frameRate': [1724, 'f32'],
	'film.shutterAngle': [1728, 'f32'],
	'film.frameId': [1732, 'ascii', 32],
	'film.slate': [1764, 'ascii', 100],
	'tv.timecode': [1920, 'u32'],
	'tv.userBits': [1924, 'u32'],
	'tv.interlace': [1928, 'u8'],
	'tv.field': [1929, 'u8'],
	'tv.videoSignal': [1930, 'u8'],
	'tv.horizontalSampling': [1932, 'f32'],
	'tv.verticalSampling': [1936, 'f32'],
	'tv.frameRate': [1940, 'f32'],
	'tv.timeOffset': [1944, 'f32'],
	'tv.gamma': [1948, 'f32'],
	'tv.blackLevel': [1952, 'f32'],
	'tv.blackGain': [1956, 'f32'],
	'tv.breakPoint': [1960, 'f32'],
	'tv.whiteLevel': [1964, 'f32'],
	'tv.integrationTime': [1968, 'f32'],
	'user.id': [2048, 'ascii', 32],
} as const satisfies Record<string, DpxSpec>;

/** Fields of one image element; offsets from the element's own start. */
export const ELEMENT_FIELDS = {
	dataSign: [0, 'u32'],
	lowCode: [4, 'u32'],
	lowQuantity: [8, 'f32'],
	highCode: [12, 'u32'],
	highQuantity: [16, 'f32'],
	descriptor: [20, 'u8'],
	transfer: [21, 'u8'],
	colorimetric: [22, 'u8'],
	bits: [23, 'u8'],
	packing: [24, 'u16'],
	encoding: [26, 'u16'],
	dataOffset: [28, 'u32'],
	linePadding: [32, 'u32'],
	imagePadding: [36, 'u32'],
	description: [40, 'ascii', 32],
} as const satisfies Record<string, DpxSpec>;

/** Name of a header field. */
export type DpxField = keyof typeof DPX_FIELDS;
/** Name of an image element's field. */
export type ElementField = keyof typeof ELEMENT_FIELDS;
type ValueOf<S extends DpxSpec> = S[1] extends 'ascii' ? string : number;
/** Type of a header field's value: text or number. */
export type DpxValue<F extends DpxField> = ValueOf<(typeof DPX_FIELDS)[F]>;
/** Type of an element field's value: text or number. */
export type ElementValue<F extends ElementField> = ValueOf<(typeof ELEMENT_FIELDS)[F]>;
