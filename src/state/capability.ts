/** What the browser can do, as data: found by `src/app/capabilities.ts`, shown by the editor. */

import type { Text } from '../core/phrases.ts';

/** Something the editor can use and a browser may lack. */
export type CapabilityId =
	'webgpu' | 'webcodecs' | 'shared-memory' | 'private-files' | 'database' | 'file-pickers' | 'offscreen-canvas';

/** One finding. */
export interface Capability {
	readonly id: CapabilityId;
	readonly available: boolean;
	/** True where nothing works without it. */
	readonly required: boolean;
	/** What was found: adapter's name, or the platform's own words. */
	readonly detail: Text;
}
