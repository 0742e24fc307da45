/**
 * What a project keeps of reviews: those that were made, with the secret of their owner's link, and the record of what came of
 * them: approvals with their signatures, and versions that were adopted with the votes for them. All of it is read strictly.
 */

import { phrase } from '../core/phrases.ts';
import {
	readBoolean,
	readInteger,
	readNullable,
	readNumber,
	readObject,
	readOneOf,
	readText,
	refuse,
} from './reader.ts';

/** Most reviews of a project. */
export const MAX_REVIEWS = 200;
/** Most entries of a project's record. */
export const MAX_RECORD = 20_000;
/** Latest time that is read: 9999. */
const MAX_TIME = 253_402_300_799_999;
/** Most votes that an entry may tell of. */
const MAX_VOTES = 1e9;

/** A review that was made of a reel. */
export interface ReviewRef {
	/** The review's own id. */
	readonly id: string;
	readonly reel: string;
	readonly title: string;
	/** A service keeps it, or a file. */
	readonly place: 'service' | 'package';
	/** The service's address, or the file's name. */
	readonly origin: string;
	/** Secret of the owner's link: whoever has the project can read the votes, and on a service delete the review. */
	readonly ownerSecret: string;
	readonly blind: boolean;
	/** Ms since 1970. */
	readonly createdAt: number;
	readonly expiresAt: number;
}

/** A curator's signed word about a shot, as it came (`src/share/notes.ts` verifies it). */
export interface ApprovalText {
	readonly name: string;
	readonly review: string;
	readonly shot: string;
	readonly clip: string;
	readonly clipHash: string;
	readonly verdict: 'approved' | 'rejected';
	readonly text: string;
	readonly at: number;
	readonly key: string;
	readonly signature: string;
}

/** An approval in the record. */
export interface ApprovalEntry {
	readonly kind: 'approval';
	readonly reel: string;
	/** Source frames of the shot. */
	readonly start: number;
	readonly end: number;
	/** Name of the version that was approved; null where the review did not tell. */
	readonly version: string | null;
	/** When it was taken into the record, ms since 1970. */
	readonly recordedAt: number;
	readonly approval: ApprovalText;
}

/** A version that became the reel's recipe after a vote. */
export interface AdoptionEntry {
	readonly kind: 'adopted';
	readonly reel: string;
	readonly review: string;
	readonly version: string;
	readonly recordedAt: number;
	/** Votes that counted, persons who gave them. */
	readonly votes: number;
	readonly voters: number;
	/** Of votes in pairs with this version: for it, against it, ties. */
	readonly wins: number;
	readonly losses: number;
	readonly ties: number;
	/** The largest corrected p-value of its pairs; null where there was no vote. */
	readonly p: number | null;
	/** False: no difference was shown when it was adopted. */
	readonly shown: boolean;
}

/** An entry of the project's record. */
export type RecordEntry = ApprovalEntry | AdoptionEntry;

const ID = /^[A-Za-z0-9_-]{22}$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

function readPattern(value: unknown, path: string, pattern: RegExp, characters: number): string {
	const text = readText(value, path, characters, characters);
	if (!pattern.test(text)) refuse(path, phrase('kind-text', { min: characters, max: characters }), value);
	return text;
}

const readReviewId = (value: unknown, path: string): string => readPattern(value, path, ID, 22);
const readTime = (value: unknown, path: string): number => readInteger(value, path, 0, MAX_TIME);

/** True for an address of a service: http or https, no name or password in it. */
function isServiceAddress(text: string): boolean {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

/** Reads a review's reference. @param readId Reads an id of the project's own. */
export function readReview(value: unknown, path: string, readId: (v: unknown, path: string) => string): ReviewRef {
	const f = readObject(value, path, [
		...['id', 'reel', 'title', 'place', 'origin', 'ownerSecret', 'blind', 'createdAt', 'expiresAt'],
	]);
	const place = readOneOf(f['place'], `${path}.place`, ['service', 'package']);
	const origin = readText(f['origin'], `${path}.origin`, 1000, 1);
	if (place === 'service' && !isServiceAddress(origin)) refuse(`${path}.origin`, phrase('kind-service'), origin);
	return {
		id: readReviewId(f['id'], `${path}.id`),
		reel: readId(f['reel'], `${path}.reel`),
		title: readText(f['title'], `${path}.title`, 200),
		place,
		origin,
		ownerSecret: readPattern(f['ownerSecret'], `${path}.ownerSecret`, SECRET, 43),
		blind: readBoolean(f['blind'], `${path}.blind`),
		createdAt: readTime(f['createdAt'], `${path}.createdAt`),
		expiresAt: readTime(f['expiresAt'], `${path}.expiresAt`),
	};
}

function readApproval(value: unknown, path: string): ApprovalText {
	const f = readObject(value, path, [
		...['name', 'review', 'shot', 'clip', 'clipHash', 'verdict', 'text', 'at', 'key', 'signature'],
	]);
	return {
		name: readText(f['name'], `${path}.name`, 60),
		review: readReviewId(f['review'], `${path}.review`),
		shot: readReviewId(f['shot'], `${path}.shot`),
		clip: readReviewId(f['clip'], `${path}.clip`),
		clipHash: readPattern(f['clipHash'], `${path}.clipHash`, /^[0-9a-f]{64}$/, 64),
		verdict: readOneOf(f['verdict'], `${path}.verdict`, ['approved', 'rejected']),
		text: readText(f['text'], `${path}.text`, 1000),
		at: readTime(f['at'], `${path}.at`),
		key: readPattern(f['key'], `${path}.key`, /^[A-Za-z0-9_-]{87}$/, 87),
		signature: readPattern(f['signature'], `${path}.signature`, /^[A-Za-z0-9_-]{86}$/, 86),
	};
}

/** Reads an entry of the record. */
export function readRecordEntry(
	value: unknown,
	path: string,
	readId: (v: unknown, path: string) => string,
): RecordEntry {
	const approval = ['kind', 'reel', 'start', 'end', 'version', 'recordedAt', 'approval'];
	const adoption = [
		...['kind', 'reel', 'review', 'version', 'recordedAt'],
		...['votes', 'voters', 'wins', 'losses', 'ties', 'p', 'shown'],
	];
	const kind = readOneOf((value as { kind?: unknown } | null)?.kind, `${path}.kind`, ['approval', 'adopted']);
	const f = readObject(value, path, kind === 'approval' ? approval : adoption);
	const shared = {
		reel: readId(f['reel'], `${path}.reel`),
		recordedAt: readTime(f['recordedAt'], `${path}.recordedAt`),
	};
	if (kind === 'approval') {
		const start = readInteger(f['start'], `${path}.start`, 0, 1e8);
		return {
			kind,
			...shared,
			start,
			end: readInteger(f['end'], `${path}.end`, start + 1, 1e8),
			version: readNullable(f['version'], (v) => readText(v, `${path}.version`, 120, 1)),
			approval: readApproval(f['approval'], `${path}.approval`),
		};
	}
	const count = (name: string): number => readInteger(f[name], `${path}.${name}`, 0, MAX_VOTES);
	return {
		kind,
		...shared,
		review: readReviewId(f['review'], `${path}.review`),
		version: readText(f['version'], `${path}.version`, 120, 1),
		votes: count('votes'),
		voters: count('voters'),
		wins: count('wins'),
		losses: count('losses'),
		ties: count('ties'),
		p: readNullable(f['p'], (v) => readNumber(v, `${path}.p`, 0, 1)),
		shown: readBoolean(f['shown'], `${path}.shown`),
	};
}
