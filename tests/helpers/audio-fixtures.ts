/** Clips with a flash and a beep at the same moment (t = 1 s), in the shapes in which audio and picture drift apart. */

/** Twelve seconds with the flash at 10.52 s: long enough that a late range is reached by seeking. */
const long = [
	...[
		'-f',
		'lavfi',
		'-i',
		"color=black:s=64x48:r=25:d=12,drawbox=c=white:t=fill:enable='between(n,263,263)',format=yuv420p",
	],
	...['-f', 'lavfi', '-i', "aevalsrc='if(between(t,10.52,10.56),0.8*sin(2*PI*1000*t),0)':s=48000:d=12"],
];
const flash = [
	...[
		'-f',
		'lavfi',
		'-i',
		"color=black:s=64x48:r=25:d=2,drawbox=c=white:t=fill:enable='between(n,25,25)',format=yuv420p",
	],
	...['-f', 'lavfi', '-i', "aevalsrc='if(between(t,1,1.04),0.8*sin(2*PI*1000*t),0)':s=48000:d=2"],
];
/** The sound starts 0.4 s before the picture: the flash is seen 0.4 s after the beep is heard. */
const early = [
	...flash,
	...['-filter_complex', '[0:v]setpts=PTS+0.4/TB[v]', '-map', '[v]', '-map', '1:a', '-fps_mode', 'passthrough'],
];
const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2'];

/** name → ffmpeg arguments. */
export const AUDIO_FIXTURES: Readonly<Record<string, readonly string[]>> = {
	'flash-aac.mp4': [...flash, ...h264, '-c:a', 'aac', '-b:a', '128k'],
	'flash-aac.mkv': [...flash, ...h264, '-c:a', 'aac', '-b:a', '128k'],
	'flash-pcm.mov': [...flash, ...h264, '-c:a', 'pcm_s16le'],
	'flash-opus.mkv': [...flash, ...h264, '-c:a', 'libopus'],
	'flash-long-aac.mp4': [...long, ...h264, '-c:a', 'aac', '-b:a', '128k'],
	'flash-long-pcm.mov': [...long, ...h264, '-c:a', 'pcm_s16le'],
	'flash-aac.ts': [...flash, ...h264, '-c:a', 'aac', '-b:a', '128k', '-f', 'mpegts'],
	// Sound that outlasts the picture by half a second.
	'flash.mpg': [...flash, '-af', 'apad=pad_dur=0.5', '-c:v', 'mpeg2video', '-c:a', 'ac3', '-f', 'vob'],
	'flash-early.mkv': [...early, ...h264, '-c:a', 'flac'],
	'flash-early.mp4': [...early, ...h264, '-c:a', 'aac', '-b:a', '128k'],
	/** 55 MB as PCM. */
	'much-sound.mkv': [
		...['-f', 'lavfi', '-i', 'color=black:s=64x48:r=1:d=12'],
		...['-f', 'lavfi', '-i'],
		`aevalsrc='${Array.from({ length: 8 }, (_, i) => `0.${i + 1}*sin(${2000 + 300 * i}*t)`).join('|')}':s=192000:c=7.1:d=12`,
		...['-c:v', 'ffv1', '-c:a', 'flac', '-sample_fmt', 's32', '-strict', '-2', '-compression_level', '0'],
	],
	'flash-late.mkv': [
		...flash,
		...['-filter_complex', '[1:a]atrim=start=0.5[a]', '-map', '0:v', '-map', '[a]'],
		...[...h264, '-c:a', 'flac'],
	],
};
