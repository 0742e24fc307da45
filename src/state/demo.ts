/** The demo reel of this installation: `demo/reel.json` beside the app names a film beside it and the recipe that shows what the app is for. */

import { isSameOriginPath } from '../project/validate.ts';

/** See the file's comment. */
export interface Demo {
	/** Address of the film. */
	readonly url: string;
	/** The recipe's text, validated when it is used. */
	readonly recipe: string;
}

/** The demo reel, or null where the installation has none. Never throws: an absent demo is no failure. */
export async function loadDemo(): Promise<Demo | null> {
	try {
		const folder = new URL(`${import.meta.env.BASE_URL}demo/`, location.href).pathname;
		const response = await fetch(`${folder}reel.json`);
		if (!response.ok || !(response.headers.get('content-type') ?? '').includes('json')) return null;
		const json: unknown = await response.json();
		if (typeof json !== 'object' || json === null) return null;
		const { file, recipe } = json as Record<string, unknown>;
		const url = `${folder}${String(file)}`;
		if (typeof file !== 'string' || !isSameOriginPath(url)) return null;
		if (typeof recipe === 'object') return { url, recipe: JSON.stringify(recipe) };
		if (typeof recipe !== 'string' || !isSameOriginPath(`${folder}${recipe}`)) return null;
		const text = await fetch(`${folder}${recipe}`);
		return text.ok ? { url, recipe: await text.text() } : null;
	} catch {
		return null;
	}
}
