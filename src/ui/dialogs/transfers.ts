/** Transfers a restorer may name for an untagged source, the likely ones for film first. */

import type { Transfer } from '../../core/color.ts';

/** See the file's comment. */
export const TRANSFER_CHOICES = [
	'bt709',
	'log',
	'srgb',
	'gamma22',
	'linear',
	'smpte170m',
	'gamma28',
	'pq',
	'hlg',
] as const satisfies readonly Transfer[];
