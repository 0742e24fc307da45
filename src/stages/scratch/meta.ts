import type { StageMeta } from '../../contracts/stage.ts';

/** Columns for people: numbers of pixels with blanks or commas between them. */
const COLUMNS = '\\d+(\\.\\d+)?([ ,]+\\d+(\\.\\d+)?)*';

/** Parameters of `scratch`: default, range and unit of each, written once. */
export const params = {
	sensitivity: {
		type: 'number',
		default: 0.5,
		min: 0,
		max: 1,
		step: 0.05,
		unit: '×',
		doc: 'How readily a line counts as a scratch: 0 takes only what is certain, 1 also what may belong to the picture.',
	},
	polarity: {
		type: 'enum',
		default: 'both',
		values: [
			{ value: 'both', doc: 'Bright and dark lines.' },
			{ value: 'bright', doc: 'Only lines brighter than the film: through the emulsion.' },
			{ value: 'dark', doc: 'Only lines darker than the film: on the base, or printed in.' },
		],
		unit: '',
		doc: 'Which lines are removed.',
	},
	widest: {
		type: 'number',
		default: 16,
		min: 1,
		max: 48,
		step: 1,
		unit: 'px',
		doc: 'How wide a line may be, rims included; what lies further from its column is left alone.',
	},
	grow: {
		type: 'number',
		default: 1,
		min: 0,
		max: 4,
		step: 1,
		unit: 'px',
		doc: 'How far beyond the line found the picture is mended to each side.',
	},
	regrain: {
		type: 'boolean',
		default: true,
		unit: '',
		doc: 'New grain where a line hid everything, as strong and as coarse as the shot’s own.',
	},
	lines: {
		type: 'text',
		default: '',
		pattern: COLUMNS,
		expected: 'columns in pixels such as 120 348.5',
		unit: 'px',
		doc: 'Columns, at half height, where a line surely is, whatever the shot says.',
	},
	spare: {
		type: 'text',
		default: '',
		pattern: COLUMNS,
		expected: 'columns in pixels such as 120 348.5',
		unit: 'px',
		doc: 'Columns, at half height, that are left alone: a rope, a pole, a window’s frame.',
	},
} as const satisfies StageMeta['params'];

/** Removes upright lines that stay on the screen while the picture moves. */
export const meta: StageMeta<typeof params> = {
	id: 'scratch',
	version: 3,
	label: 'Scratches',
	doc: 'Removes upright lines that keep to their columns through a shot while the picture moves. Its view of lines shows which columns were found, and which were taken for the picture’s own.',
	order: 45,
	params,
	models: ['scratch'],
	changesTimeline: false,
	changesSize: false,
	provenance: 'repaired',
	views: ['lines', 'mask', 'residual'],
};
