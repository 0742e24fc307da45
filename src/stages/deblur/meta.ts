import type { StageMeta } from '../../contracts/stage.ts';

/** Parameters of `deblur`: default, range and unit of each, written once. */
export const params = {
	cause: {
		type: 'enum',
		default: 'auto',
		values: [
			{
				value: 'auto',
				doc: 'Looks for the cause in each shot and says it; a shot found sharp, or soft by storage, copying, scanning or a codec, is left as it is.',
			},
			{ value: 'defocus', doc: 'A lens out of focus: a disk.' },
			{ value: 'soft', doc: 'Softness of optics and printing: a Gaussian.' },
			{ value: 'motion', doc: 'Straight motion while the shutter was open: a line.' },
		],
		unit: '',
		doc: 'What blurred the picture.',
	},
	size: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: 0.3,
		max: 24,
		step: 0.1,
		unit: 'px',
		doc: 'Radius of the disk, standard deviation of the Gaussian or length of the line; auto estimates it in each shot.',
	},
	angle: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: 0,
		max: 180,
		step: 1,
		unit: '°',
		doc: 'Direction of motion, clockwise from level; auto estimates it in each shot.',
	},
	edge: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: -0.9,
		max: 0.9,
		step: 0.05,
		unit: '',
		doc: 'Rim of the disk: below 0 darker than its middle, above 0 brighter; auto estimates it in each shot.',
	},
	noise: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: 0,
		max: 30,
		step: 0.1,
		unit: '8-bit code values',
		doc: 'Standard deviation of the grain; auto measures it in each shot. Too little makes grain into detail, too much leaves blur.',
	},
	steps: {
		type: 'number',
		default: 8,
		min: 4,
		max: 100,
		step: 1,
		unit: '',
		doc: 'Steps towards the answer: 8 to 24 for a whole film, 100 for a single shot.',
	},
	strength: {
		type: 'number',
		default: 1,
		min: 0,
		max: 1,
		step: 0.01,
		unit: '×',
		doc: 'How much of the sharpening is used; 0 leaves the picture as it is.',
	},
	grain: {
		type: 'enum',
		default: 'kept',
		values: [
			{ value: 'kept', doc: 'The film’s own grain stays as it is.' },
			{ value: 'removed', doc: 'The picture without its grain.' },
		],
		unit: '',
		doc: 'What becomes of the grain.',
	},
} as const satisfies StageMeta['params'];

/** Takes the camera's blur back: kernel given or estimated, plug-and-play deconvolution in linear light. */
export const meta: StageMeta<typeof params> = {
	id: 'deblur',
	version: 2,
	label: 'Deblur',
	doc: 'Takes the camera’s blur back: defocus, softness or straight motion, given or estimated in each shot.',
	order: 65,
	params,
	models: ['ffdnet', 'blur-cause'],
	changesTimeline: false,
	changesSize: false,
	provenance: 'repaired',
	views: ['residual'],
};
