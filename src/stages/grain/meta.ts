import type { StageMeta } from '../../contracts/stage.ts';

/** Parameters of `grain`: default, range and unit of each, written once. */
export const params = {
	strength: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: 0,
		max: 30,
		step: 0.1,
		unit: '8-bit code values',
		doc: 'Standard deviation of the grain; auto takes what is measured in the source, level by level.',
	},
	size: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: 0.5,
		max: 6,
		step: 0.1,
		unit: 'pixels of the source',
		doc: 'Width of a grain, at half of its correlation; auto takes the spectrum that is measured in the source.',
	},
	color: {
		type: 'number',
		default: 'auto',
		auto: true,
		min: 0,
		max: 1,
		step: 0.01,
		unit: '×',
		doc: 'How differently the three channels are grained: 0 is black-and-white grain, 1 independent; auto as measured.',
	},
	amount: {
		type: 'number',
		default: 1,
		min: 0,
		max: 2,
		step: 0.05,
		unit: '×',
		doc: 'Multiplies the strength; 1 puts back as much grain as the source has.',
	},
	seed: {
		type: 'number',
		default: 1,
		min: 0,
		max: 65535,
		step: 1,
		unit: '',
		doc: 'Another seed lays other grain of the same kind.',
	},
} as const satisfies StageMeta['params'];

/** Lays grain: measured in the source and put back, or set by hand. */
export const meta: StageMeta<typeof params> = {
	id: 'grain',
	version: 1,
	label: 'Grain',
	doc: 'Lays new grain with the strength, spectrum and color that are measured in the source, after other stages have removed or stretched its own.',
	order: 120,
	params,
	models: [],
	changesTimeline: false,
	changesSize: false,
	provenance: 'repaired',
	views: ['grain'],
};
