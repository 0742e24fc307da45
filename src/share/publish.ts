/**
 * Sending a review: links are made, objects sealed and sent chunk by chunk (what has arrived is not sent again), the
 * manifest last, then the review is opened. Or the same into one file.
 */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { type Bytes, randomBytes, randomId, sha256, toBase64Url, utf8 } from './bytes.ts';
import { createReview, ServiceClient, type VoterSecrets } from './client.ts';
import { type Fetch, persist } from './http.ts';
import type { Manifest, OwnerSecrets } from './manifest.ts';
import { ObjectCipher, sealBlob, sealedBytes } from './objects.ts';
import { ownerKey } from './open.ts';
import { packageHead, type PackageHeader, packageLinks } from './package.ts';
import type { NewLink, Role } from './protocol.ts';
import { linkToken, wrapContentKey } from './secrets.ts';
import { makeSealPair, type SealPair } from './sealed.ts';

/** A link that is wanted. */
export interface LinkWish {
	readonly role: Role;
	/** One voter wherever it is opened; false: every device is one. */
	readonly once?: boolean;
	readonly passphrase?: string;
	/** Ms since 1970; absent: as long as the review. */
	readonly expiresAt?: number;
}

/** A link that was made. */
export interface MadeLink {
	readonly role: Role;
	readonly once: boolean;
	readonly passphrase: boolean;
	readonly secret: Bytes;
}

/** Keys of a new review, before anything of it is sent. Whoever makes a review keeps this until it is published. */
export interface ReviewKeys {
	readonly contentKey: Bytes;
	readonly seal: SealPair;
	/** The owner's link is the first. */
	readonly links: readonly MadeLink[];
	readonly records: readonly NewLink[];
}

/** Makes keys and links; the owner's link is always there and is first. */
export async function makeKeys(wishes: readonly LinkWish[]): Promise<ReviewKeys> {
	const contentKey = randomBytes(32);
	const all: readonly LinkWish[] = [{ role: 'owner' }, ...wishes.filter((w) => w.role !== 'owner')];
	const links: MadeLink[] = [];
	const records: NewLink[] = [];
	for (const wish of all) {
		const secret = randomBytes(32);
		const once = wish.role === 'voter' && wish.once === true;
		links.push({ role: wish.role, once, passphrase: wish.passphrase !== undefined, secret });
		records.push(await linkRecord(secret, contentKey, wish));
	}
	return { contentKey, seal: await makeSealPair(), links, records };
}

/** What the service keeps of a link. */
export async function linkRecord(secret: Bytes, contentKey: Bytes, wish: LinkWish): Promise<NewLink> {
	return {
		tokenHash: toBase64Url(await sha256(utf8(await linkToken(secret)))),
		role: wish.role,
		once: wish.role === 'voter' && wish.once === true,
		passphrase: wish.passphrase !== undefined,
		wrappedKey: toBase64Url(await wrapContentKey(secret, contentKey, wish.passphrase)),
		label: '',
		expiresAt: wish.expiresAt ?? null,
	};
}

/** An asset to send: its object's id is in the manifest already. */
export interface AssetToSend {
	readonly object: string;
	readonly blob: Blob;
}

/** How far sending has come, bytes of ciphertext. */
export interface SendProgress {
	readonly sent: number;
	readonly total: number;
	/** The service does not answer and is asked again. */
	readonly waiting: boolean;
}

/** Everything that makes a review. `manifest.review` is filled in by the sender. */
export interface ReviewToSend {
	readonly keys: ReviewKeys;
	readonly blind: boolean;
	readonly expiresAt: number;
	readonly assets: readonly AssetToSend[];
	readonly manifest: Omit<Manifest, 'review'>;
	readonly secrets: OwnerSecrets;
}

/**
 * A review on its way to the service. `send` may be called again after it was aborted or failed: it goes on with what is missing.
 */
export class Sending {
	readonly #origin: string;
	readonly #review: ReviewToSend;
	readonly #fetch: Fetch | undefined;
	#manifestId = randomId();
	#ownerId = randomId();
	#created: { readonly review: string; readonly links: readonly string[] } | undefined;

	constructor(origin: string, review: ReviewToSend, send?: Fetch) {
		this.#origin = origin;
		this.#review = review;
		this.#fetch = send;
	}

	/**
	 * Sends what has not arrived, then opens the review.
	 * @throws EmulsionError `share-quota` before anything is sent where the review is too large, `offline` after about three minutes without an
	 * answer, the signal's reason.
	 */
	async send(options: {
		readonly signal?: AbortSignal;
		readonly progress?: (progress: SendProgress) => void;
	}): Promise<{ readonly review: string; readonly linkIds: readonly string[] }> {
		const { signal } = options;
		const { keys, blind, expiresAt, assets } = this.#review;
		const again = (waiting: () => void) => ({ tries: 16, ...(signal ? { signal } : {}), onWait: waiting });
		const total = this.#totalBytes();
		let sent = 0;
		const report = (waiting = false): void => options.progress?.({ sent, total, waiting });
		const wait = again(() => report(true));
		this.#created ??= await persist(
			() => createReview(this.#origin, { blind, expiresAt, links: [...keys.records] }, this.#fetch),
			wait,
		);
		const created = this.#created;
		const client = await ServiceClient.of(this.#origin, keys.links[0]!.secret, NO_DEVICES, this.#fetch);
		const info = await persist(() => client.info(signal), wait);
		if (info.storage && info.storage.quota < total) {
			const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
			const values = {
				name: this.#review.manifest.title,
				megabytes: megabytes(total),
				free: megabytes(info.storage.quota),
			};
			throw new EmulsionError('share-quota', phrase('share-quota', values));
		}
		const put = async (id: string, blob: Blob, key: Bytes): Promise<void> => {
			const cipher = await ObjectCipher.of(key, id, 'what-clip');
			const state = await persist(() => client.declareObject(id, sealedBytes(blob.size), signal), wait);
			const missing = new Set(state.missing);
			for await (const chunk of sealBlob(blob, cipher)) {
				signal?.throwIfAborted();
				if (missing.has(chunk.index)) await persist(() => client.putChunk(id, chunk.index, chunk.bytes, signal), wait);
				sent += chunk.bytes.length;
				report();
			}
			if (!state.complete) await persist(() => client.completeObject(id, signal), wait);
		};
		report();
		for (const { object, blob } of assets) await put(object, blob, keys.contentKey);
		const { manifest, secrets } = sealedTexts(this.#review, created.review);
		await put(this.#manifestId, manifest, keys.contentKey);
		await put(this.#ownerId, secrets, await ownerKey(keys.links[0]!.secret));
		await persist(
			() =>
				client.update({
					manifest: this.#manifestId,
					ownerObject: this.#ownerId,
					presentations: this.#review.manifest.presentations.map((p) => p.id),
					state: 'open',
				}),
			wait,
		);
		return { review: created.review, linkIds: created.links };
	}

	/** Takes back what was sent. */
	async discard(): Promise<void> {
		if (!this.#created) return;
		const client = await ServiceClient.of(this.#origin, this.#review.keys.links[0]!.secret, NO_DEVICES, this.#fetch);
		await client.remove();
		this.#created = undefined;
		// Another review has another manifest: sealed under the same id it would use its key and nonces again.
		this.#manifestId = randomId();
		this.#ownerId = randomId();
	}

	#totalBytes(): number {
		const { manifest, secrets } = sealedTexts(this.#review, randomId());
		return [manifest, secrets, ...this.#review.assets.map((a) => a.blob)].reduce(
			(sum, b) => sum + sealedBytes(b.size),
			0,
		);
	}
}

/** Owners do not vote. */
const NO_DEVICES: VoterSecrets = { of: () => Promise.reject(new TypeError('an owner has no voter secret')) };

function sealedTexts(review: ReviewToSend, id: string): { readonly manifest: Blob; readonly secrets: Blob } {
	return {
		manifest: new Blob([utf8(JSON.stringify({ ...review.manifest, review: id }))]),
		secrets: new Blob([utf8(JSON.stringify(review.secrets))]),
	};
}

/** Writes a review as one file, piece by piece. @returns The review's id. */
export async function writePackage(
	review: ReviewToSend,
	write: (bytes: Bytes) => Promise<void>,
	options: { readonly signal?: AbortSignal; readonly progress?: (progress: SendProgress) => void } = {},
): Promise<string> {
	const id = randomId();
	const { keys } = review;
	const { manifest, secrets } = sealedTexts(review, id);
	const manifestId = randomId();
	const ownerId = randomId();
	const objects = [
		{ id: manifestId, blob: manifest, key: keys.contentKey },
		{ id: ownerId, blob: secrets, key: await ownerKey(keys.links[0]!.secret) },
		...review.assets.map(({ object, blob }) => ({ id: object, blob, key: keys.contentKey })),
	];
	const header: PackageHeader = {
		version: 1,
		review: id,
		blind: review.blind,
		createdAt: review.manifest.createdAt,
		expiresAt: review.expiresAt,
		manifest: manifestId,
		ownerObject: ownerId,
		links: packageLinks(keys.records),
		objects: objects.map((o) => ({ id: o.id, size: sealedBytes(o.blob.size) })),
	};
	const total = header.objects.reduce((sum, o) => sum + o.size, 0);
	let sent = 0;
	await write(packageHead(header));
	for (const { id: object, blob, key } of objects) {
		const cipher = await ObjectCipher.of(key, object, 'what-clip');
		for await (const chunk of sealBlob(blob, cipher)) {
			options.signal?.throwIfAborted();
			await write(chunk.bytes);
			sent += chunk.bytes.length;
			options.progress?.({ sent, total, waiting: false });
		}
	}
	return id;
}
