import type { Stage } from '../../contracts/stage.ts';
import { meta, type params } from './meta.ts';

/** Gives back its input as a new owner of the same pictures: the smallest stage there can be. */
export const stage: Stage<typeof params, undefined> = {
	meta,
	touches: () => true,
	needs: (frame) => ({ inputs: [frame.needs[0]!] }),
	render(request) {
		const { picture, sides, color } = request.input(request.frame.needs[0]!);
		for (const side of Object.values(sides)) side.retain();
		return Promise.resolve({ picture: picture.retain(), sides, color });
	},
};
