/**
 * A review that is being opened or is open: from the address in the fragment, a pasted link or a package file to notes, votes or
 * results. The link's secret stays in this object and in the fragment it came by; it is written nowhere else.
 */

import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { Bytes } from '../../share/bytes.ts';
import { ServiceClient } from '../../share/client.ts';
import { parseFragment, parseLink } from '../../share/links.ts';
import { partsOf } from '../../share/objects.ts';
import { openReview, type OpenReview } from '../../share/open.ts';
import { fetchPackage, openPackage, type ReviewPackage } from '../../share/package.ts';
import { PackageBackend } from '../../share/package-backend.ts';
import type { ReviewBackend } from '../../share/backend.ts';
import type { ReviewInfo } from '../../share/protocol.ts';
import { I18n } from '../i18n/i18n.svelte.ts';
import { Notices } from '../notices.svelte.ts';
import { Preferences } from '../preferences.svelte.ts';
import { everyVisible, ServerClock } from './clock.ts';
import { ClipShelf } from './clips.ts';
import { ReviewDevice } from './device.ts';
import { NotesBook } from './notes.svelte.ts';
import { ReviewPlayer } from './player.svelte.ts';
import { OwnerDesk, type OwnerParts } from './results.svelte.ts';
import { Ballot } from './voting.svelte.ts';

/** How often state and expiry are asked for, ms. */
const INFO_EVERY = 15_000;

/** What the page shows. */
export type DeskPhase = 'ask' | 'opening' | 'passphrase' | 'open' | 'failed' | 'deleted';

/** An open review with all that its pages need. */
export interface Opened {
	readonly review: OpenReview;
	readonly secret: Bytes;
	readonly backend: ReviewBackend;
	readonly shelf: ClipShelf;
	readonly player: ReviewPlayer;
	readonly clock: ServerClock;
	/** Null for voters: nobody's opinion steers a vote. */
	readonly notes: NotesBook | null;
	readonly ballot: Ballot | null;
	readonly owner: OwnerDesk | null;
}

/** Folder of the page: where the service answers and packages lie. */
function siteRoot(): string {
	return new URL('.', location.href).href;
}

/** See the file's comment. */
export class ReviewDesk {
	readonly preferences = new Preferences();
	readonly i18n = new I18n(this.preferences);
	readonly notices = new Notices();
	readonly device = new ReviewDevice();
	#phase = $state<DeskPhase>('ask');
	#error = $state.raw<EmulsionError>();
	#opened = $state.raw<Opened>();
	#info = $state.raw<ReviewInfo>();
	#offline = $state(false);
	#package = $state.raw<ReviewPackage>();
	#secret = $state.raw<Bytes>();
	#wrongPassphrase = $state(false);
	/** Where on this site the package lies. */
	#path: string | undefined;
	#backend: ReviewBackend | undefined;
	#stops: (() => void)[] = [];

	get phase(): DeskPhase {
		return this.#phase;
	}
	get error(): EmulsionError | undefined {
		return this.#error;
	}
	get opened(): Opened | undefined {
		return this.#opened;
	}
	/** What the service said last of link and review. */
	get info(): ReviewInfo | undefined {
		return this.#info;
	}
	/** The service did not answer when it was asked last. */
	get offline(): boolean {
		return this.#offline;
	}
	/** A package that waits for its link. */
	get package(): ReviewPackage | undefined {
		return this.#package;
	}
	/** The passphrase that was typed last does not open the link. */
	get wrongPassphrase(): boolean {
		return this.#wrongPassphrase;
	}
	/** A link that waits for its package. */
	get hasLink(): boolean {
		return this.#secret !== undefined;
	}

	/** Opens what a fragment says; asks where it says nothing. */
	async start(fragment: string): Promise<void> {
		await this.#attempt(async () => {
			const address = parseFragment(fragment);
			if (!address) return this.#ask();
			this.#secret = address.secret;
			if (address.package !== undefined) await this.#fetch(address.package);
			else if (address.secret) return this.#open(await this.#service(address.secret));
			await this.#together();
		});
	}

	/** A package from disk. */
	async takeFile(file: File): Promise<void> {
		await this.#attempt(async () => {
			this.#package = await openPackage(file.name, file.size, partsOf(file));
			this.#path = undefined;
			await this.#together();
		});
	}

	/** A link as somebody pasted it. */
	async takeLink(text: string): Promise<void> {
		await this.#attempt(async () => {
			const { origin, address } = parseLink(text);
			if (!address.secret) throw new EmulsionError('link-refused', phrase('link-malformed'));
			const path = address.package;
			// A review of another place is opened there: this page speaks to nobody but its own origin.
			if (origin !== undefined && !this.#package && new URL(origin, location.href).origin !== location.origin) {
				throw new EmulsionError('link-refused', phrase('link-elsewhere', { origin: new URL(origin).origin }));
			}
			this.#secret = address.secret;
			if (!this.#package && path !== undefined) await this.#fetch(path);
			if (this.#package) await this.#together();
			else await this.#open(await this.#service(address.secret));
		});
	}

	/** Opens the link with its passphrase. */
	async unlock(passphrase: string): Promise<void> {
		const backend = this.#backend;
		if (!backend) return;
		await this.#attempt(() => this.#open(backend, passphrase));
		this.#wrongPassphrase = this.#phase === 'passphrase';
	}

	/** Back to the beginning, where another link or file is taken. */
	reset(): void {
		this.close();
		this.#package = undefined;
		this.#secret = undefined;
		this.#backend = undefined;
		this.#ask();
	}

	/** Asks the service how things stand. */
	async refresh(): Promise<void> {
		const { backend, clock } = this.#opened ?? {};
		if (!backend || !clock) return;
		try {
			const info = await backend.info();
			clock.set(info.serverTime);
			this.#info = info;
			this.#offline = false;
		} catch (thrown) {
			this.heard(thrown);
		}
	}

	/** What a call of the service threw: no answer is shown as a state, a link that no longer works ends the page. */
	heard(thrown: unknown): void {
		// A question that was on its way when the review was deleted: that nobody knows the link any more is what was wanted.
		if (this.#phase === 'deleted') return;
		const error = toEmulsionError(thrown);
		if (error.code === 'offline' || error.code === 'rate-limited' || error.code === 'share-failed')
			this.#offline = true;
		else if (error.code === 'link-refused' && error.details.data?.['refusal'] !== 'forbidden') this.#fail(error);
		else this.notices.report(error);
	}

	/** The review was deleted by its owner here. */
	deleted(): void {
		this.close();
		this.#phase = 'deleted';
	}

	close(): void {
		for (const stop of this.#stops.splice(0)) stop();
		this.#opened?.player.close();
		this.#opened?.shelf.close();
		this.#opened = undefined;
	}

	#ask(): void {
		this.#phase = 'ask';
		this.#error = undefined;
	}

	#fail(error: EmulsionError): void {
		this.close();
		this.#error = error;
		this.#phase = 'failed';
	}

	async #attempt(work: () => Promise<void> | void): Promise<void> {
		this.#error = undefined;
		try {
			await work();
		} catch (thrown) {
			const error = toEmulsionError(thrown);
			if (error.code === 'passphrase-needed') this.#phase = 'passphrase';
			else this.#fail(error);
		}
	}

	async #fetch(path: string): Promise<void> {
		this.#package = await fetchPackage(path);
		this.#path = path;
	}

	#packageOf(backend: ReviewBackend): OwnerParts['package'] {
		if (backend.kind !== 'package' || !this.#package) return undefined;
		return { links: this.#package.header.links, path: this.#path };
	}

	#service(secret: Bytes): Promise<ServiceClient> {
		return ServiceClient.of(siteRoot(), secret, this.device.voters);
	}

	/** Opens when package and link are both there; otherwise asks for what is missing. */
	async #together(): Promise<void> {
		if (!this.#package || !this.#secret) return this.#ask();
		await this.#open(await PackageBackend.of(this.#package, this.#secret, this.device.returns, this.device.voters));
	}

	async #open(backend: ReviewBackend, passphrase?: string): Promise<void> {
		const secret = this.#secret;
		if (!secret) return;
		this.#backend = backend;
		this.#phase = 'opening';
		const review = await openReview(backend, secret, passphrase === undefined ? {} : { passphrase });
		const { info } = review;
		const clock = new ServerClock(info.serverTime);
		const shelf = new ClipShelf(review);
		const { device } = this;
		await device.probe();
		const hear = (thrown: unknown): void => this.heard(thrown);
		const answered = (): void => {
			this.#offline = false;
		};
		const closed = (): boolean => this.#info?.state === 'closed';
		const offline = (): boolean => this.#offline;
		const parts = { review, device, clock, hear, answered, closed, offline };
		const notes = info.role === 'voter' ? null : new NotesBook(parts);
		const ballot = info.role === 'voter' ? await Ballot.of(parts) : null;
		const owner = review.secrets
			? new OwnerDesk({ ...parts, secret, secrets: review.secrets, package: this.#packageOf(backend) })
			: null;
		this.close();
		this.#info = info;
		this.#opened = { review, secret, backend, shelf, player: new ReviewPlayer(shelf), clock, notes, ballot, owner };
		this.#phase = 'open';
		this.#stops.push(everyVisible(INFO_EVERY, () => this.refresh(), offline));
		if (notes) this.#stops.push(notes.start());
		if (ballot) this.#stops.push(ballot.start());
		if (owner) this.#stops.push(owner.start());
	}
}
