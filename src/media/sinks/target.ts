/** From a target's description to the target. */

import type { TargetSpec } from '../../contracts/workers.ts';
import type { StagedTarget } from './files.ts';
import { HttpTarget } from './http.ts';
import { FileTarget, FolderTarget } from './local.ts';

/** Opens a target. Throws `storage-unavailable` or the platform's error where it is not reachable. */
export function openTarget(spec: TargetSpec): Promise<StagedTarget> {
	switch (spec.kind) {
		case 'directory':
			return Promise.resolve(new FolderTarget(spec.handle));
		case 'file':
			return Promise.resolve(new FileTarget(spec.handle));
		case 'opfs':
			return FolderTarget.private(spec.folder);
		case 'http':
			return Promise.resolve(new HttpTarget(spec));
	}
}
