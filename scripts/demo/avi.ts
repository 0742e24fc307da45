/** A minimal AVI writer (Microsoft RIFF AVI 1.0): uncompressed I420 video and 16-bit PCM, one audio chunk a frame, with an index. */

/** What goes into the file. */
export interface AviClip {
	readonly width: number;
	readonly height: number;
	/** Frames a second, whole. */
	readonly rate: number;
	/** I420 frames: Y, Cb, Cr planes, tightly packed. */
	readonly frames: readonly Uint8Array[];
	readonly sampleRate: number;
	/** Mono. */
	readonly samples: Int16Array;
}

const KEYFRAME = 0x10;

function chunk(id: string, ...parts: readonly Buffer[]): Buffer {
	const size = parts.reduce((sum, p) => sum + p.length, 0);
	const header = Buffer.alloc(8);
	header.write(id, 0, 'latin1');
	header.writeUInt32LE(size, 4);
	return Buffer.concat([header, ...parts, Buffer.alloc(size % 2)]);
}

const list = (type: string, ...parts: readonly Buffer[]): Buffer =>
	chunk('LIST', Buffer.from(type, 'latin1'), ...parts);

function words(...values: readonly number[]): Buffer {
	const buffer = Buffer.alloc(values.length * 4);
	values.forEach((value, i) => buffer.writeUInt32LE(value, i * 4));
	return buffer;
}

function streamHeader(
	type: string,
	handler: string,
	scale: number,
	rate: number,
	length: number,
	sampleSize: number,
): Buffer {
	const tail = words(0, 0, 0, scale, rate, 0, length, 0, 0xffffffff, sampleSize, 0, 0);
	return chunk('strh', Buffer.from(type + handler, 'latin1'), tail);
}

/** The bytes of an AVI file. */
export function writeAvi(clip: AviClip): Buffer {
	const frameSize = (clip.width * clip.height * 3) / 2;
	const video = list(
		'strl',
		streamHeader('vids', 'I420', 1, clip.rate, clip.frames.length, 0),
		chunk(
			'strf',
			words(40, clip.width, clip.height, 1 | (12 << 16)),
			Buffer.from('I420', 'latin1'),
			words(frameSize, 0, 0, 0, 0),
		),
	);
	const format = Buffer.alloc(16);
	format.writeUInt16LE(1, 0);
	format.writeUInt16LE(1, 2);
	format.writeUInt32LE(clip.sampleRate, 4);
	format.writeUInt32LE(clip.sampleRate * 2, 8);
	format.writeUInt16LE(2, 12);
	format.writeUInt16LE(16, 14);
	const audio = list(
		'strl',
		streamHeader('auds', '\0\0\0\0', 1, clip.sampleRate, clip.samples.length, 2),
		chunk('strf', format),
	);
	const main = chunk(
		'avih',
		words(
			Math.round(1e6 / clip.rate),
			0,
			0,
			KEYFRAME,
			clip.frames.length,
			0,
			2,
			frameSize,
			clip.width,
			clip.height,
			0,
			0,
			0,
			0,
		),
	);

	const perFrame = clip.sampleRate / clip.rate;
	const chunks: Buffer[] = [];
	const index: Buffer[] = [];
	let offset = 4;
	const add = (id: string, data: Buffer, flags: number): void => {
		const bytes = chunk(id, data);
		index.push(Buffer.concat([Buffer.from(id, 'latin1'), words(flags, offset, data.length)]));
		chunks.push(bytes);
		offset += bytes.length;
	};
	clip.frames.forEach((frame, i) => {
		add('00db', Buffer.from(frame), KEYFRAME);
		const samples = clip.samples.subarray(Math.round(i * perFrame), Math.round((i + 1) * perFrame));
		add('01wb', Buffer.from(samples.slice().buffer), KEYFRAME);
	});
	return chunk(
		'RIFF',
		Buffer.from('AVI ', 'latin1'),
		list('hdrl', main, video, audio),
		list('movi', ...chunks),
		chunk('idx1', ...index),
	);
}
