/** Recipes of clips made by native ffmpeg: arguments before the output name. Keep them small (≤ 320 px, ≤ 2 s). */

import { AUDIO_FIXTURES } from './audio-fixtures.ts';
import { DECODE_FIXTURES } from './decode-fixtures.ts';
import { PIPELINE_FIXTURES } from './pipeline-fixtures.ts';

const test = (size: string, seconds: number, rate = '24') => [
	'-f',
	'lavfi',
	'-i',
	`testsrc2=size=${size}:rate=${rate}:duration=${seconds}`,
];
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`];

/** name → ffmpeg arguments. */
export const FIXTURES: Readonly<Record<string, readonly string[]>> = {
	'h264-420-8.mp4': [
		...test('160x120', 1),
		...tone(1),
		'-c:v',
		'libx264',
		'-pix_fmt',
		'yuv420p',
		'-c:a',
		'aac',
		'-shortest',
	],
	...DECODE_FIXTURES,
	...PIPELINE_FIXTURES,
	...AUDIO_FIXTURES,
};
