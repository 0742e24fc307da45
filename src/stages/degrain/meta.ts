import type { StageMeta } from '../../contracts/stage.ts';

/** Parameters of `degrain`: default, range and unit of each, written once. */
export const params = {
	sigma: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: 0,
		max: 75,
		step: 0.5,
		unit: '8-bit code values',
		doc: 'Standard deviation of the grain to remove; auto measures it in each shot.',
	},
	luma: {
		type: 'number',
		default: 1,
		min: 0,
		max: 1,
		step: 0.01,
		unit: '×',
		doc: 'Share of the grain removed from luma; what is left is the film’s own.',
	},
	chroma: {
		type: 'number',
		default: 1,
		min: 0,
		max: 1,
		step: 0.01,
		unit: '×',
		doc: 'Share of the grain removed from chroma.',
	},
	grain: {
		type: 'enum',
		default: 'fine',
		values: [
			{ value: 'fine', doc: 'FFDNet: white noise, and grain of about a pixel.' },
			{
				value: 'coarse',
				doc: 'FFDNet trained on with film grain: grain coarser than a pixel, as 16 mm and 8 mm have.',
			},
		],
		unit: '',
		doc: 'Which kind of grain the denoiser was trained for.',
	},
	temporal: {
		type: 'number',
		default: 0,
		min: 0,
		max: 2,
		step: 1,
		unit: 'frames each side',
		doc: 'Neighbors aligned by optical flow and fused before the spatial denoiser; 0 uses the single frame.',
	},
} as const satisfies StageMeta['params'];

/** Removes grain and noise: FFDNet, strength set or estimated, optionally fused along motion. */
export const meta: StageMeta<typeof params> = {
	id: 'degrain',
	version: 3,
	label: 'Degrain',
	doc: 'Removes grain and noise by a learned denoiser (FFDNet), optionally fused with motion-compensated neighbors.',
	order: 60,
	params,
	models: ['ffdnet', 'degrain', 'rife'],
	changesTimeline: false,
	changesSize: false,
	provenance: 'repaired',
	views: ['residual'],
};
