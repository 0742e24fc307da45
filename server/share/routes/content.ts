/** The bytes of an object: whole or a range, one chunk in memory at a time, as fast as they are taken. */

import { LIMITS } from '../../../src/share/protocol.ts';
import { chunkName } from '../../blobs/blobs.ts';
import type { Statement } from '../../database/database.ts';
import { parseRange } from '../../ranges.ts';
import { type Call, idParam } from '../call.ts';
import { errorFields } from '../log.ts';
import { Refused } from '../refusal.ts';
import { checkOwnerOnly } from './objects.ts';

const CHUNK = LIMITS.chunkBytes + LIMITS.chunkOverhead;

/** $1 review, $2 object; $3 and $4 first and last place wanted. */
const FIND: Statement = {
	name: 'share_content',
	text: `SELECT o.uid, o.size, o.completed_at AS "completedAt", o.owner_only AS "ownerOnly",
	(SELECT array_agg(c.sha256 ORDER BY c.place) FROM chunks c WHERE c.object = o.uid AND c.place BETWEEN $3 AND $4) AS sums
FROM objects o WHERE o.review = $1 AND o.id = $2`,
};

interface Found {
	readonly uid: string;
	readonly size: number;
	readonly completedAt: number | null;
	readonly ownerOnly: boolean;
	readonly sums: readonly string[] | null;
}

/** The places that a range header names, before the size is known: all of them for a suffix or no range. */
function placesOf(header: string | undefined): readonly [number, number] {
	const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '');
	const most = Math.ceil(LIMITS.objectBytes / CHUNK);
	const place = (offset: string | undefined): number => Math.min(most, Math.floor(Number(offset) / CHUNK));
	if (!match) return [0, most];
	return [place(match[1]), match[2] === '' ? most : place(match[2])];
}

/** `content`: GET and HEAD, a single Range, If-Range, If-None-Match. */
export async function content(call: Call): Promise<Response> {
	const { c, parts, session } = call;
	const id = idParam(c, 'id');
	const etag = `"${id}"`;
	const ifRange = c.req.header('if-range');
	const rangeHeader = ifRange === undefined || ifRange === etag ? c.req.header('range') : undefined;
	const [firstPlace, lastPlace] = placesOf(rangeHeader);
	const [found] = await parts.database.run<Found>(FIND, [session.review, id, firstPlace, lastPlace]);
	if (!found) throw new Refused('not-found', 'The review has no such object.');
	checkOwnerOnly(found.ownerOnly, session.role);
	if (found.completedAt === null) throw new Refused('not-found', 'This object has not arrived whole: try again later.');
	const headers: Record<string, string> = {
		ETag: etag,
		// An object never changes; another link on the same device asks again.
		'Cache-Control': 'private, max-age=31536000, immutable',
		Vary: 'Authorization',
		'Accept-Ranges': 'bytes',
		'Content-Type': 'application/octet-stream',
	};
	if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers);
	const range = parseRange(rangeHeader, found.size);
	if (range === null) {
		const fields = { path: 'Range', limit: found.size };
		const refused = new Refused('invalid', `The object has ${found.size} bytes: ask for a part of them.`, fields);
		return c.json(refused.body, 416, { 'Content-Range': `bytes */${found.size}` });
	}
	const { start, end } = range ?? { start: 0, end: found.size - 1 };
	headers['Content-Length'] = String(end - start + 1);
	if (range) headers['Content-Range'] = `bytes ${start}-${end}/${found.size}`;
	const status = range ? 206 : 200;
	if (c.req.method === 'HEAD') return c.body(null, status, headers);
	return c.body(streamOf(call, found, firstPlace, start, end + 1), status, headers);
}

/**
 * Bytes [start, end) of an object, read from the store when they are asked for. `firstPlace` is that of the first checksum found. Where the
 * store fails in the middle, the connection is cut: the length was promised, so that the reader knows.
 */
function streamOf(call: Call, found: Found, firstPlace: number, start: number, end: number): ReadableStream {
	const { c, parts, session } = call;
	let at = start;
	const next = async (): Promise<Uint8Array> => {
		const place = Math.floor(at / CHUNK);
		const sum = found.sums?.[place - firstPlace];
		if (sum === undefined) throw new Error('a complete object lacks a chunk');
		const base = place * CHUNK;
		const stop = Math.min(end, base + CHUNK);
		const bytes = await parts.blobs.read(chunkName(session.review, found.uid, place, sum), at - base, stop - base);
		at = stop;
		return bytes;
	};
	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				try {
					controller.enqueue(await next());
				} catch (error) {
					parts.log.event('error', 'content was cut off', errorFields(error));
					c.env.outgoing.destroy();
					at = end;
				}
				if (at === end) controller.close();
			},
		},
		{ highWaterMark: 0 },
	);
}
