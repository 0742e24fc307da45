/** Sample entries of MP4 and QuickTime: how a decoder is told about a track's codec, color and shape. */

import { codecText, containerText } from '../../core/codecs.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { EncodeConfig } from '../../contracts/media.ts';
import { primariesCode, transferCode } from '../scans/tags.ts';
import { box, f64, fullBox, u16, u32, u8, zeros } from './boxes.ts';
import { matrixCode } from './h273.ts';
import type { AudioTrack, VideoTrack } from './tracks.ts';

const VIDEO_ENTRY = { h264: 'avc1', vp9: 'vp09', av1: 'av01', prores: '', ffv1: '' } as const;
const CONFIG_BOX = { h264: 'avcC', vp9: 'vpcC', av1: 'av1C' } as const;

function configBox(video: VideoTrack): Uint8Array {
	const { codec } = video.header;
	if (codec === 'prores') return zeros(0);
	if (codec === 'ffv1') throw new EmulsionError('unsupported-format', phrase('ffv1-only'));
	// vpcC is a full box whose stored form starts after version and flags.
	return codec === 'vp9' ? fullBox('vpcC', 1, 0, video.config) : box(CONFIG_BOX[codec], video.config);
}

function colorBox(encode: EncodeConfig): Uint8Array {
	const { primaries, transfer, matrix, range } = encode.color;
	const codes = u16(primariesCode(primaries), transferCode(transfer), matrixCode(matrix));
	if (encode.container === 'mov') return box('colr', 'nclc', codes);
	return box('colr', 'nclx', codes, u8(range === 'full' ? 0x80 : 0));
}

function fieldBox(encode: EncodeConfig): Uint8Array {
	if (encode.container !== 'mov') return zeros(0);
	if (encode.fields === 'tff') return box('fiel', u8(2, 1));
	if (encode.fields === 'bff') return box('fiel', u8(2, 6));
	return encode.fields === 'progressive' ? box('fiel', u8(1, 0)) : zeros(0);
}

/** The `stsd` entry of the video track. */
export function videoEntry(encode: EncodeConfig, video: VideoTrack): Uint8Array {
	const { width, height } = encode.size;
	const { num, den } = encode.sampleAspect;
	const type = video.header.fourcc ?? VIDEO_ENTRY[video.header.codec];
	return box(
		type,
		zeros(6),
		u16(1),
		zeros(16),
		u16(width, height),
		u32(0x480000, 0x480000, 0),
		u16(1),
		zeros(32),
		u16(encode.format.alpha ? 32 : 24, 0xffff),
		configBox(video),
		colorBox(encode),
		num === den ? zeros(0) : box('pasp', u32(num, den)),
		fieldBox(encode),
	);
}

/** A descriptor of MPEG-4 systems. */
function descriptor(tag: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
	const length = parts.reduce((n, p) => n + p.length, 0);
	const size = u8(0x80 | (length >> 21), 0x80 | ((length >> 14) & 127), 0x80 | ((length >> 7) & 127), length & 127);
	const result = new Uint8Array(5 + length);
	result[0] = tag;
	result.set(size, 1);
	let at = 5;
	for (const part of parts) {
		result.set(part, at);
		at += part.length;
	}
	return result;
}

function esds(audio: AudioTrack): Uint8Array {
	const objectType = audio.header.codec === 'mp3' ? 0x6b : 0x40;
	const specific = audio.config.length > 0 ? descriptor(5, audio.config) : zeros(0);
	const decoder = descriptor(4, u8(objectType, 0x15, 0, 0, 0), u32(0, 0), specific);
	return fullBox('esds', 0, 0, descriptor(3, u16(1), u8(0), decoder, descriptor(6, u8(2))));
}

/** `dOps` from the OpusHead of Ogg and Matroska: the same fields, big-endian. */
function dOps(head: Uint8Array): Uint8Array {
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	const family = head[18] ?? 0;
	return box(
		'dOps',
		u8(0, head[9] ?? 2),
		u16(view.getUint16(10, true)),
		u32(view.getUint32(12, true)),
		u16(view.getUint16(16, true)),
		u8(family),
		family === 0 ? zeros(0) : head.subarray(19),
	);
}

/** `dfLa` from Matroska's FLAC private data (`fLaC`, then metadata blocks; only STREAMINFO is kept). */
function dfLa(config: Uint8Array): Uint8Array {
	const info = config.subarray(4, 4 + 38).slice();
	info[0] = (info[0] ?? 0) | 0x80;
	return fullBox('dfLa', 0, 0, info);
}

/** Codec, sample-size and endianness of a PCM name such as `pcm_s24le`. */
export function pcmLayout(
	codec: string,
):
	| { readonly bits: number; readonly float: boolean; readonly bigEndian: boolean; readonly signed: boolean }
	| undefined {
	const match = /^pcm_([suf])(\d+)(le|be)?$/.exec(codec);
	if (!match) return undefined;
	return {
		bits: Number(match[2]),
		float: match[1] === 'f',
		bigEndian: match[3] === 'be',
		signed: match[1] === 's',
	};
}

/** QuickTime sound description, version 2: any linear PCM. */
function lpcmEntry(audio: AudioTrack): Uint8Array {
	const { header } = audio;
	const pcm = pcmLayout(header.codec);
	if (!pcm) throw new EmulsionError('internal', `${header.codec} is no PCM`);
	const flags = (pcm.float ? 1 : 0) | (pcm.bigEndian ? 2 : 0) | (pcm.signed ? 4 : 0) | 8;
	return box(
		'lpcm',
		zeros(6),
		u16(1, 2),
		zeros(6),
		u16(3, 16, 0xfffe, 0),
		u32(0x10000, 72),
		f64(header.sampleRate),
		u32(header.channels, 0x7f000000, pcm.bits, flags, (pcm.bits / 8) * header.channels, 1),
	);
}

/** AAC in QuickTime: version 1 with the decoder's data in a `wave` box. */
function waveEntry(audio: AudioTrack): Uint8Array {
	const { sampleRate, channels } = audio.header;
	const wave = box('wave', box('frma', 'mp4a'), box('mp4a', u32(0)), esds(audio), u32(8, 0));
	const rate = sampleRate < 65536 ? sampleRate * 65536 : 0;
	return box('mp4a', zeros(6), u16(1, 1), zeros(6), u16(channels, 16, 0xfffe, 0), u32(rate, 1024, 0, 0, 2), wave);
}

function mp4Entry(type: string, audio: AudioTrack, ...boxes: Uint8Array[]): Uint8Array {
	const { sampleRate, channels } = audio.header;
	const rate = sampleRate < 65536 ? sampleRate * 65536 : 0;
	return box(type, zeros(6), u16(1), zeros(8), u16(channels, 16, 0, 0), u32(rate), ...boxes);
}

/** The `stsd` entry of the audio track. Throws `unsupported-format` for codecs without one. */
export function audioEntry(encode: EncodeConfig, audio: AudioTrack): Uint8Array {
	const { codec } = audio.header;
	if (pcmLayout(codec)) return lpcmEntry(audio);
	if (codec === 'aac') return encode.container === 'mov' ? waveEntry(audio) : mp4Entry('mp4a', audio, esds(audio));
	if (codec === 'mp3') return mp4Entry('mp4a', audio, esds(audio));
	if (codec === 'opus') return mp4Entry('Opus', audio, dOps(audio.config));
	if (codec === 'flac') return mp4Entry('fLaC', audio, dfLa(audio.config));
	throw new EmulsionError(
		'unsupported-format',
		phrase('audio-container', { codec: codecText(codec), container: containerText(encode.container) }),
	);
}
