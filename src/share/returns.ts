/**
 * What comes back from a package: votes and notes of one link on one device, as a small file that proves the link it came by and is
 * sealed to the owner; and the votes of several files put together, with what does not belong left out.
 */

import * as v from 'valibot';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { type Bytes, fromBase64Url, sha256, toBase64Url, utf8 } from './bytes.ts';
import type { PackageHeader } from './package.ts';
import { Id, NoteRecord, VoteRecord } from './protocol.ts';
import { readJson } from './read.ts';
import { openSealed, type SealPair, sealTo } from './sealed.ts';
import { derive, linkToken } from './secrets.ts';

/** Longest file of votes. */
export const MAX_RETURN_BYTES = 16 * 1024 * 1024;

const Kept = v.object({ votes: v.array(VoteRecord), notes: v.array(NoteRecord) });
const KeptLoosely = v.object({ votes: v.array(v.unknown()), notes: v.array(v.unknown()) });
/** Notes and votes of one device. */
export type KeptReturns = v.InferOutput<typeof Kept>;

/** What a device kept and can be read: one record that is damaged takes no other along. */
export function readKept(value: unknown): KeptReturns {
	const parsed = v.safeParse(KeptLoosely, value);
	if (!parsed.success) return { votes: [], notes: [] };
	const { votes, notes } = parsed.output;
	return {
		votes: votes.flatMap((vote) => (v.is(VoteRecord, vote) ? [vote] : [])),
		notes: notes.flatMap((note) => (v.is(NoteRecord, note) ? [note] : [])),
	};
}

const ReturnText = v.object({
	kind: v.literal('emulsion-votes'),
	version: v.literal(1),
	review: Id,
	sealed: v.pipe(v.string(), v.maxLength(MAX_RETURN_BYTES)),
});

const Proven = v.object({
	link: Id,
	/** {@link Kept} as JSON: the proof is over these very characters. */
	body: v.pipe(v.string(), v.maxLength(MAX_RETURN_BYTES)),
	proof: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
});

/** HMAC-SHA256 by a key of the link: only its holder and the owner, who made it, can write what comes by it. */
async function proofOf(secret: Bytes, review: string, body: string): Promise<Bytes> {
	const material = await derive(secret, 'returns');
	const key = await crypto.subtle.importKey('raw', material, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
	return new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(`${review}/${body}`)));
}

/** What the owner needs to read what came back. */
export interface ReturnReader {
	readonly review: string;
	readonly pair: SealPair;
	/** Links of the package, and the secrets that the owner keeps of them (base64url). */
	readonly links: PackageHeader['links'];
	readonly secrets: readonly { readonly secret: string }[];
}

/**
 * Opens a file of votes that came back.
 * @throws EmulsionError `review-invalid`: another review's, tampered with, not by the link it names, in several voters' names, or no such file.
 */
export async function openReturn(name: string, bytes: Bytes, reader: ReturnReader): Promise<KeptReturns> {
	const { review, pair, links, secrets } = reader;
	const refused = (): EmulsionError => new EmulsionError('review-invalid', phrase('votes-file', { name }));
	if (bytes.length > MAX_RETURN_BYTES) throw refused();
	try {
		const file = readJson(ReturnText, bytes);
		const sealed = fromBase64Url(file.sealed);
		const plain = file.review === review && sealed ? await openSealed(pair, sealed, `${review}/return`) : undefined;
		if (!plain) throw refused();
		const { link: id, body, proof } = readJson(Proven, plain);
		const link = links.find((l) => l.id === id);
		for (const { secret: text } of secrets) {
			const secret = fromBase64Url(text);
			if (!secret || toBase64Url(await sha256(utf8(await linkToken(secret)))) !== link?.tokenHash) continue;
			if (toBase64Url(await proofOf(secret, review, body)) !== proof) throw refused();
			const kept = readJson(Kept, utf8(body));
			const voters = new Set(kept.votes.map((vote) => vote.voter));
			const pairs = new Set(kept.votes.map((vote) => vote.presentation));
			const own = kept.votes.every((vote) => vote.link === id) && kept.notes.every((note) => note.author === id);
			if (!own || voters.size > 1 || pairs.size !== kept.votes.length) throw refused();
			return kept;
		}
	} catch {
		// Some other file: where in its JSON it differs tells nobody anything.
		throw refused();
	}
	throw refused();
}

/** The contents of the file to send back. @param secret Of the link that it comes by. */
export async function sealReturn(
	kept: KeptReturns,
	by: { readonly review: string; readonly link: string; readonly secret: Bytes; readonly ownerKey: string },
): Promise<Bytes> {
	const { review, link, secret, ownerKey } = by;
	const body = JSON.stringify(kept);
	const proof = toBase64Url(await proofOf(secret, review, body));
	const sealed = await sealTo(ownerKey, utf8(JSON.stringify({ link, body, proof })), `${review}/return`);
	return utf8(JSON.stringify({ kind: 'emulsion-votes', version: 1, review, sealed: toBase64Url(sealed) }));
}

/** Votes of several files, and how many were left out. */
export interface MergedVotes {
	readonly votes: readonly VoteRecord[];
	/** By links that are none of the package's voters, or in another voter's name. */
	readonly foreign: number;
	/** Older versions of votes that another file changes. */
	readonly superseded: number;
}

/**
 * Puts files of votes together. Whoever sends a file can write what they like into it: a vote counts where its link is one of the
 * package's voters, and on a one-time link only in that link's name; of several by one voter on one pair the last revision counts.
 */
export function mergeReturns(files: readonly KeptReturns[], links: PackageHeader['links']): MergedVotes {
	const voters = new Map(links.filter(({ role }) => role === 'voter').map((link) => [link.id, link]));
	const latest = new Map<string, VoteRecord>();
	let foreign = 0;
	let superseded = 0;
	for (const vote of files.flatMap(({ votes }) => votes)) {
		const link = voters.get(vote.link);
		if (!link || (link.once && vote.voter !== link.id)) {
			foreign++;
			continue;
		}
		const key = `${vote.voter}/${vote.presentation}`;
		const before = latest.get(key);
		if (before) superseded++;
		const isNewer = !before || vote.revision > before.revision;
		if (isNewer) latest.set(key, { ...vote, once: link.once });
	}
	return { votes: [...latest.values()], foreign, superseded };
}
