import type { StageMeta } from '../../contracts/stage.ts';

/** Parameters of `dust-bust`: default, range and unit of each, written once. */
export const params = {
	sensitivity: {
		type: 'number',
		default: 0.5,
		min: 0,
		max: 1,
		step: 0.05,
		unit: '×',
		doc: 'How readily something counts as dirt: 0 takes only what is certain, 1 also what is likely.',
	},
	caution: {
		type: 'number',
		default: 50,
		min: 0,
		max: 200,
		step: 5,
		unit: '×',
		doc: 'How far dirt must stand out where motion is not understood: by so many times what the two neighbors disagree there. 0 asks for nothing; fast hands are then taken for dirt.',
	},
	polarity: {
		type: 'enum',
		default: 'both',
		values: [
			{ value: 'both', doc: 'Dark and bright dirt.' },
			{ value: 'dark', doc: 'Only what is darker than the film: dirt on a positive.' },
			{ value: 'bright', doc: 'Only what is brighter than the film: dirt on the negative, printed in.' },
		],
		unit: '',
		doc: 'Which dirt is removed.',
	},
	largest: {
		type: 'number',
		default: 24,
		min: 2,
		max: 128,
		step: 2,
		unit: 'px',
		doc: 'Thickness of the largest dirt; what is thicker is left alone.',
	},
	grow: {
		type: 'number',
		default: 1,
		min: 0,
		max: 8,
		step: 1,
		unit: 'px',
		doc: 'How far beyond the dirt found the picture is replaced.',
	},
	regrain: {
		type: 'boolean',
		default: true,
		unit: '',
		doc: 'New grain where dirt was, as strong and as coarse as the shot’s own; off leaves the grain of the neighbors.',
	},
} as const satisfies StageMeta['params'];

/** Removes dirt that one frame alone has, and heals it from motion-compensated neighbors. */
export const meta: StageMeta<typeof params> = {
	id: 'dust-bust',
	version: 2,
	label: 'Dust-bust',
	doc: 'Removes dirt, sparkle and hairs that one frame alone has, and heals them from its motion-compensated neighbors. Fast motion may be taken for dirt: look at the mask before you export.',
	order: 40,
	params,
	models: ['dirt', 'rife', 'ffdnet', 'degrain'],
	changesTimeline: false,
	changesSize: false,
	provenance: 'repaired',
	views: ['mask', 'residual'],
};
