/** Names of codecs and containers as the field says them, by ffmpeg's ids. */

import { phrase, type Text } from './phrases.ts';

/** Names that are the same in every language. */
const CODEC_NAMES: Readonly<Record<string, string>> = {
	// pictures
	...{ h261: 'H.261', h263: 'H.263', h264: 'H.264', hevc: 'HEVC (H.265)', vvc: 'VVC (H.266)' },
	...{ vp6: 'VP6', vp6f: 'VP6', vp8: 'VP8', vp9: 'VP9', av1: 'AV1', theora: 'Theora', vc1: 'VC-1' },
	...{ mpeg1video: 'MPEG-1', mpeg2video: 'MPEG-2', mpeg4: 'MPEG-4 Part 2', msmpeg4v3: 'MS MPEG-4 v3' },
	...{
		wmv1: 'WMV 7',
		wmv2: 'WMV 8',
		wmv3: 'WMV 9',
		flv1: 'Sorenson Spark',
		svq1: 'Sorenson Video',
		svq3: 'Sorenson Video 3',
	},
	...{
		prores: 'ProRes',
		'prores-422hq': 'ProRes 422 HQ',
		'prores-4444': 'ProRes 4444',
		dnxhd: 'DNxHD/HR',
		cfhd: 'CineForm',
	},
	...{ dvvideo: 'DV', mjpeg: 'Motion JPEG', jpeg2000: 'JPEG 2000', cinepak: 'Cinepak', qtrle: 'QuickTime Animation' },
	...{
		ffv1: 'FFV1',
		huffyuv: 'HuffYUV',
		ffvhuff: 'FFVHuff',
		utvideo: 'Ut Video',
		magicyuv: 'MagicYUV',
		lagarith: 'Lagarith',
	},
	...{ v210: 'v210', v308: 'v308', v408: 'v408', v410: 'v410', r210: 'r210', y41p: 'Y41P', gif: 'GIF', apng: 'APNG' },
	...{ dpx: 'DPX', cineon: 'Cineon', png: 'PNG', tiff: 'TIFF', exr: 'OpenEXR' },
	// sound
	...{ aac: 'AAC', mp1: 'MPEG-1 Layer I', mp2: 'MPEG-1 Layer II', mp3: 'MP3', ac3: 'AC-3', eac3: 'E-AC-3', dts: 'DTS' },
	...{ truehd: 'TrueHD', opus: 'Opus', vorbis: 'Vorbis', flac: 'FLAC', alac: 'Apple Lossless', wmav2: 'WMA 2' },
	...{ pcm_alaw: 'G.711 A-law', pcm_mulaw: 'G.711 µ-law', adpcm_ima_qt: 'IMA ADPCM', adpcm_ms: 'MS ADPCM' },
};

/** Names of containers, the same in every language. */
const CONTAINER_NAMES: Readonly<Record<string, string>> = {
	...{ mov: 'QuickTime/MP4', mp4: 'MP4', matroska: 'Matroska', mkv: 'Matroska', webm: 'WebM', avi: 'AVI', mxf: 'MXF' },
	...{ mpeg: 'MPEG-PS', mpegts: 'MPEG-TS', ogg: 'Ogg', asf: 'ASF', flv: 'FLV', dv: 'DV', gif: 'GIF' },
};

/**
 * Codecs of pictures made for delivery: at their usual rates they take grain off and leave blocks. Codecs of production (ProRes, DNxHR,
 * CineForm, JPEG 2000) are lossy too, and keep it.
 */
const DELIVERY: ReadonlySet<string> = new Set([
	...[
		'h261',
		'h263',
		'h264',
		'hevc',
		'vvc',
		'vp6',
		'vp6f',
		'vp8',
		'vp9',
		'av1',
		'theora',
		'vc1',
		'cinepak',
		'mjpeg',
		'dvvideo',
	],
	...['mpeg1video', 'mpeg2video', 'mpeg4', 'msmpeg4v3', 'wmv1', 'wmv2', 'wmv3', 'flv1', 'svq1', 'svq3'],
]);

/**
 * A codec's name, as data: `h264` → `H.264`, `pcm_s24le` → `PCM 24 bit`. Of one that has no name here the id itself.
 * @param id ffmpeg's name of a decoder, or one of ours of an encoder; undefined where a file does not say.
 */
export function codecText(id: string | undefined): Text {
	if (id === undefined || id === '' || id === 'unknown') return phrase('codec-unknown');
	if (id === 'rawvideo') return phrase('codec-raw');
	if (Object.hasOwn(CODEC_NAMES, id)) return CODEC_NAMES[id]!;
	const [, kind, depth] = /^pcm_([suf])(\d+)/.exec(id) ?? [];
	if (depth !== undefined) return phrase(kind === 'f' ? 'codec-pcm-float' : 'codec-pcm', { depth });
	return id;
}

/** A container's name: `mov` → `QuickTime/MP4`; of image sequences and bare streams the codec's. */
export function containerText(id: string): Text {
	return Object.hasOwn(CONTAINER_NAMES, id) ? CONTAINER_NAMES[id]! : codecText(id);
}

/** True of a picture codec made for delivery, which may have taken grain off and left blocks. */
export function isDeliveryCodec(id: string): boolean {
	return DELIVERY.has(id);
}
