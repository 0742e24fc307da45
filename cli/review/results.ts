/** `npm run review -- results`: the statistics of a review's votes, computed here from what the service or the package holds. */

import { openAsBlob, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { EmulsionError } from '../../src/core/errors.ts';
import { fromBase64Url } from '../../src/share/bytes.ts';
import { type VoterSecrets, ServiceClient } from '../../src/share/client.ts';
import { parseLink } from '../../src/share/links.ts';
import type { OwnerSecrets } from '../../src/share/manifest.ts';
import { partsOf } from '../../src/share/objects.ts';
import { type OpenReview, openReview } from '../../src/share/open.ts';
import { MAX_RETURN_BYTES, openReturn } from '../../src/share/returns.ts';
import { openPackage, type ReviewPackage } from '../../src/share/package.ts';
import { PackageBackend, type ReturnStore } from '../../src/share/package-backend.ts';
import type { VoteRecord } from '../../src/share/protocol.ts';
import { mergeReturns } from '../../src/share/returns.ts';
import { openSealed } from '../../src/share/sealed.ts';
import { type Results, tally } from '../../src/share/statistics/results.ts';
import { cleanText } from '../../src/share/text.ts';
import { counted } from '../words.ts';
import type { ResultsArgs } from './args.ts';

/** Owners neither vote nor keep votes. */
const NO_DEVICES: VoterSecrets = { of: () => Promise.reject(new TypeError('an owner has no voter secret')) };
const NO_STORE: ReturnStore = {
	load: () => Promise.resolve(undefined),
	save: () => Promise.reject(new TypeError('an owner keeps no votes')),
};

/** The results as `--json` prints them: versions by their names as well. */
export interface ReadResults {
	readonly review: string;
	readonly title: string;
	readonly question: string;
	readonly blind: boolean;
	readonly versions: readonly { readonly id: string; readonly label: string }[];
	readonly results: Results;
	/** Why people voted so, in no order; null: it cannot be unsealed. */
	readonly reasons: readonly { readonly choice: string; readonly text: string | null }[];
	/** Files of votes: what was left out of them. */
	readonly files: { readonly foreign: number; readonly superseded: number } | null;
}

function unreadable(path: string, cause: unknown): EmulsionError {
	const { code = 'error' } = cause as NodeJS.ErrnoException;
	return new EmulsionError('input-unreadable', `${path} cannot be read (${code})`, { cause });
}

async function openFile(path: string): Promise<ReviewPackage> {
	let blob: Blob;
	try {
		blob = await openAsBlob(path);
	} catch (cause) {
		throw unreadable(path, cause);
	}
	return openPackage(basename(path), blob.size, partsOf(blob));
}

function readVotes(path: string): Uint8Array<ArrayBuffer> {
	try {
		// One byte more than is read of any: what is larger is refused by its reader, not loaded.
		if (statSync(path).size > MAX_RETURN_BYTES) return new Uint8Array(MAX_RETURN_BYTES + 1);
		return new Uint8Array(readFileSync(path));
	} catch (cause) {
		throw unreadable(path, cause);
	}
}

/** Unseals the reasons of votes; each beside the name of the version that was chosen. */
async function readReasons(review: OpenReview, votes: readonly VoteRecord[]): Promise<ReadResults['reasons']> {
	const { privateKey, clips, versions } = secretsOf(review);
	const pair = { privateKey, publicKey: review.manifest.ownerKey };
	const reasons = [];
	for (const { choice, left, right, presentation, reason } of votes) {
		if (reason === '') continue;
		const sealed = fromBase64Url(reason);
		const plain = sealed && (await openSealed(pair, sealed, `${review.info.id}/${presentation}`));
		const object = choice === 'left' ? left : right;
		const version = clips.find((clip) => clip.object === object)?.version;
		const label = versions.find(({ id }) => id === version)?.label ?? '?';
		const text = plain ? cleanText(new TextDecoder().decode(plain)).slice(0, 4000) : null;
		reasons.push({ choice: choice === 'tie' ? 'no difference' : label, text });
	}
	return reasons;
}

function secretsOf(review: OpenReview): OwnerSecrets {
	if (review.secrets) return review.secrets;
	throw new EmulsionError('usage', `This is the link of a ${review.info.role}; results are read with the owner's.`);
}

/** Reads the results of a review. @throws EmulsionError as `openReview`; `usage` for another link than the owner's. */
export async function readResults(args: ResultsArgs): Promise<ReadResults> {
	const { origin, address } = parseLink(args.link);
	const { secret } = address;
	if (secret === undefined) throw new EmulsionError('usage', 'The link carries no secret; copy the whole of it.');
	let review: OpenReview;
	let votes: readonly VoteRecord[];
	let files: ReadResults['files'] = null;
	if (args.package === undefined) {
		if (origin === undefined || address.package !== undefined) {
			throw new EmulsionError('usage', 'This link is of a review in a file; name the file: --package FILE');
		}
		review = await openReview(await ServiceClient.of(origin, secret, NO_DEVICES), secret);
		secretsOf(review);
		votes = await review.backend.votes(0);
	} else {
		const file = await openFile(args.package);
		review = await openReview(await PackageBackend.of(file, secret, NO_STORE, NO_DEVICES), secret);
		const { privateKey, links } = secretsOf(review);
		const pair = { privateKey, publicKey: review.manifest.ownerKey };
		const reader = { review: review.info.id, pair, links: file.header.links, secrets: links };
		const kept = [];
		for (const path of args.votes) kept.push(await openReturn(basename(path), readVotes(path), reader));
		const { votes: merged, foreign, superseded } = mergeReturns(kept, file.header.links);
		votes = merged;
		files = { foreign, superseded };
	}
	const { manifest } = review;
	const secrets = secretsOf(review);
	return {
		review: review.info.id,
		...{ title: manifest.title, question: manifest.question, blind: manifest.blind, files },
		versions: secrets.versions.map(({ id, label }) => ({ id, label })),
		results: tally({ manifest, secrets, votes }),
		reasons: await readReasons(review, votes),
	};
}

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(0)} %`);
const p = (value: number): string => (value < 0.001 ? 'p < 0.001' : `p = ${value.toFixed(3)}`);

/** What a person reads of results. */
export function describeResults({ title, question, versions, results, files, reasons }: ReadResults): string {
	const name = (id: string): string => versions.find((v) => v.id === id)?.label ?? id;
	const { excluded, controls } = results;
	const lines = [
		`${title}: ${question}`,
		`${counted(results.votes, 'vote')} of ${counted(results.voters, 'voter')} (${results.onceVoters} by one-time links), ${counted(results.counted, 'counts', 'count')}`,
	];
	if (controls.asked > 0) lines.push(`controls: ${controls.failed} of ${controls.asked} failed`);
	for (const { reason, votes } of excluded) lines.push(`excluded: ${counted(votes, 'vote')} of a voter (${reason})`);
	if (files && files.foreign > 0)
		lines.push(`files: ${counted(files.foreign, "vote by nobody's link was", "votes by nobody's link were")} left out`);
	for (const pair of results.pairs) {
		const { a, b, aWins, bWins, ties, rate, interval, pCorrected, verdict } = pair;
		if (aWins + bWins + ties === 0) {
			lines.push(`${name(a)} : ${name(b)}: no votes yet`);
			continue;
		}
		const said = verdict === 'none' ? 'no difference shown yet' : `${name(verdict === 'a' ? a : b)} is preferred`;
		lines.push(
			`${name(a)} ${aWins} : ${bWins} ${name(b)}, ${counted(ties, 'tie')}; ${percent(rate)} for ${name(a)} (95 %: ${percent(interval[0])} to ${percent(interval[1])}), ${p(pCorrected)}: ${said}`,
		);
	}
	for (const { version, score, interval } of results.scores ?? []) {
		const [low, high] = interval.map((x) => x.toFixed(2));
		lines.push(`${name(version)}: score ${score.toFixed(2)} (95 %: ${low} to ${high})`);
	}
	for (const { choice, text } of reasons) {
		lines.push(`reason (${choice}): ${text === null ? 'cannot be opened' : text.replace(/\s*\n\s*/g, ' / ')}`);
	}
	return lines.join('\n');
}
