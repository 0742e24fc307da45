/**
 * The owner's side: votes as they come in, what they amount to (computed here, in the owner's tab, from votes and secrets), reasons
 * unsealed, files of votes that were sent back, links, and what may be done with the review.
 */

import * as v from 'valibot';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { fromBase64Url, randomBytes, toBase64Url, utf8, type Bytes } from '../../share/bytes.ts';
import { ServiceClient } from '../../share/client.ts';
import { reviewLink } from '../../share/links.ts';
import type { OwnerSecrets } from '../../share/manifest.ts';
import { ownerKey } from '../../share/open.ts';
import { type JudgeRecord, JudgeRecordSchema } from '../../share/judge/record.ts';
import { MAX_RETURN_BYTES, openReturn } from '../../share/returns.ts';
import type { PackageHeader } from '../../share/package.ts';
import { mergeReturns } from '../../share/returns.ts';
import { type LinkInfo, NoteRecord, type Role, VoteRecord } from '../../share/protocol.ts';
import { linkRecord } from '../../share/publish.ts';
import { openSealed } from '../../share/sealed.ts';
import { aesKey, derive, openMessage, sealMessage } from '../../share/secrets.ts';
import { type Results, tally } from '../../share/statistics/results.ts';
import { cleanText } from '../../share/text.ts';
import { everyVisible } from './clock.ts';
import type { ReviewParts } from './parts.ts';
import { plainMap } from './maps.ts';

const POLL_MS = 3000;
/** Most files of votes that are kept on a device. */
const MAX_FILES = 2000;

/** Why somebody voted so. */
export interface VoteReason {
	readonly vote: VoteRecord;
	/** Null: it cannot be unsealed. */
	readonly text: string | null;
}

/** A link and the owner's own name for it. */
export interface NamedLink extends LinkInfo {
	readonly name: string;
}

/** A link that is wanted. */
export interface NewLinkWish {
	readonly role: Exclude<Role, 'owner'>;
	readonly once: boolean;
	readonly passphrase: string;
	readonly name: string;
	/** Ms since 1970, or null: as long as the review. */
	readonly expiresAt: number | null;
}

const Imported = v.array(v.object({ name: v.string(), votes: v.array(VoteRecord), notes: v.array(NoteRecord) }));
/** A file of votes that was opened. */
export type ImportedFile = v.InferOutput<typeof Imported>[number];

/** What the owner's side is made of. */
export interface OwnerParts extends ReviewParts {
	readonly secret: Bytes;
	readonly secrets: OwnerSecrets;
	/** The package's links and where it lies; undefined for a review of the service. */
	readonly package: { readonly links: PackageHeader['links']; readonly path: string | undefined } | undefined;
}

/** See the file's comment. */
export class OwnerDesk {
	readonly secrets: OwnerSecrets;
	/** The judge's figures; null where none were taken, or they cannot be read. */
	readonly quality: JudgeRecord | null;
	readonly #parts: OwnerParts;
	#received = $state.raw<ReadonlyMap<string, VoteRecord>>(plainMap());
	#files = $state.raw<readonly ImportedFile[]>([]);
	#reasons = $state.raw<ReadonlyMap<string, VoteReason>>(plainMap());
	#links = $state.raw<readonly NamedLink[]>([]);
	#updated = $state<number | null>(null);
	#restored = $state(false);
	#seq = 0;

	constructor(parts: OwnerParts) {
		this.#parts = parts;
		this.secrets = parts.secrets;
		const quality = v.safeParse(JudgeRecordSchema, parts.secrets.quality);
		this.quality = quality.success ? quality.output : null;
	}

	/** Votes of a package: this device's own and those of files, each file's however often it was opened. */
	readonly #merged = $derived.by(() => {
		const own = { votes: [...this.#received.values()], notes: [] };
		return mergeReturns([own, ...this.#files], this.#parts.package?.links ?? []);
	});

	/** All votes, the last of each voter and pair. */
	readonly votes = $derived.by((): readonly VoteRecord[] =>
		this.#parts.package ? this.#merged.votes : [...this.#received.values()],
	);

	/** Votes of files that name none of the review's voters, or somebody else. */
	get foreign(): number {
		return this.#parts.package ? this.#merged.foreign : 0;
	}

	/** What the votes amount to. */
	readonly results = $derived.by((): Results =>
		tally({ manifest: this.#parts.review.manifest, secrets: this.secrets, votes: this.votes }),
	);

	get reasons(): readonly VoteReason[] {
		return [...this.#reasons.values()];
	}
	get links(): readonly NamedLink[] {
		return this.#links;
	}
	get files(): readonly ImportedFile[] {
		return this.#files;
	}
	/** When votes were last asked for and came, ms since 1970 by the service's clock. */
	get updated(): number | null {
		return this.#updated;
	}
	/** Votes were read once: before that, none means nothing. */
	get read(): boolean {
		return this.#updated !== null && this.#restored;
	}
	/** True where there is a service with links, states and deletion. */
	get hasService(): boolean {
		return this.#client !== undefined;
	}

	get #client(): ServiceClient | undefined {
		const { backend } = this.#parts.review;
		return backend instanceof ServiceClient ? backend : undefined;
	}

	/** A version's name. */
	label(version: string): string {
		return this.secrets.versions.find((x) => x.id === version)?.label ?? version;
	}

	/** Version that an object shows. */
	versionOf(object: string): string | undefined {
		return this.secrets.clips.find((clip) => clip.object === object)?.version;
	}

	/** Polls; the result stops it. */
	start(): () => void {
		void this.#restore().finally(() => (this.#restored = true));
		return everyVisible(POLL_MS, () => this.poll(), this.#parts.offline);
	}

	/** Asks for votes and links. */
	async poll(): Promise<void> {
		const { review, hear, answered, clock } = this.#parts;
		try {
			const votes = await review.backend.votes(this.#seq);
			if (votes.length > 0) {
				const next = plainMap(this.#received);
				for (const vote of votes) next.set(`${vote.voter}/${vote.presentation}`, vote);
				this.#received = next;
				this.#seq = votes.reduce((seq, vote) => Math.max(seq, vote.seq), this.#seq);
				await this.#unseal();
			}
			if (this.#client) await this.#readLinks(this.#client);
			this.#updated = clock.now();
			answered();
		} catch (thrown) {
			hear(thrown);
		}
	}

	/**
	 * Takes files of votes that came back. @returns How many were taken, and their notes.
	 * @throws EmulsionError `review-invalid`: the first that is not one; those before it are taken.
	 */
	async takeFiles(files: readonly File[]): Promise<readonly NoteRecord[]> {
		const { review, device } = this.#parts;
		const pair = { publicKey: review.manifest.ownerKey, privateKey: this.secrets.privateKey };
		const notes: NoteRecord[] = [];
		try {
			for (const file of files) {
				if (file.size > MAX_RETURN_BYTES) {
					throw new EmulsionError('review-invalid', phrase('votes-file', { name: file.name }));
				}
				const bytes = new Uint8Array(await file.arrayBuffer());
				const kept = await openReturn(file.name, bytes, {
					...{ review: review.info.id, pair, links: this.#parts.package?.links ?? [], secrets: this.secrets.links },
				});
				notes.push(...kept.notes);
				this.#files = [...this.#files, { name: file.name.slice(0, 200), ...kept }].slice(-MAX_FILES);
			}
		} finally {
			await device.setImported(review.info.id, $state.snapshot(this.#files));
			await this.#unseal();
		}
		return notes;
	}

	/** Notes of files that were opened on earlier visits. */
	get returnedNotes(): readonly NoteRecord[] {
		return this.#files.flatMap((file) => file.notes);
	}

	/** One more link. @returns It, as it is handed out. */
	async addLink(wish: NewLinkWish): Promise<string> {
		const client = this.#mustHaveClient();
		const { review } = this.#parts;
		const secret = randomBytes(32);
		const record = await linkRecord(secret, review.contentKey, {
			...{ role: wish.role, once: wish.once },
			...(wish.passphrase === '' ? {} : { passphrase: wish.passphrase }),
			...(wish.expiresAt === null ? {} : { expiresAt: wish.expiresAt }),
		});
		const label =
			wish.name === ''
				? ''
				: toBase64Url(await sealMessage(await this.#labelKey(), utf8(wish.name.slice(0, 120)), 'label'));
		await client.addLink({ ...record, label });
		await this.#readLinks(client);
		return reviewLink(new URL('.', location.href).href, secret);
	}

	async revoke(id: string): Promise<void> {
		const client = this.#mustHaveClient();
		await client.revokeLink(id);
		await this.#readLinks(client);
	}

	/** Closes voting and notes, or opens them again. */
	async setState(state: 'open' | 'closed'): Promise<void> {
		await this.#mustHaveClient().update({ state });
	}

	/** Deletes the review and all that belongs to it. */
	async remove(): Promise<void> {
		await this.#mustHaveClient().remove();
	}

	/** Links that were made with the review, to hand out again; of a package opened from disk, what its readers paste. */
	get handedOut(): readonly { readonly role: string; readonly link: string }[] {
		const root = new URL('.', location.href).href;
		const of = this.#parts.package;
		return this.secrets.links.flatMap(({ role, secret }) => {
			const bytes = fromBase64Url(secret);
			if (!bytes) return [];
			return [{ role, link: of && of.path === undefined ? secret : reviewLink(root, bytes, of?.path) }];
		});
	}

	#mustHaveClient(): ServiceClient {
		const client = this.#client;
		if (!client) throw new TypeError('a package has no service');
		return client;
	}

	async #restore(): Promise<void> {
		const { review, device } = this.#parts;
		const parsed = v.safeParse(Imported, await device.imported(review.info.id));
		if (!parsed.success || this.#files.length > 0) return;
		this.#files = parsed.output;
		await this.#unseal();
	}

	async #readLinks(client: ServiceClient): Promise<void> {
		const key = await this.#labelKey();
		this.#links = await Promise.all(
			(await client.links()).map(async (link): Promise<NamedLink> => {
				const sealed = link.label === '' ? undefined : fromBase64Url(link.label);
				const plain = sealed && (await openMessage(key, sealed, 'label'));
				return { ...link, name: plain ? cleanText(new TextDecoder().decode(plain)).slice(0, 120) : '' };
			}),
		);
	}

	async #labelKey(): Promise<CryptoKey> {
		return aesKey(await derive(await ownerKey(this.#parts.secret), 'labels'));
	}

	async #unseal(): Promise<void> {
		const { review } = this.#parts;
		const pair = { publicKey: review.manifest.ownerKey, privateKey: this.secrets.privateKey };
		const next = plainMap<string, VoteReason>();
		for (const vote of this.votes) {
			if (vote.reason === '') continue;
			const key = `${vote.voter}/${vote.presentation}`;
			const known = this.#reasons.get(key);
			if (known?.vote.reason === vote.reason) {
				next.set(key, { ...known, vote });
				continue;
			}
			const sealed = fromBase64Url(vote.reason);
			const plain = sealed && (await openSealed(pair, sealed, `${review.info.id}/${vote.presentation}`));
			const text = plain ? cleanText(new TextDecoder().decode(plain)).slice(0, 4000) : null;
			next.set(key, { vote, text });
		}
		this.#reasons = next;
	}
}
