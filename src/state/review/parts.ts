/** What notes, votes and results of an open review share. */

import type { OpenReview } from '../../share/open.ts';
import type { ServerClock } from './clock.ts';
import type { ReviewDevice } from './device.ts';

/** See the file's comment. */
export interface ReviewParts {
	readonly review: OpenReview;
	readonly device: ReviewDevice;
	readonly clock: ServerClock;
	/** Takes what a call of the service threw, where nothing else is done about it. */
	readonly hear: (thrown: unknown) => void;
	/** Nothing is noted or voted any more, as far as is known. */
	readonly closed: () => boolean;
	/** The service did not answer when it was asked last. */
	readonly offline: () => boolean;
	/** The service answered. */
	readonly answered: () => void;
}
