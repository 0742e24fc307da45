import { makeFixtures } from './fixtures.ts';

/** Makes the clips before any test runs. */
export default function setup(): void {
	makeFixtures();
}
