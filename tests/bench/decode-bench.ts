/** Decode rates of both engines against what the decoder alone does, in the same run on the same machine. */

import { ALL_FORMATS, BlobSource, EncodedPacketSink, Input } from 'mediabunny';
import { frameBytes } from '../../src/core/color.ts';
import type { DecodeEngine } from '../../src/contracts/media.ts';
import { runCore } from '../../src/media/ffmpeg/core/core.ts';
import { FrameRing } from '../../src/media/ffmpeg/core/rings.ts';
import { openSource } from '../../src/media/source.ts';

/** Frames a second, and ours ÷ bare. */
export interface DecodeRates {
	readonly frames: number;
	/** ffmpeg.wasm to frames of our own: planes copied out of the ring, with times. */
	readonly ffmpeg: number;
	/** ffmpeg.wasm to planes in the ring, with times, given back unread. */
	readonly ffmpegRing: number;
	/** The same core with `-f null`. */
	readonly ffmpegBare: number;
	/** `ffmpegRing` ÷ `ffmpegBare`. */
	readonly ffmpegRatio: number;
	/** WebCodecs to planes, 0 where the file is not for it. */
	readonly webcodecs: number;
	/** A VideoDecoder loop that drops its frames. */
	readonly webcodecsBare: number;
	/** The same loop with `copyTo` into a new buffer. */
	readonly webcodecsCopy: number;
	/** `webcodecs` ÷ `webcodecsBare`. */
	readonly webcodecsRatio: number;
}

const never = new AbortController().signal;

async function ours(file: File, engine: DecodeEngine): Promise<{ frames: number; bytes: number; seconds: number }> {
	const source = await openSource(
		{ kind: 'file', files: [{ path: file.name, file }], engine },
		() => undefined,
		never,
		{
			webcodecs: { hardwareAcceleration: 'prefer-software' },
		},
	);
	try {
		const since = performance.now();
		let frames = 0;
		const bytes = frameBytes(source.info.format, source.info.size);
		for await (const _ of source.frames({ start: 0, end: source.info.frames.length }, never)) frames++;
		return { frames, bytes, seconds: (performance.now() - since) / 1000 };
	} finally {
		await source.close();
	}
}

/** Starts a worker as ours does, so that only what is done with the frames differs. */
async function core(file: File, bytes: number, toRing: boolean): Promise<number> {
	const started = performance.now();
	const ring = FrameRing.create(bytes);
	const out = toRing ? ['-vf', 'showinfo=checksum=0', '-f', 'rawvideo', '/dev/frames/out'] : ['-f', 'null', '-'];
	await runCore(
		{
			tool: 'ffmpeg',
			args: ['-nostats', '-i', '/in/source', '-map', '0:v:0', '-fps_mode', 'passthrough', ...out],
			inputs: [{ kind: 'blob', path: '/in/source', blob: file }],
			outputs: toRing ? [{ kind: 'frames', path: '/dev/frames/out', buffer: ring.buffer, frameBytes: bytes }] : [],
			showinfo: toRing,
		},
		{
			onFrame: () => {
				ring.release();
			},
		},
	);
	return (performance.now() - started) / 1000;
}

async function bareDecoder(file: File, copy: boolean): Promise<number> {
	using input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
	const track = (await input.getVideoTracks())[0];
	const config = await track?.getDecoderConfig();
	if (!track || !config) return Infinity;
	const since = performance.now();
	const decoder = new VideoDecoder({
		output: (frame) => {
			if (!copy) frame.close();
			else
				void frame.copyTo(new ArrayBuffer(frame.allocationSize())).finally(() => {
					frame.close();
				});
		},
		error: (cause) => {
			throw cause;
		},
	});
	decoder.configure({ ...config, hardwareAcceleration: 'prefer-software' });
	for await (const packet of new EncodedPacketSink(track).packets()) {
		decoder.decode(packet.toEncodedVideoChunk());
		while (decoder.decodeQueueSize > 16)
			await new Promise((resolve) => decoder.addEventListener('dequeue', resolve, { once: true }));
	}
	await decoder.flush();
	decoder.close();
	return (performance.now() - since) / 1000;
}

/** Measures a file; each figure is the best of `rounds`, taken in turn so that a busy moment hits all alike. */
export async function benchDecode(file: File, rounds = 3): Promise<DecodeRates> {
	const best = {
		ffmpeg: Infinity,
		ring: Infinity,
		ffmpegBare: Infinity,
		webcodecs: Infinity,
		webcodecsBare: Infinity,
		copy: Infinity,
	};
	let frames = 0;
	for (let round = 0; round < rounds; round++) {
		const own = await ours(file, 'ffmpeg');
		frames = own.frames;
		best.ffmpeg = Math.min(best.ffmpeg, own.seconds);
		best.ring = Math.min(best.ring, await core(file, own.bytes, true));
		best.ffmpegBare = Math.min(best.ffmpegBare, await core(file, own.bytes, false));
		best.webcodecs = Math.min(best.webcodecs, (await ours(file, 'webcodecs')).seconds);
		best.webcodecsBare = Math.min(best.webcodecsBare, await bareDecoder(file, false));
		best.copy = Math.min(best.copy, await bareDecoder(file, true));
	}
	return {
		frames,
		ffmpeg: frames / best.ffmpeg,
		ffmpegRing: frames / best.ring,
		ffmpegBare: frames / best.ffmpegBare,
		ffmpegRatio: best.ffmpegBare / best.ring,
		webcodecs: frames / best.webcodecs,
		webcodecsBare: frames / best.webcodecsBare,
		webcodecsCopy: frames / best.copy,
		webcodecsRatio: best.webcodecsBare / best.webcodecs,
	};
}
