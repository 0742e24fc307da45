import type { StageMeta } from '../../contracts/stage.ts';

/** Parameters of `interpolate`: default, range and unit of each, written once. */
export const params = {
	factor: {
		type: 'number',
		default: 2,
		min: 1,
		max: 16,
		step: 0.5,
		unit: '×',
		doc: 'Output frames for each input frame; not used where a target rate is given.',
	},
	rate: {
		type: 'text',
		default: '',
		pattern: '\\d{1,6}(?:/\\d{1,6}|\\.\\d{1,3})?',
		expected: 'a rate such as 60 or 60000/1001',
		unit: 'fps',
		doc: 'Target rate; overrides the factor.',
	},
	slow: {
		type: 'number',
		default: 1,
		min: 1,
		max: 16,
		step: 0.25,
		unit: '×',
		doc: 'Slow motion: duration of the output divided by that of the input.',
	},
	still: {
		type: 'number',
		default: 0.3,
		min: 0,
		max: 4,
		step: 0.05,
		unit: '8-bit code values',
		doc: 'Mean difference of the source’s frames below which they count as the same picture: they are repeated, not interpolated; 0 compares none, so that planning reads no picture.',
	},
	scale: {
		type: 'number',
		default: 1024,
		min: 256,
		max: 4096,
		step: 64,
		unit: 'px',
		doc: 'Longest side at which motion is estimated; warping always runs at full size.',
	},
	denoised: {
		type: 'boolean',
		default: true,
		unit: '',
		doc: 'Estimates motion on denoised copies where the film is grainy, and applies it to the film’s own grain.',
	},
} as const satisfies StageMeta['params'];

/** Creates frames between frames by optical flow: RIFE 4.25. */
export const meta: StageMeta<typeof params> = {
	id: 'interpolate',
	version: 2,
	label: 'Interpolate',
	doc: 'Creates frames between frames by optical flow (RIFE), at exact timesteps and never across a cut.',
	order: 100,
	params,
	models: ['rife', 'ffdnet'],
	changesTimeline: true,
	changesSize: false,
	provenance: 'generated',
	views: [],
};
