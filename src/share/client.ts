/** The share service as a link's holder sees it. */

import * as v from 'valibot';
import type { ReviewBackend } from './backend.ts';
import { type Bytes, fromBase64Url, randomBytes, sha256, toBase64Url, toHex, utf8, concat } from './bytes.ts';
import { type Fetch, Requests } from './http.ts';
import {
	API,
	Created,
	type CreateReview,
	HEADERS,
	LinkInfo,
	LinkList,
	type NewLink,
	NoteList,
	NoteRecord,
	ObjectInfo,
	type PutVote,
	ReviewInfo,
	type UpdateReview,
	VoteList,
	VoteRecord,
} from './protocol.ts';
import { linkToken } from './secrets.ts';

/** Where a device keeps the secret by which it votes on an open link. */
export interface VoterSecrets {
	/** The secret of this device for a review's link, made where there is none. */
	of(link: string): Promise<Bytes>;
}

/** The voter's id as the service derives it: the link itself, or the hash of link and device secret. */
export async function voterId(info: { readonly link: string; readonly once: boolean }, secret: Bytes): Promise<string> {
	if (info.once) return info.link;
	const link = fromBase64Url(info.link);
	return toBase64Url(await sha256(concat(link ?? utf8(info.link), secret)));
}

/** Makes a review. @param origin Of the service, with or without a slash at its end. */
export function createReview(origin: string, body: CreateReview, send?: Fetch): Promise<Created> {
	return new Requests(apiOf(origin), {}, send).post(Created, { method: 'POST', path: '/reviews', value: body });
}

function apiOf(origin: string): string {
	return origin.replace(/[?#].*$/, '').replace(/\/+$/, '') + API;
}

/** A link of the service. */
export class ServiceClient implements ReviewBackend {
	readonly kind = 'service';
	readonly #requests: Requests;
	readonly #devices: VoterSecrets;
	#info: ReviewInfo | undefined;

	private constructor(requests: Requests, devices: VoterSecrets) {
		this.#requests = requests;
		this.#devices = devices;
	}

	/** @param origin Of the service. */
	static async of(origin: string, secret: Bytes, devices: VoterSecrets, send?: Fetch): Promise<ServiceClient> {
		const headers = { Authorization: `Emulsion ${await linkToken(secret)}` };
		return new ServiceClient(new Requests(apiOf(origin), headers, send), devices);
	}

	async info(signal?: AbortSignal): Promise<ReviewInfo> {
		this.#info = await this.#requests.json(ReviewInfo, { method: 'GET', path: '/review', signal });
		return this.#info;
	}

	/** Owner: see {@link UpdateReview}. */
	update(change: UpdateReview): Promise<ReviewInfo> {
		return this.#requests.post(ReviewInfo, { method: 'PATCH', path: '/review', value: change });
	}

	/** Owner: deletes the review and all that belongs to it. */
	async remove(): Promise<void> {
		await this.#requests.send({ method: 'DELETE', path: '/review' });
	}

	/** Owner: the links. */
	async links(): Promise<readonly LinkInfo[]> {
		return (await this.#requests.json(LinkList, { method: 'GET', path: '/links' })).links;
	}

	/** Owner: one more link. */
	addLink(link: NewLink): Promise<LinkInfo> {
		return this.#requests.post(LinkInfo, { method: 'POST', path: '/links', value: link });
	}

	/** Owner: withdraws a link. */
	async revokeLink(id: string): Promise<void> {
		await this.#requests.send({ method: 'DELETE', path: `/links/${id}` });
	}

	/** Owner: announces an object of so many bytes of ciphertext; the answer says what is missing of it. */
	declareObject(id: string, size: number, signal?: AbortSignal): Promise<ObjectInfo> {
		return this.#requests.post(ObjectInfo, { method: 'PUT', path: `/objects/${id}`, value: { size }, signal });
	}

	/** Owner: sends a chunk with its checksum. */
	async putChunk(id: string, index: number, bytes: Bytes, signal?: AbortSignal): Promise<void> {
		const headers = { [HEADERS.checksum]: toHex(await sha256(bytes)), 'Content-Type': 'application/octet-stream' };
		const path = `/objects/${id}/chunks/${index}`;
		await this.#requests.send({ method: 'PUT', path, headers, body: bytes, signal });
	}

	/** Owner: all chunks are there. */
	completeObject(id: string, signal?: AbortSignal): Promise<ObjectInfo> {
		return this.#requests.json(ObjectInfo, { method: 'POST', path: `/objects/${id}/complete`, signal });
	}

	/** Owner: removes an object. */
	async removeObject(id: string): Promise<void> {
		await this.#requests.send({ method: 'DELETE', path: `/objects/${id}` });
	}

	async size(object: string, signal?: AbortSignal): Promise<number> {
		return (await this.#requests.json(ObjectInfo, { method: 'GET', path: `/objects/${object}`, signal })).size;
	}

	async read(object: string, start: number, end: number, signal?: AbortSignal): Promise<Bytes> {
		const ask = {
			method: 'GET',
			path: `/objects/${object}/content`,
			headers: { Range: `bytes=${start}-${end - 1}` },
			signal,
		};
		return new Uint8Array(await this.#requests.take(ask, (response) => response.arrayBuffer()));
	}

	async notes(after: number, signal?: AbortSignal): Promise<readonly NoteRecord[]> {
		const all: NoteRecord[] = [];
		for (let from: number | null = after; from !== null;) {
			const page: v.InferOutput<typeof NoteList> = await this.#requests.json(NoteList, {
				method: 'GET',
				path: `/notes?after=${from}`,
				signal,
			});
			all.push(...page.notes);
			from = page.next;
		}
		return all;
	}

	putNote(id: string, body: string, revision: number): Promise<NoteRecord> {
		return this.#requests.post(NoteRecord, { method: 'PUT', path: `/notes/${id}`, value: { body, revision } });
	}

	async removeNote(id: string): Promise<void> {
		await this.#requests.send({ method: 'DELETE', path: `/notes/${id}` });
	}

	async votes(after: number, signal?: AbortSignal): Promise<readonly VoteRecord[]> {
		const headers = await this.#voterHeader();
		const all: VoteRecord[] = [];
		for (let from: number | null = after; from !== null;) {
			const page: v.InferOutput<typeof VoteList> = await this.#requests.json(VoteList, {
				method: 'GET',
				path: `/votes?after=${from}`,
				headers,
				signal,
			});
			all.push(...page.votes);
			from = page.next;
		}
		return all;
	}

	async putVote(presentation: string, vote: PutVote, key: string): Promise<VoteRecord> {
		const headers = { ...(await this.#voterHeader()), [HEADERS.idempotency]: key };
		return this.#requests.post(VoteRecord, { method: 'PUT', path: `/votes/${presentation}`, headers, value: vote });
	}

	async voter(): Promise<string | null> {
		const info = this.#info ?? (await this.info());
		if (info.role !== 'voter') return null;
		return info.once ? info.link : voterId(info, await this.#devices.of(info.link));
	}

	async #voterHeader(): Promise<Readonly<Record<string, string>>> {
		const info = this.#info ?? (await this.info());
		if (info.role !== 'voter' || info.once) return {};
		return { [HEADERS.voter]: toBase64Url(await this.#devices.of(info.link)) };
	}
}

/** A new secret for a device that votes. */
export function newVoterSecret(): Bytes {
	return randomBytes(32);
}
