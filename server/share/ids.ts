/** Ids that the service makes. */

import { randomBytes } from 'node:crypto';

/** 16 random bytes, base64url. */
export function newId(): string {
	return randomBytes(16).toString('base64url');
}
