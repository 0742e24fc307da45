import type { StageMeta } from '../../contracts/stage.ts';

/** Parameters of `upscale`: default, range and unit of each, written once. */
export const params = {
	factor: {
		type: 'number',
		default: 2,
		min: 1,
		max: 4,
		step: 1,
		unit: '×',
		doc: 'Output side divided by input side; not used where a size is given.',
	},
	size: {
		type: 'text',
		default: '',
		pattern: '(?:1080p|2160p|4k|uhd|\\d{1,5}x\\d{1,5})',
		expected: 'a size such as 1920x1080, 1080p or 4k',
		unit: 'px',
		doc: 'Target size; the picture keeps its shape and fits inside.',
	},
	character: {
		type: 'enum',
		default: 'faithful',
		values: [
			{ value: 'exact', doc: 'Lanczos in linear light: invents nothing.' },
			{ value: 'faithful', doc: 'SPAN: sharper, stays with what is there.' },
			{ value: 'vivid', doc: 'Real-ESRGAN: invents texture, and is marked so in provenance.' },
		],
		unit: '',
		doc: 'How much the result may add to what is there.',
	},
	blend: {
		type: 'number',
		default: 1,
		min: 0,
		max: 1,
		step: 0.01,
		unit: '×',
		doc: 'Share of the chosen character; the rest is exact.',
	},
} as const satisfies StageMeta['params'];

/** Enlarges with one of three characters, named honestly. */
export const meta: StageMeta<typeof params> = {
	id: 'upscale',
	version: 1,
	label: 'Upscale',
	doc: 'Enlarges to a factor or a size: exact (Lanczos), faithful (SPAN) or vivid (Real-ESRGAN), blended by a slider.',
	order: 90,
	params,
	models: ['spanx2', 'spanx4', 'realesrgan-x4fast', 'ffdnet'],
	changesTimeline: false,
	changesSize: true,
	provenance: 'generated',
	views: [],
};
