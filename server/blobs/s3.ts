/**
 * Blobs in a bucket of any S3-compatible store, by S3's REST API (path style), signed by aws4fetch. Every upload carries its SHA-256, which
 * the store checks.
 */

import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { type BlobEntry, BlobError, type BlobStore, partsOfName } from './blobs.ts';

/** Where and as whom. */
export interface S3Options {
	/** Address of the store, with or without a slash at its end. */
	readonly endpoint: string;
	readonly bucket: string;
	readonly region: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
}

/** Longest wait for an answer, ms: less than a client waits. */
const PATIENCE = 20_000;
/** S3's own bound on a page of a list and on a deletion of many. */
const AT_ONCE = 1000;

const ENTITIES: Readonly<Record<string, string>> = {
	'&amp;': '&',
	'&lt;': '<',
	'&gt;': '>',
	'&quot;': '"',
	'&#39;': "'",
};
const unescape = (text: string): string => text.replace(/&(?:amp|lt|gt|quot|#39);/g, (e) => ENTITIES[e] ?? e);
const escape = (text: string): string =>
	text.replace(/[&<>"']/g, (c) => Object.keys(ENTITIES).find((e) => ENTITIES[e] === c) ?? c);

/** Contents of each element of a name; S3's lists have no attributes and no nesting of one name in itself. */
function elements(xml: string, name: string): string[] {
	return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map((match) => match[1] ?? '');
}

/** A bucket as a store; the bucket has to exist. @param atOnce Blobs of one list or deletion. */
export function openS3Blobs(options: S3Options, atOnce = AT_ONCE): BlobStore {
	const client = new AwsClient({
		accessKeyId: options.accessKeyId,
		secretAccessKey: options.secretAccessKey,
		region: options.region,
		service: 's3',
		retries: 2,
	});
	const bucket = `${options.endpoint.replace(/\/+$/, '')}/${options.bucket}`;
	const urlOf = (name: string): string => `${bucket}/${partsOfName(name).join('/')}`;

	const send = async (url: string, init: RequestInit, fine: readonly number[] = []): Promise<Response> => {
		const response = await client.fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE) });
		if (response.ok || fine.includes(response.status)) return response;
		const [code] = elements(await response.text(), 'Code');
		throw new BlobError(`the blob store answered ${response.status} (${code ?? 'no code'})`);
	};

	async function* list(prefix: string): AsyncGenerator<BlobEntry> {
		let token = '';
		do {
			const query = new URLSearchParams({
				'list-type': '2',
				'max-keys': String(atOnce),
				prefix,
				...(token === '' ? {} : { 'continuation-token': token }),
			});
			const xml = await (await send(`${bucket}?${query.toString()}`, { method: 'GET' })).text();
			for (const entry of elements(xml, 'Contents')) {
				const [name = ''] = elements(entry, 'Key');
				const [modified = ''] = elements(entry, 'LastModified');
				yield { name: unescape(name), modifiedAt: Date.parse(modified) };
			}
			token = unescape(elements(xml, 'NextContinuationToken')[0] ?? '');
		} while (token !== '');
	}

	async function removeMany(names: readonly string[]): Promise<void> {
		const keys = names.map((name) => `<Object><Key>${escape(name)}</Key></Object>`).join('');
		const body = `<?xml version="1.0" encoding="UTF-8"?><Delete><Quiet>true</Quiet>${keys}</Delete>`;
		const headers = {
			'Content-Type': 'application/xml',
			'Content-MD5': createHash('md5').update(body).digest('base64'),
			'X-Amz-Content-Sha256': createHash('sha256').update(body).digest('hex'),
		};
		const xml = await (await send(`${bucket}?delete=`, { method: 'POST', headers, body })).text();
		const failed = elements(xml, 'Error').length;
		if (failed > 0) throw new BlobError(`the blob store kept ${failed} of ${names.length} blobs`);
	}

	return {
		kind: 's3',
		async put(name, bytes, sha256) {
			const headers = { 'X-Amz-Content-Sha256': sha256, 'Content-Type': 'application/octet-stream' };
			await send(urlOf(name), { method: 'PUT', headers, body: new Uint8Array(bytes) });
		},
		async read(name, start, end) {
			const response = await send(urlOf(name), { method: 'GET', headers: { Range: `bytes=${start}-${end - 1}` } });
			const bytes = new Uint8Array(await response.arrayBuffer());
			if (bytes.length !== end - start) throw new BlobError(`a blob is not as long as it was: ${name}`);
			return bytes;
		},
		remove: async (name) => void (await send(urlOf(name), { method: 'DELETE' }, [404])),
		async removeAll(prefix) {
			partsOfName(prefix);
			let names: string[] = [];
			for await (const { name } of list(`${prefix}/`)) {
				names.push(name);
				if (names.length < atOnce) continue;
				await removeMany(names);
				names = [];
			}
			if (names.length > 0) await removeMany(names);
		},
		list: () => list(''),
		check: async () => void (await send(bucket, { method: 'HEAD' })),
	};
}
