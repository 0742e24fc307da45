/**
 * Clips for the decoding tests: for each, a reference by native ffmpeg (`<name>.md5`: framemd5 of the same planes with exact
 * times). Node only.
 */

import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATA_DIR } from './data.ts';

const DIR = resolve(dirname(fileURLToPath(import.meta.url)), '../../.cache/fixtures');

const picture = (size: string, frames: number, rate = '24') => [
	'-f',
	'lavfi',
	'-i',
	`testsrc2=size=${size}:rate=${rate},trim=end_frame=${frames}`,
];
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`];
const video = (codec: string, pixFmt: string, ...more: string[]) => ['-c:v', codec, '-pix_fmt', pixFmt, ...more];
const small = picture('64x48', 8);
const h264 = (...more: string[]) => video('libx264', 'yuv420p', '-preset', 'veryfast', ...more);

/** name → [planes to compare in (ffmpeg's name), ffmpeg arguments]. */
const CLIPS: Readonly<Record<string, readonly [string, readonly string[]]>> = {
	'd-h264-b.mp4': ['yuv420p', [...picture('160x120', 50), ...h264('-g', '12', '-bf', '3')]],
	'd-h264-open.mkv': [
		'yuv420p',
		[...picture('96x64', 40), ...h264('-g', '10', '-bf', '2', '-x264-params', 'open-gop=1:scenecut=0')],
	],
	'd-h264-hi10.mp4': ['yuv420p10le', [...small, ...video('libx264', 'yuv420p10le')]],
	'd-h264-422.mp4': ['yuv422p', [...small, ...video('libx264', 'yuv422p')]],
	'd-h264-444.mp4': ['yuv444p', [...small, ...video('libx264', 'yuv444p')]],
	'd-odd.webm': [
		'yuv420p',
		[
			...picture('64x48', 5),
			'-vf',
			'format=yuv444p,crop=63:47,format=yuv420p',
			...video('libvpx-vp9', 'yuv420p', '-crf', '20', '-b:v', '0'),
		],
	],
	'd-odd.mkv': [
		'yuv420p',
		[...picture('64x48', 3), '-vf', 'format=yuv444p,crop=63:47,format=yuv420p', ...video('ffv1', 'yuv420p')],
	],
	'd-vp9.webm': ['yuv420p', [...picture('96x64', 24), ...video('libvpx-vp9', 'yuv420p', '-b:v', '200k', '-g', '12')]],
	'd-vp8.webm': [
		'yuv420p',
		[
			...picture('96x64', 30),
			...video('libvpx', 'yuv420p', '-b:v', '100k', '-auto-alt-ref', '1', '-lag-in-frames', '10'),
		],
	],
	'd-hevc10.mkv': ['yuv420p10le', [...small, ...video('libx265', 'yuv420p10le', '-x265-params', 'log-level=none')]],
	'd-prores.mov': [
		'yuv422p10le',
		[...small, ...video('prores_ks', 'yuv422p10le', '-profile:v', '3', '-timecode', '01:00:00:00')],
	],
	'd-prores4444.mov': [
		'yuva444p12le',
		[...picture('64x48', 3), ...video('prores_ks', 'yuva444p10le', '-profile:v', '4444')],
	],
	'd-dnxhr.mxf': ['yuv422p', [...picture('256x120', 4), ...video('dnxhd', 'yuv422p', '-profile:v', 'dnxhr_hq')]],
	'd-dnxhr10.mxf': [
		'yuv422p10le',
		[...picture('256x120', 3), ...video('dnxhd', 'yuv422p10le', '-profile:v', 'dnxhr_hqx')],
	],
	'd-ffv1-10.mkv': ['yuv422p10le', [...small, ...video('ffv1', 'yuv422p10le', '-level', '3')]],
	'd-ffv1-rgb.mkv': ['gbrp', [...picture('64x48', 3), ...video('ffv1', 'bgr0')]],
	'd-ffv1-rgb12.mkv': ['gbrp12le', [...picture('64x48', 3), ...video('ffv1', 'gbrp12le')]],
	'd-ffv1-16.mkv': ['yuv444p16le', [...picture('64x48', 3), ...video('ffv1', 'yuv444p16le')]],
	'd-ffv1-gray.mkv': ['gray', [...picture('64x48', 3), ...video('ffv1', 'gray')]],
	'd-mpeg2i.mpg': [
		'yuv420p',
		[
			...picture('128x96', 20, '25'),
			...video('mpeg2video', 'yuv420p', '-flags', '+ildct+ilme', '-top', '1', '-g', '10', '-bf', '2', '-b:v', '2M'),
		],
	],
	'd-mbaff.ts': [
		'yuv420p',
		[...picture('128x96', 20, '25'), ...h264('-flags', '+ildct+ilme', '-bf', '2', '-g', '10', '-f', 'mpegts')],
	],
	'd-dv.avi': ['yuv420p', [...picture('720x576', 2, '25'), ...video('dvvideo', 'yuv420p')]],
	'd-v210.mov': ['yuv422p10le', [...picture('64x48', 3), ...video('v210', 'yuv422p10le')]],
	'd-huffyuv.avi': ['yuv422p', [...small, ...video('huffyuv', 'yuv422p')]],
	'd-huffrgb.avi': ['gbrp', [...picture('64x48', 3), ...video('huffyuv', 'rgb24')]],
	'd-uyvy.mov': ['yuv422p', [...picture('64x48', 3), ...video('rawvideo', 'uyvy422')]],
	'd-mjpeg.avi': ['yuvj420p', [...small, ...video('mjpeg', 'yuvj420p', '-q:v', '3')]],
	'd-one-pixel.mkv': [
		'yuv444p',
		[...picture('16x16', 3), '-vf', 'format=yuv444p,crop=1:1', ...video('ffv1', 'yuv444p')],
	],
	'd-vfr.mp4': [
		'yuv420p',
		[
			...picture('96x64', 24),
			'-vf',
			"select='not(eq(mod(n,5),3))*not(eq(mod(n,7),2))'",
			'-vsync',
			'vfr',
			...h264('-bf', '2'),
		],
	],
	'd-edit.mp4': ['yuv420p', ['-ss', '0.65', '-i', resolve(DIR, 'd-h264-b.mp4'), '-c', 'copy']],
	'd-rotated.mp4': [
		'yuv420p',
		['-i', resolve(DIR, 'd-h264-b.mp4'), '-c', 'copy', '-metadata:s:v:0', 'rotate=90', '-frames:v', '10'],
	],
	'd-tagged.mov': [
		'yuv422p10le',
		[
			...picture('64x48', 2),
			'-vf',
			'setparams=range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc',
			...video('prores_ks', 'yuv422p10le'),
		],
	],
	'd-full.mkv': [
		'yuv420p',
		[...picture('64x48', 2), '-vf', 'scale=out_range=full', ...video('ffv1', 'yuv420p', '-color_range', 'pc')],
	],
	'd-two-audio.mkv': [
		'yuv420p',
		[
			...picture('64x48', 24),
			...tone(1),
			...tone(1),
			'-map',
			'0:v',
			'-map',
			'1:a',
			'-map',
			'2:a',
			...h264(),
			'-c:a',
			'pcm_s16le',
			'-metadata:s:a:1',
			'language=deu',
		],
	],
	'd-av1.mp4': [
		'yuv420p',
		[...picture('96x64', 12), ...video('libaom-av1', 'yuv420p', '-cpu-used', '8', '-crf', '40', '-g', '6')],
	],
	'd-mpeg4.avi': ['yuv420p', [...picture('96x64', 20), ...video('mpeg4', 'yuv420p', '-bf', '2', '-g', '10')]],
	'd-raw.m2v': [
		'yuv420p',
		[...picture('96x64', 12, '24'), ...video('mpeg2video', 'yuv420p', '-bf', '0', '-f', 'mpeg2video')],
	],
	'd-raw.h264': ['yuv420p', [...picture('96x64', 12, '25'), ...h264('-bf', '2', '-f', 'h264')]],
};

/** Clips without a reference: broken on purpose, or too long to compare. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
	'd-audio-only.m4a': [...tone(1), '-c:a', 'aac', '-f', 'mp4'],
	'd-encrypted.mp4': [
		...small,
		...h264(
			'-encryption_scheme',
			'cenc-aes-ctr',
			'-encryption_key',
			'76a6c65c5ea762046bd749a2e632ccbb',
			'-encryption_kid',
			'a7e61c373e219033c21091fa607bf3b8',
		),
	],
	'd-pal8.mov': [...picture('64x48', 2), ...video('png', 'pal8')],
	// Indices, then 256 colors of four bytes (B, G, R, A), a frame.
	'd-pal8.raw': ['-i', resolve(DIR, 'd-pal8.mov'), '-f', 'rawvideo'],
	'd-small.ts': [
		...picture('128x96', 30, '25'),
		...video('mpeg2video', 'yuv420p', '-g', '10', '-bf', '2', '-f', 'mpegts'),
	],
	'd-large.ts': [
		...picture('160x112', 10, '25'),
		...video('mpeg2video', 'yuv420p', '-output_ts_offset', '10', '-f', 'mpegts'),
	],
	'd-8192.avi': [
		'-f',
		'lavfi',
		'-i',
		'color=gray:size=8192x8192:rate=24,trim=end_frame=1',
		...video('mjpeg', 'yuvj420p', '-threads', '1'),
	],
	// Media data is found relative to its fragment, so that a test may push it beyond 4 GiB.
	'd-fragmented.mp4': [...small, ...h264('-movflags', 'frag_keyframe+empty_moov+default_base_moof+skip_trailer')],
	// 21 places, 6 pictures: the muxer writes places without bytes for the others.
	'd-repeats.avi': [
		...[
			'-f',
			'lavfi',
			'-i',
			"testsrc2=size=64x48:rate=24,trim=end_frame=24,select='not(mod(n,4))'",
			'-fps_mode',
			'vfr',
		],
		...video('mjpeg', 'yuvj420p', '-q:v', '3'),
	],
	'd-no-frames.mp4': [
		'-f',
		'lavfi',
		'-i',
		'testsrc2=size=64x48:rate=24',
		'-frames:v',
		'0',
		'-c:v',
		'libx264',
		'-f',
		'mp4',
	],
	'd-no-frames.mkv': [
		...['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=24', '-frames:v', '0', '-c:v', 'ffv1', '-f', 'matroska'],
	],
	'd-faststart.mp4': [...picture('160x120', 30), ...h264('-movflags', 'faststart')],
	'd-ntsc.m2v': [
		...picture('96x64', 12, '30000/1001'),
		...video('mpeg2video', 'yuv420p', '-bf', '0', '-g', '12', '-f', 'mpeg2video'),
	],
	'd-h264-640.mp4': [...picture('640x360', 240), ...h264('-g', '48', '-bf', '2')],
};

function reference(name: string, pixFmt: string, recipe: readonly string[]): readonly string[] {
	return [
		...[
			'-copyts',
			'-noautorotate',
			'-i',
			resolve(DIR, name),
			'-map',
			'0:v:0',
			'-vsync',
			'passthrough',
			'-enc_time_base',
			'-1',
		],
		// The recipe is named so that the reference is made anew with its clip.
		...['-pix_fmt', pixFmt, '-metadata', `comment=${JSON.stringify(recipe)}`, '-f', 'framemd5'],
	];
}

const NASTY = ['annex-b-avc.mkv', 'cursed-vfr.mp4', 'rotate-buck-bunny.mp4', 'sar_2x1.mp4', 'video-h265.mp4'];

/** References of external files: packets of the whole film, planes of its first frames. */
function nasty(): Record<string, readonly string[]> {
	if (DATA_DIR === undefined) return {};
	const dir = resolve(DATA_DIR, 'video/nasty');
	const planes = ['-vsync', 'passthrough', '-enc_time_base', '-1', '-frames:v', '4'];
	return Object.fromEntries(
		NASTY.flatMap((name) => [
			[`nasty-${name}.packets`, ['-copyts', '-i', resolve(dir, name), '-map', '0:v:0', '-c', 'copy', '-f', 'framemd5']],
			[
				`nasty-${name}.md5`,
				['-copyts', '-noautorotate', '-i', resolve(dir, name), '-map', '0:v:0', ...planes, '-f', 'framemd5'],
			],
		]),
	);
}

/** For `fixture-list.ts`. */
export const DECODE_FIXTURES: Readonly<Record<string, readonly string[]>> = {
	...Object.fromEntries(Object.entries(CLIPS).map(([name, [, args]]) => [name, args])),
	...OTHERS,
	...nasty(),
	...Object.fromEntries(
		Object.entries(CLIPS).map(([name, [pixFmt, args]]) => [`${name}.md5`, reference(name, pixFmt, args)]),
	),
};
