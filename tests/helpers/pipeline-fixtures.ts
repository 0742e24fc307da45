/** Clips of the pipeline's tests: losslessly coded, so that every plane can be compared bit by bit. */

/** A moving picture with noise of all depths: `testsrc2` alone has few codes. */
const noisy = (size: string, frames: number) => [
	'-f',
	'lavfi',
	'-i',
	`testsrc2=size=${size}:rate=24,noise=alls=12:allf=t,trim=end_frame=${frames}`,
];
const tone = (frames: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${frames / 24}`];
const ffv1 = (pixelFormat: string) => ['-pix_fmt', pixelFormat, '-c:v', 'ffv1', '-level', '3', '-slicecrc', '1'];

/** Two pictures with a hard cut between them: frames 0–9 and 10–19. */
const cut = [
	'-f',
	'lavfi',
	'-i',
	'testsrc2=size=64x48:rate=24,trim=end_frame=10[a];mandelbrot=size=64x48:rate=24,trim=end_frame=10[b];[a]format=yuv444p[c];[b]format=yuv444p[d];[c][d]concat=n=2:v=1:a=0',
];

/** Gray with grain that is new in every frame, the same in every clip made of it. */
const grain = [
	'-f',
	'lavfi',
	'-i',
	'color=0x808080:size=160x112:rate=24,noise=alls=24:allf=t:all_seed=7,trim=end_frame=14',
];

/** name → ffmpeg arguments. */
export const PIPELINE_FIXTURES: Readonly<Record<string, readonly string[]>> = {
	'p-420-8.mkv': [...noisy('64x48', 24), ...tone(24), ...ffv1('yuv420p'), '-c:a', 'pcm_s16le'],
	'p-422-10.mkv': [...noisy('64x48', 12), ...ffv1('yuv422p10le')],
	'p-444-8.mkv': [...noisy('64x48', 12), ...ffv1('yuv444p')],
	'p-444-12.mkv': [...noisy('64x48', 12), ...ffv1('yuv444p12le')],
	'p-rgb-8.mkv': [...noisy('64x48', 12), '-pix_fmt', 'bgr0', '-c:v', 'ffv1', '-level', '3'],
	'p-rgb-12.mkv': [...noisy('64x48', 12), ...ffv1('gbrp12le')],
	'p-444-16.mkv': [...noisy('64x48', 12), ...ffv1('yuv444p16le')],
	// For exports of several chunks.
	'p-long.mkv': [...noisy('64x48', 120), ...ffv1('yuv420p')],
	// A version and a review clip of it.
	'p-grain.mkv': [...grain, ...ffv1('yuv420p')],
	'p-grain-lossy.mp4': [...grain, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-crf', '34'],
	'p-cut.mkv': [...cut, ...ffv1('yuv444p')],
};
