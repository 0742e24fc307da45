/** What computes, in words that do not say the same twice. */

import type { BackendInfo } from '../../contracts/compute.ts';
import { phrase, type Text } from '../../core/phrases.ts';

/** The device beside the backend's own name: `2 threads` beside `CPU (wasm)`, or the adapter. */
export function deviceBeside({ kind, name }: BackendInfo): Text {
	const threads = typeof name === 'string' ? undefined : name.values?.['threads'];
	if (kind !== 'wasm' || typeof threads !== 'number') return name;
	return phrase(threads === 1 ? 'thread' : 'threads', { threads });
}
