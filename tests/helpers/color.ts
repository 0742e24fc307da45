/** Color tags of test pictures. */

import type { ColorTags } from '../../src/core/color.ts';

/** HD video. */
export const BT709: ColorTags = {
	primaries: 'bt709',
	transfer: 'bt709',
	matrix: 'bt709',
	range: 'limited',
	chromaLocation: 'left',
};
