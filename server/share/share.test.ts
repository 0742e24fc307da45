/** The share service on each of its backends: one suite, real stores, real sockets. */

import { afterAll, beforeAll, describe } from 'vitest';
import * as kit from './share.testkit.ts';
import { clientSuite } from './suites/client.suite.ts';
import { hostileSuite } from './suites/hostile.suite.ts';
import { keepingSuite } from './suites/keeping.suite.ts';
import { matrixSuite } from './suites/matrix.suite.ts';
import { objectsSuite } from './suites/objects.suite.ts';
import { votesSuite } from './suites/votes.suite.ts';

/** The suites ask from one address as fast as they can; limits are tested where they are set. */
const rates = { address: 1e6, link: 1e6, create: 1e6, guess: 1e6 };

describe.each(kit.BACKENDS)('share service on %s', (name) => {
	let backend: kit.Backend;
	let service: kit.TestService;
	beforeAll(async () => {
		backend = await kit.startBackend(name);
		service = await kit.startService(await backend.config({ rates }));
	});
	afterAll(async () => {
		await service?.close();
		await backend?.stop();
	});

	matrixSuite(() => service);
	clientSuite(() => service);
	objectsSuite(() => service);
	votesSuite(() => service);
	hostileSuite(() => service);
	keepingSuite(
		() => service,
		async (change, on) => kit.startService(on?.config ?? (await backend.config({ rates, ...change }))),
		name === 'Postgres and S3',
	);
});
