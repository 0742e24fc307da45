/**
 * Links. Everything that matters stands in the fragment, which no browser sends:
 * `ORIGIN/#/review?link=SECRET` opens a review of that origin's service, `…#/review?package=PATH&link=SECRET` one that lies as a file
 * beside the app.
 */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { type Bytes, fromBase64Url, toBase64Url } from './bytes.ts';
import { SECRET_BYTES } from './secrets.ts';

/** Fragments that begin so are a review's. */
export const REVIEW_ROUTE = '#/review';

/** What a link says. */
export interface ReviewAddress {
	/** Undefined where only a package is named: the reader is asked for the link. */
	readonly secret: Bytes | undefined;
	/** Path of a package on this site; undefined for the service. */
	readonly package: string | undefined;
}

/** A link to a review. `origin` with or without a path, as `https://films.example/emulsion/`. */
export function reviewLink(origin: string, secret: Bytes, packagePath?: string): string {
	const base = origin.replace(/[?#].*$/, '');
	const query = new URLSearchParams();
	if (packagePath !== undefined) query.set('package', packagePath);
	query.set('link', toBase64Url(secret));
	return `${base.endsWith('/') || /\.html$/.test(base) ? base : `${base}/`}${REVIEW_ROUTE}?${query.toString()}`;
}

/** The secret of `link=…`. @throws EmulsionError `link-refused`. */
export function parseSecret(text: string): Bytes {
	const secret = fromBase64Url(text.trim());
	if (secret?.length !== SECRET_BYTES) throw new EmulsionError('link-refused', phrase('link-malformed'));
	return secret;
}

/** What a fragment says; undefined where it is not a review's. @throws EmulsionError `link-refused`: it is one, and cut or mangled. */
export function parseFragment(fragment: string): ReviewAddress | undefined {
	const match = /^#\/review(?:\?(.*))?$/s.exec(fragment);
	if (!match) return undefined;
	const query = new URLSearchParams(match[1] ?? '');
	const path = query.get('package') ?? undefined;
	if (path !== undefined && !isPathHere(path)) {
		throw new EmulsionError('link-refused', phrase('package-origin', { got: path.slice(0, 80) }));
	}
	const link = query.get('link');
	return { secret: link === null ? undefined : parseSecret(link), package: path };
}

/** A whole link as a person pastes it, or its secret alone. @throws EmulsionError `link-refused`. */
export function parseLink(text: string): { readonly origin: string | undefined; readonly address: ReviewAddress } {
	const trimmed = text.trim();
	const hash = trimmed.indexOf('#');
	if (hash < 0) return { origin: undefined, address: { secret: parseSecret(trimmed), package: undefined } };
	const address = parseFragment(trimmed.slice(hash));
	if (!address) throw new EmulsionError('link-refused', phrase('link-malformed'));
	return { origin: hash === 0 ? undefined : trimmed.slice(0, hash), address };
}

/** A path of this site, relative or from its root: as the URL parser reads it, it stays on whatever origin it is resolved against. */
function isPathHere(path: string): boolean {
	if (path === '' || /[\\\p{Cc}]/u.test(path)) return false;
	return ['http://one.invalid', 'http://two.invalid'].every((origin) => {
		try {
			return new URL(path, `${origin}/x/`).origin === origin;
		} catch {
			return false;
		}
	});
}
