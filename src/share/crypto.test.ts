import { describe, expect, it } from 'vitest';
import { concat, fromBase64Url, randomBytes, toBase64Url, utf8 } from './bytes.ts';
import { parseFragment, parseLink, reviewLink } from './links.ts';
import { makeCuratorKey, NoteCipher, signApproval, verifyApproval } from './notes.ts';
import { chunksOfSealed, ObjectCipher, openObject, partsOf, sealBlob, sealedBytes, sealedRange } from './objects.ts';
import { LIMITS } from './protocol.ts';
import { makeSealPair, openSealed, sealTo } from './sealed.ts';
import { derive, linkToken, unwrapContentKey, wrapContentKey } from './secrets.ts';
import { cleanText } from './text.ts';

const CHUNK = LIMITS.chunkBytes;

/** Plain bytes that differ from place to place. */
function plain(length: number): Uint8Array<ArrayBuffer> {
	return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 255);
}

async function sealAll(bytes: Uint8Array<ArrayBuffer>, cipher: ObjectCipher): Promise<Uint8Array<ArrayBuffer>[]> {
	const chunks: Uint8Array<ArrayBuffer>[] = [];
	for await (const chunk of sealBlob(new Blob([bytes]), cipher)) chunks.push(chunk.bytes);
	return chunks;
}

describe('base64url', () => {
	it('returns every length, and refuses what it is not', () => {
		for (const length of [0, 1, 2, 3, 16, 32, 100_000]) {
			expect(fromBase64Url(toBase64Url(plain(length)))).toEqual(plain(length));
		}
		for (const text of ['a', 'ab=', 'a+b_', 'ä', 'ab\n']) expect(fromBase64Url(text)).toBeUndefined();
	});
});

describe('objects', () => {
	const key = randomBytes(32);

	it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])('of %i bytes come back', async (length) => {
		const cipher = await ObjectCipher.of(key, 'object', 'what-clip');
		const sealed = concat(...(await sealAll(plain(length), cipher)));
		expect(sealed.length).toBe(sealedBytes(length));
		const parts = await openObject(partsOf(new Blob([sealed])), sealed.length, cipher);
		expect(Buffer.from(concat(...parts)).equals(Buffer.from(plain(length)))).toBe(true);
	});

	it('open in any order, by ranges', async () => {
		const cipher = await ObjectCipher.of(key, 'object', 'what-clip');
		const sealed = concat(...(await sealAll(plain(2 * CHUNK + 9), cipher)));
		const [start, end] = sealedRange(1, sealed.length);
		const middle = Buffer.from(await cipher.open(sealed.slice(start, end), 1, false));
		expect(middle.equals(plain(2 * CHUNK + 9).slice(CHUNK, 2 * CHUNK))).toBe(true);
	});

	it('do not open changed, moved, cut, joined or under another name', async () => {
		const cipher = await ObjectCipher.of(key, 'object', 'what-clip');
		const chunks = await sealAll(plain(2 * CHUNK + 9), cipher);
		const open = (parts: readonly Uint8Array[], by = cipher): Promise<unknown> => {
			const all = concat(...parts);
			return openObject(partsOf(new Blob([all])), all.length, by);
		};
		const flipped = chunks.map((c) => c.slice());
		flipped[1]![77]! ^= 1;
		const other = await ObjectCipher.of(key, 'other', 'what-clip');
		const otherKey = await ObjectCipher.of(randomBytes(32), 'object', 'what-clip');
		const [a, b, c] = chunks as [Uint8Array, Uint8Array, Uint8Array];
		for (const [parts, by] of [
			[flipped],
			[[b, a, c]],
			[[a, b]],
			[[a, b, c.subarray(0, 20)]],
			[[a, b, b, c]],
			[chunks, other],
			[chunks, otherKey],
		] as [Uint8Array[], ObjectCipher?][]) {
			await expect(open(parts, by)).rejects.toMatchObject({ code: 'tampered' });
		}
	});

	it('have lengths that no plain text gives refused', () => {
		expect(chunksOfSealed(15)).toBeUndefined();
		expect(chunksOfSealed(16)).toBe(1);
		expect(chunksOfSealed(CHUNK + 16)).toBe(1);
		expect(chunksOfSealed(CHUNK + 16 + 16)).toBeUndefined();
		expect(chunksOfSealed(CHUNK + 16 + 17)).toBe(2);
	});

	it('never use a nonce twice: equal plain chunks have unlike ciphertexts', async () => {
		const cipher = await ObjectCipher.of(key, 'object', 'what-clip');
		const chunks = await sealAll(new Uint8Array(3 * CHUNK), cipher);
		expect(new Set(chunks.map((chunk) => Buffer.from(chunk).toString('base64'))).size).toBe(3);
	});
});

describe('link secrets', () => {
	it('open the content key they wrapped, and no other', async () => {
		const [secret, other, contentKey] = [randomBytes(32), randomBytes(32), randomBytes(32)];
		const wrapped = await wrapContentKey(secret, contentKey);
		expect(await unwrapContentKey(secret, wrapped)).toEqual(contentKey);
		await expect(unwrapContentKey(other, wrapped)).rejects.toMatchObject({ code: 'link-refused' });
	});

	it('need the passphrase as well where one was set', async () => {
		const [secret, contentKey] = [randomBytes(32), randomBytes(32)];
		const wrapped = await wrapContentKey(secret, contentKey, 'Père Lachaise');
		expect(await unwrapContentKey(secret, wrapped, 'Pe\u0300re Lachaise')).toEqual(contentKey);
		await expect(unwrapContentKey(secret, wrapped, 'pere lachaise')).rejects.toMatchObject({
			code: 'passphrase-needed',
			details: { retryable: true },
		});
		await expect(unwrapContentKey(secret, wrapped)).rejects.toMatchObject({ code: 'link-refused' });
		await expect(wrapContentKey(secret, contentKey, 'short')).rejects.toMatchObject({ code: 'usage' });
	});

	it('give a token from which neither secret nor key follows: every purpose has its own', async () => {
		const secret = randomBytes(32);
		const all = await Promise.all((['token', 'salt', 'wrap', 'owner'] as const).map((p) => derive(secret, p)));
		expect(new Set(all.map(toBase64Url)).size).toBe(4);
		expect(await linkToken(secret)).toBe(toBase64Url(all[0]!));
	});

	it('are derived as published: HKDF-SHA256 of RFC 5869', async () => {
		// Computed with Python's hmac: extract with an empty salt, expand with the info "emulsion/review/1/token".
		expect(await linkToken(new Uint8Array(32))).toBe(
			toBase64Url(
				Uint8Array.from(Buffer.from('f8d995910bb712ffbe59946b6ddc9eb9b63a5da4ec64c9c3b0e95a59ea51609e', 'hex')),
			),
		);
	});
});

describe('links', () => {
	const secret = plain(32);

	it('carry the secret in the fragment only', () => {
		const link = new URL(reviewLink('https://films.example/emulsion/?backend=wasm', secret));
		expect(`${link.origin}${link.pathname}${link.search}`).toBe('https://films.example/emulsion/');
		expect(parseFragment(link.hash)).toEqual({ secret, package: undefined });
		expect(parseLink(link.href)).toEqual({
			origin: 'https://films.example/emulsion/',
			address: { secret, package: undefined },
		});
		expect(parseLink(toBase64Url(secret)).address.secret).toEqual(secret);
	});

	it('name a package of this site', () => {
		const link = reviewLink('http://localhost:5180', secret, 'films/a b.emreview');
		expect(parseFragment(new URL(link).hash)).toEqual({ secret, package: 'films/a b.emreview' });
		expect(parseFragment('#/review')).toEqual({ secret: undefined, package: undefined });
	});

	it.each([
		'https://evil.example/x',
		'//evil.example/x',
		'\\\\evil',
		'javascript:alert(1)',
		'data:text/html,x',
		'a\nb',
		' //evil.example/x',
		'http://one.invalid/x',
	])('never reach another place: %s', (path) => {
		expect(() => parseFragment(`#/review?${new URLSearchParams({ package: path }).toString()}`)).toThrow(
			expect.objectContaining({ code: 'link-refused' }),
		);
	});

	it('that are cut or mangled say so; other fragments are not ours', () => {
		for (const text of ['#/review?link=', '#/review?link=abc', `#/review?link=${toBase64Url(plain(33))}`]) {
			expect(() => parseFragment(text)).toThrow(expect.objectContaining({ code: 'link-refused' }));
		}
		for (const text of ['', '#', '#/reviews', '#/', '#frame=3']) expect(parseFragment(text)).toBeUndefined();
		expect(() => parseLink('hello')).toThrow(expect.objectContaining({ code: 'link-refused' }));
	});
});

describe('messages to the owner', () => {
	it('open with the owner’s key, at their place, unchanged', async () => {
		const [pair, other] = [await makeSealPair(), await makeSealPair()];
		const sealed = await sealTo(pair.publicKey, utf8('because of the grain'), 'review/pair');
		expect(await openSealed(pair, sealed, 'review/pair')).toEqual(utf8('because of the grain'));
		expect(await openSealed(other, sealed, 'review/pair')).toBeUndefined();
		expect(await openSealed(pair, sealed, 'review/other')).toBeUndefined();
		const flipped = sealed.slice();
		flipped[70]! ^= 1;
		expect(await openSealed(pair, flipped, 'review/pair')).toBeUndefined();
		const badPoint = sealed.slice();
		badPoint[10]! ^= 1;
		expect(await openSealed(pair, badPoint, 'review/pair')).toBeUndefined();
		expect(await openSealed(pair, sealed.slice(0, 40), 'review/pair')).toBeUndefined();
	});
});

describe('notes', () => {
	const entry = {
		...{ type: 'note' as const, name: 'Ana', shot: 'a'.repeat(22), from: 3, to: 5, text: 'dirt <b>here</b>' },
		...{ marks: [{ kind: 'box' as const, x0: 0.1, y0: 0.1, x1: 0.2, y1: 0.3 }], clip: null },
	};

	it('come back at their place, and nowhere else', async () => {
		const key = randomBytes(32);
		const cipher = await NoteCipher.of(key, 'review');
		const body = await cipher.seal('one', entry);
		expect(body).not.toContain('dirt');
		expect(await cipher.open('one', body)).toEqual(entry);
		expect(await cipher.open('two', body)).toBeUndefined();
		expect(await (await NoteCipher.of(key, 'other')).open('one', body)).toBeUndefined();
		expect(await (await NoteCipher.of(randomBytes(32), 'review')).open('one', body)).toBeUndefined();
		expect(await cipher.open('one', '%%%')).toBeUndefined();
	});

	it('that are not notes are not shown', async () => {
		const cipher = await NoteCipher.of(randomBytes(32), 'review');
		for (const bad of [{ ...entry, from: -1 }, { ...entry, marks: [{ kind: 'script' }] }, { type: 'x' }, []]) {
			expect(await cipher.open('one', await cipher.seal('one', bad as never))).toBeUndefined();
		}
		await expect(cipher.seal('one', { ...entry, text: '字'.repeat(4000).repeat(4) })).rejects.toThrow(RangeError);
	});

	it('lose what could act on the page, and keep their words', () => {
		expect(cleanText('a\u202Eb\u2066c\u0000d\u0007e\u001b[31m\r\nf\tg')).toBe('abcde[31m\nf\tg');
		expect(cleanText('שלום 你好 <script>')).toBe('שלום 你好 <script>');
	});
});

describe('approvals', () => {
	it('are signed over everything they say', async () => {
		const pair = await makeCuratorKey();
		const said = {
			...{ type: 'approval' as const, name: 'Curator', review: 'r'.repeat(22), shot: 's'.repeat(22) },
			...{ clip: 'c'.repeat(22), clipHash: 'ab'.repeat(32), verdict: 'approved' as const, text: '', at: 5 },
		};
		const approval = await signApproval(pair, said);
		expect(await verifyApproval(approval)).toBe(true);
		for (const change of [
			{ verdict: 'rejected' as const },
			{ clipHash: 'ac'.repeat(32) },
			{ name: 'Somebody' },
			{ at: 6 },
			{ shot: 't'.repeat(22) },
			{ key: (await signApproval(await makeCuratorKey(), said)).key },
		]) {
			expect(await verifyApproval({ ...approval, ...change })).toBe(false);
		}
		await expect(crypto.subtle.exportKey('pkcs8', pair.privateKey)).rejects.toThrow();
	});
});
