/** Files for browser tests, fetched from the test server. */

/** The one reason a test may be skipped for. */
export const NEEDS_DATA = 'needs EMULSION_DATA (default ../shared/data)';

async function get(url: string): Promise<Blob | undefined> {
	const response = await fetch(url);
	return response.ok ? response.blob() : undefined;
}

/** A clip made at test time (`fixture-list.ts`). Throws when it was not made. */
export async function fixtureFile(name: string): Promise<File> {
	const blob = await get(`/@fixtures/${name}`);
	if (!blob) throw new Error(`fixture ${name} was not made`);
	return new File([blob], name.split('/').pop() ?? name);
}

/** A file of the external data; skips the running test where the data is absent. */
export async function externalFile(ctx: { skip(note?: string): never | void }, path: string): Promise<File> {
	const blob = await get(`/@data/${path}`);
	if (!blob) {
		ctx.skip(NEEDS_DATA);
		throw new Error('unreachable: the test was skipped');
	}
	return new File([blob], path.split('/').pop() ?? path);
}
