import type { StageMeta } from '../../contracts/stage.ts';

/** The identity stage's parameters: none. */
export const params = {} as const;

/** What the program knows of the identity stage. */
export const meta: StageMeta<typeof params> = {
	id: 'identity',
	version: 1,
	label: 'Identity',
	doc: 'Sends every frame through the working format and changes nothing: measures what conversion alone costs.',
	order: 0,
	params,
	models: [],
	changesTimeline: false,
	changesSize: false,
	provenance: 'none',
	views: [],
};
