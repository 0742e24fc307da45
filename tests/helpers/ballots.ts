/** Ballots as devices hand them in: the app's own code votes on a package and writes the files that go back to its owner. */

import { readFileSync } from 'node:fs';
import { orderFor } from '../../src/share/ballot.ts';
import type { Bytes } from '../../src/share/bytes.ts';
import type { Manifest, OwnerSecrets } from '../../src/share/manifest.ts';
import { partsOf } from '../../src/share/objects.ts';
import { openReview } from '../../src/share/open.ts';
import { openPackage, type ReviewPackage } from '../../src/share/package.ts';
import { openReturn } from '../../src/share/returns.ts';
import { PackageBackend } from '../../src/share/package-backend.ts';
import type { Choice, VoteRecord } from '../../src/share/protocol.ts';
import { memoryDevice, memoryReturns } from '../../src/share/review.testkit.ts';
import type { MadeReview } from './reviews.ts';

/** A pair as its voter answers it: names of versions by side, the shot's number, 0 first. */
export interface AskedPair {
	readonly left: string;
	readonly right: string;
	readonly shot: number;
}

/** How somebody votes; every device is new. */
export interface Voter {
	/** Which of the review's links it comes by. */
	readonly link: number;
	readonly answers: (pair: AskedPair) => Choice;
	/** For how long it looks at each pair, ms. */
	readonly viewedMs: number;
	/** Votes on no more pairs than these. */
	readonly most?: number;
}

/** A package with what its owner knows. */
export class BallotBox {
	readonly manifest: Manifest;
	readonly secrets: OwnerSecrets;
	readonly #file: ReviewPackage;
	readonly #made: MadeReview;

	private constructor(file: ReviewPackage, made: MadeReview, manifest: Manifest, secrets: OwnerSecrets) {
		this.#file = file;
		this.#made = made;
		this.manifest = manifest;
		this.secrets = secrets;
	}

	/** The package at `path`, which `made` was written to. */
	static async open(path: string, made: MadeReview): Promise<BallotBox> {
		const blob = new Blob([readFileSync(path)]);
		const file = await openPackage(path, blob.size, partsOf(blob));
		const secret = made.keys.links[0]!.secret;
		const owner = await openReview(await PackageBackend.of(file, secret, memoryReturns(), memoryDevice()), secret);
		if (!owner.secrets) throw new Error('the first link is not the owner’s');
		return new BallotBox(file, made, owner.manifest, owner.secrets);
	}

	/** The file that a device hands in, after voting in its own order with its own sides. */
	async vote({ link, answers, viewedMs, most = Infinity }: Voter): Promise<Bytes> {
		const { manifest, secrets } = this;
		const backend = await PackageBackend.of(
			this.#file,
			this.#made.keys.links[link]!.secret,
			memoryReturns(),
			memoryDevice(),
		);
		const label = (object: string): string => {
			const version = secrets.clips.find((clip) => clip.object === object)?.version;
			return secrets.versions.find(({ id }) => id === version)!.label;
		};
		const order = await orderFor((await backend.voter())!, manifest.presentations);
		for (const [position, { index, swapped }] of order.slice(0, most).entries()) {
			const { id, a, b, shot } = manifest.presentations[index]!;
			const [left, right] = swapped ? [b.object, a.object] : [a.object, b.object];
			const choice = answers({
				...{ left: label(left), right: label(right) },
				shot: manifest.shots.findIndex((s) => s.id === shot),
			});
			await backend.putVote(id, { choice, left, right, position, viewedMs, plays: 1, reason: '', revision: 0 });
		}
		return backend.returnFile(manifest.ownerKey);
	}

	/** The votes in files that were handed in. */
	async votes(files: readonly Bytes[]): Promise<VoteRecord[]> {
		const { review, links } = this.#file.header;
		const pair = { publicKey: this.manifest.ownerKey, privateKey: this.secrets.privateKey };
		const reader = { review, pair, links, secrets: this.secrets.links };
		const opened = await Promise.all(files.map((bytes) => openReturn('votes', bytes, reader)));
		return opened.flatMap(({ votes }) => votes);
	}
}
