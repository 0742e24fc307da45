/** Opening a review: link and passphrase to manifest, clips, notes and, for the owner, secrets. */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { ReviewBackend } from './backend.ts';
import { type Bytes, concat, fromBase64Url } from './bytes.ts';
import { SharedPatience } from './http.ts';
import { Manifest, OwnerSecrets } from './manifest.ts';
import { NoteCipher } from './notes.ts';
import { ObjectCipher, type ObjectKind, openObject } from './objects.ts';
import type { ReviewInfo } from './protocol.ts';
import { readJson } from './read.ts';
import { derive, unwrapContentKey } from './secrets.ts';

/** How often a part of an object is asked for before giving up: about a minute without a network. */
const READ_TRIES = 8;

/** A review that was opened. */
export interface OpenReview {
	readonly backend: ReviewBackend;
	readonly info: ReviewInfo;
	readonly manifest: Manifest;
	/** For the owner's link only. */
	readonly secrets: OwnerSecrets | undefined;
	readonly notes: NoteCipher;
	readonly contentKey: Bytes;
	/** The plain bytes of an asset. @throws EmulsionError `tampered`, `offline`. */
	asset(
		asset: { readonly object: string; readonly bytes: number; readonly mime: string },
		options?: { readonly signal?: AbortSignal; readonly progress?: (bytes: number) => void },
	): Promise<Blob>;
}

/** The key that opens what is the owner's alone. */
export function ownerKey(secret: Bytes): Promise<Bytes> {
	return derive(secret, 'owner');
}

async function plainOf(
	backend: ReviewBackend,
	key: Bytes,
	object: string,
	kind: ObjectKind,
	patience: SharedPatience,
	options: { readonly signal?: AbortSignal; readonly progress?: (bytes: number) => void } = {},
): Promise<Bytes[]> {
	const { signal } = options;
	const patient = { tries: READ_TRIES, ...(signal ? { signal } : {}) };
	const size = await patience.run(() => backend.size(object, signal), patient);
	const cipher = await ObjectCipher.of(key, object, kind);
	const read = (start: number, end: number): Promise<Bytes> =>
		patience.run(() => backend.read(object, start, end, signal), patient);
	return openObject(read, size, cipher, options);
}

/**
 * Opens a review.
 * @param secret Of the link.
 * @param passphrase Where the link needs one.
 * @throws EmulsionError `link-refused`, `passphrase-needed` (none given, or a wrong one), `review-closed` (still a draft), `tampered`,
 * `review-invalid`, `offline`.
 */
export async function openReview(
	backend: ReviewBackend,
	secret: Bytes,
	options: { readonly passphrase?: string; readonly signal?: AbortSignal } = {},
): Promise<OpenReview> {
	const info = await backend.info(options.signal);
	if (info.passphrase && options.passphrase === undefined) {
		throw new EmulsionError('passphrase-needed', phrase('link-passphrase'), { retryable: true });
	}
	const wrapped = fromBase64Url(info.wrappedKey);
	if (!wrapped) throw new EmulsionError('link-refused', phrase('link-key-wrong'));
	const contentKey = await unwrapContentKey(secret, wrapped, info.passphrase ? options.passphrase : undefined);
	if (info.manifest === null) throw new EmulsionError('review-closed', phrase('review-draft'));
	const signal = options.signal ? { signal: options.signal } : {};
	const patience = new SharedPatience();
	const manifest = readJson(
		Manifest,
		concat(...(await plainOf(backend, contentKey, info.manifest, 'what-manifest', patience, signal))),
	);
	if (manifest.review !== info.id || manifest.blind !== info.blind) {
		throw new EmulsionError('tampered', phrase('tampered', { what: phrase('what-manifest') }));
	}
	let secrets: OwnerSecrets | undefined;
	if (info.role === 'owner' && info.ownerObject !== null) {
		const parts = await plainOf(backend, await ownerKey(secret), info.ownerObject, 'what-secrets', patience, signal);
		secrets = readJson(OwnerSecrets, concat(...parts));
	}
	return {
		backend,
		info,
		manifest,
		secrets,
		contentKey,
		notes: await NoteCipher.of(contentKey, info.id),
		async asset(asset, assetOptions = {}) {
			const parts = await plainOf(backend, contentKey, asset.object, 'what-clip', patience, assetOptions);
			const blob = new Blob(parts, { type: asset.mime });
			if (blob.size === asset.bytes) return blob;
			const values = { what: phrase('what-clip'), got: blob.size, want: asset.bytes };
			throw new EmulsionError('tampered', phrase('tampered-cut', values));
		},
	};
}
