/** Ownership of working frames and their form outside of the GPU. */

import type { Compute, CpuPicture, Picture } from '../contracts/compute.ts';
import type { WorkingFrame } from '../contracts/stage.ts';
import type { ColorTags } from '../core/color.ts';

/** Names of side planes. */
export type SideName = keyof WorkingFrame['sides'];
const SIDES: readonly SideName[] = ['provenance', 'matte', 'residual'];

/** All pictures of a frame, the main one first. */
export function picturesOf(frame: WorkingFrame): Picture[] {
	return [frame.picture, ...SIDES.flatMap((name) => frame.sides[name] ?? [])];
}

/** One more owner of every picture; returns the frame. */
export function retainFrame(frame: WorkingFrame): WorkingFrame {
	for (const picture of picturesOf(frame)) picture.retain();
	return frame;
}

/** One owner less of every picture. */
export function releaseFrame(frame: WorkingFrame): void {
	for (const picture of picturesOf(frame)) picture.release();
}

/** Bytes a frame holds in its tier. */
export function frameWeight(frame: WorkingFrame): number {
	return picturesOf(frame).reduce((sum, p) => sum + p.words * 4, 0);
}

/** Description of one plane group inside packed bytes. */
interface StoredPlane {
	readonly name: 'picture' | SideName;
	readonly width: number;
	readonly height: number;
	readonly channels: number;
}

/** What a packed frame's bytes are: plain JSON. */
export interface StoredFrameMeta {
	readonly planes: readonly StoredPlane[];
	readonly color: ColorTags;
}

/** A frame outside of the GPU: exact float32 values of all planes, one after another. */
export interface StoredFrame {
	readonly meta: StoredFrameMeta;
	readonly data: Uint8Array<ArrayBuffer>;
}

/** Copies a frame out of the backend. The frame stays the caller's. */
export async function packFrame(frame: WorkingFrame, compute: Compute): Promise<StoredFrame> {
	const named: (readonly ['picture' | SideName, Picture])[] = [['picture', frame.picture]];
	for (const name of SIDES) {
		const side = frame.sides[name];
		if (side) named.push([name, side]);
	}
	const planes = named.map(([name, p]) => ({ name, width: p.width, height: p.height, channels: p.channels }));
	const sizes = planes.map((p) => p.width * p.height * p.channels * 4);
	const data = new Uint8Array(sizes.reduce((sum, n) => sum + n, 0));
	let at = 0;
	for (const [i, [, picture]] of named.entries()) {
		const bytes = new Uint8Array(await compute.readback(picture), 0, sizes[i]);
		data.set(bytes, at);
		at += bytes.length;
	}
	return { meta: { planes, color: frame.color }, data };
}

function isMeta(value: unknown): value is StoredFrameMeta {
	if (typeof value !== 'object' || value === null) return false;
	const { planes, color } = value as Partial<StoredFrameMeta>;
	return Array.isArray(planes) && planes.length > 0 && planes[0]?.name === 'picture' && typeof color === 'object';
}

/** Uploads a packed frame; undefined when the description does not fit the bytes. The caller owns the result. */
export function unpackFrame(meta: unknown, data: Uint8Array<ArrayBuffer>, compute: Compute): WorkingFrame | undefined {
	if (!isMeta(meta)) return undefined;
	const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
	const total = meta.planes.reduce((sum, p) => sum + p.width * p.height * p.channels, 0);
	if (total !== values.length) return undefined;
	const pictures = new Map<StoredPlane['name'], Picture>();
	let at = 0;
	for (const { name, width, height, channels } of meta.planes) {
		const cpu: CpuPicture = { width, height, channels, data: values.slice(at, (at += width * height * channels)) };
		pictures.set(name, compute.uploadPicture(cpu.data as Float32Array<ArrayBuffer>, width, height, channels));
	}
	const picture = pictures.get('picture');
	if (!picture) return undefined;
	const sides: Partial<Record<SideName, Picture>> = {};
	for (const name of SIDES) {
		const side = pictures.get(name);
		if (side) sides[name] = side;
	}
	return { picture, sides, color: meta.color };
}
