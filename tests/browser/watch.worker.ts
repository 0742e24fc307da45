/** A worker like the restore worker that never comes back from a model's run. */

import { serve } from '../../src/comms/bridge.ts';
import { reportRuns } from '../../src/comms/watch.ts';

let report: ReturnType<typeof reportRuns> = () => undefined;

/** What it can do. */
export interface HangingApi {
	watch(port: MessagePort): Promise<void>;
	/** Ends in time. */
	work(allowanceMs: number): Promise<string>;
	/** Never ends, and never lets a message in. */
	hang(allowanceMs: number): Promise<string>;
}

serve({
	watch: (port: MessagePort) => {
		report = reportRuns(port);
	},
	work: (allowanceMs: number) => {
		report({ what: 'a short run', deadline: performance.now() + allowanceMs });
		report(undefined);
		return 'done';
	},
	hang: (allowanceMs: number) => {
		report({ what: 'a hung run', deadline: performance.now() + allowanceMs });
		for (;;) if (performance.now() < 0) return 'never';
	},
});
