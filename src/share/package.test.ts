import { beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, randomBytes, toBase64Url, utf8 } from './bytes.ts';
import { partsOf } from './objects.ts';
import { openReview } from './open.ts';
import { openPackage, type ReviewPackage } from './package.ts';
import { openReturn } from './returns.ts';
import { PackageBackend } from './package-backend.ts';
import type { PutVote } from './protocol.ts';
import type { ReviewToSend } from './publish.ts';
import { sealTo } from './sealed.ts';
import { memoryDevice, memoryReturns, packageBytes, smallReview } from './review.testkit.ts';

const open = (bytes: Bytes, name = 'film.emreview'): Promise<ReviewPackage> =>
	openPackage(name, bytes.length, partsOf(new Blob([bytes])));

let review: ReviewToSend;
let bytes: Bytes;
beforeAll(async () => {
	review = await smallReview({
		labels: ['MARKERsource', 'MARKERrestored'],
		links: [
			{ role: 'voter' },
			{ role: 'voter', once: true },
			{ role: 'commenter', passphrase: 'correct horse' },
			{ role: 'viewer', expiresAt: 1000 },
		],
	});
	bytes = await packageBytes(review);
});

const linkOf = (index: number): Bytes => review.keys.links[index]!.secret;
async function backend(index: number, device = memoryDevice(), store = memoryReturns()): Promise<PackageBackend> {
	return PackageBackend.of(await open(bytes), linkOf(index), store, device);
}
const vote = (change: Partial<PutVote> = {}): PutVote => {
	const shown = review.manifest.presentations[0]!;
	const sides = { left: shown.a.object, right: shown.b.object };
	return { choice: 'left', ...sides, position: 0, viewedMs: 10, plays: 1, reason: '', revision: 0, ...change };
};

describe('a package', () => {
	it('opens with each link as what the link is', async () => {
		const owner = await openReview(await backend(0), linkOf(0));
		expect(owner.info.role).toBe('owner');
		expect(owner.secrets?.versions.map((v) => v.label)).toEqual(['MARKERsource', 'MARKERrestored']);
		const voter = await openReview(await backend(1), linkOf(1));
		expect(voter.info).toMatchObject({ role: 'voter', ownerObject: null, state: 'open', blind: true });
		expect(voter.secrets).toBeUndefined();
		expect(JSON.stringify([voter.manifest, voter.info])).not.toContain('MARKER');
		const clip = voter.manifest.presentations[0]!.a;
		const steps: number[] = [];
		const blob = await voter.asset(clip, { progress: (n) => steps.push(n) });
		const sent = Buffer.from(await review.assets[0]!.blob.arrayBuffer());
		expect(sent.equals(Buffer.from(await blob.arrayBuffer()))).toBe(true);
		expect(steps).toEqual([1024 * 1024, 1_500_000]);
	});

	it('holds nothing readable', () => {
		const text = Buffer.from(bytes).toString('latin1');
		for (const word of ['MARKER', 'Title', 'Which?', 'Shot 1', 'correct horse']) expect(text).not.toContain(word);
	});

	it('asks for the passphrase, again where it is wrong', async () => {
		const commenter = await backend(3);
		for (const options of [{}, { passphrase: 'battery staple' }]) {
			await expect(openReview(commenter, linkOf(3), options)).rejects.toMatchObject({ code: 'passphrase-needed' });
		}
		expect((await openReview(commenter, linkOf(3), { passphrase: 'correct horse' })).info.role).toBe('commenter');
	});

	it('keeps the owner’s part from everybody else', async () => {
		const file = await open(bytes);
		const voter = await openReview(await backend(1), linkOf(1));
		const stolen = { object: file.header.ownerObject, bytes: 1, mime: 'video/mp4' };
		await expect(voter.asset(stolen)).rejects.toMatchObject({ code: 'tampered' });
	});

	it('says what a link of another review, a wrong key, and a changed byte are', async () => {
		await expect(
			PackageBackend.of(await open(bytes), randomBytes(32), memoryReturns(), memoryDevice()),
		).rejects.toMatchObject({ code: 'link-refused' });
		const changed = bytes.slice();
		changed[changed.length - 100]! ^= 1;
		const file = await PackageBackend.of(await open(changed), linkOf(1), memoryReturns(), memoryDevice());
		const opened = await openReview(file, linkOf(1));
		await expect(opened.asset(opened.manifest.presentations[0]!.b)).rejects.toMatchObject({ code: 'tampered' });
		await expect(opened.asset(opened.manifest.presentations[0]!.a)).resolves.toBeInstanceOf(Blob);
	});

	it('that is cut anywhere says so', async () => {
		for (const length of [9, 11, 40, 500, bytes.length - 1]) {
			await expect(open(bytes.slice(0, length)), `${length}`).rejects.toMatchObject({ code: 'input-truncated' });
		}
	});

	it('that is something else, of another version, or lies about itself is refused', async () => {
		const replaceHeader = (header: string): Bytes => {
			const text = utf8(header);
			const head = bytes.slice(0, 12);
			new DataView(head.buffer).setUint32(8, text.length, true);
			return new Uint8Array([...head, ...text]);
		};
		const header = JSON.stringify((await open(bytes)).header);
		for (const bad of [
			new Uint8Array(0),
			utf8('not a package at all'),
			utf8('EMULREV2' + '\0'.repeat(40)),
			replaceHeader('{"version":1}'),
			replaceHeader('[]'),
			replaceHeader(header.replace('"version":1', '"version":1e999')),
			replaceHeader(header.replace(/"size":\d+/, '"size":-5')),
			replaceHeader(header.replace(/"id":"[^"]+"/, '"id":"../../x"')),
		]) {
			await expect(open(bad)).rejects.toMatchObject({ code: 'review-invalid' });
		}
		const long = bytes.slice(0, 12);
		new DataView(long.buffer).setUint32(8, 0xffffffff, true);
		await expect(open(long)).rejects.toMatchObject({ code: 'review-invalid' });
	});
});

describe('votes and notes on a package', () => {
	it('stay on the device, count once a pair, and return sealed to the owner', async () => {
		const voter = await backend(1);
		const shown = review.manifest.presentations[0]!;
		const first = await voter.putVote(shown.id, vote());
		expect(first).toMatchObject({ revision: 1, voter: await voter.voter() });
		await expect(voter.putVote(shown.id, vote({ choice: 'right' }))).rejects.toMatchObject({ code: 'conflict' });
		await voter.putVote(shown.id, vote({ choice: 'tie', revision: 1 }));
		expect((await voter.votes(0)).map((v) => v.choice)).toEqual(['tie']);

		const file = await voter.returnFile(review.manifest.ownerKey);
		expect(Buffer.from(file).toString()).not.toContain('tie');
		const { links } = (await open(bytes)).header;
		const reader = { review: (await voter.info()).id, pair: review.keys.seal, links, secrets: review.secrets.links };
		expect((await openReturn('v', file, reader)).votes).toEqual(await voter.votes(0));
		const other = await smallReview();
		for (const wrong of [
			{ pair: other.keys.seal },
			{ review: 'x'.repeat(22) },
			{ secrets: other.secrets.links },
			{ links: links.slice(2) },
		]) {
			const opening = openReturn('v', file, { ...reader, ...wrong });
			await expect(opening, Object.keys(wrong)[0]).rejects.toMatchObject({ code: 'review-invalid' });
		}
		await expect(openReturn('v', utf8('{}'), reader)).rejects.toMatchObject({ code: 'review-invalid' });

		// Whoever has the owner's public key can seal to it: what does not come by the link it names is refused.
		const forge = async (said: unknown): Promise<Bytes> => {
			const sealed = await sealTo(review.manifest.ownerKey, utf8(JSON.stringify(said)), `${reader.review}/return`);
			return utf8(
				JSON.stringify({ kind: 'emulsion-votes', version: 1, review: reader.review, sealed: toBase64Url(sealed) }),
			);
		};
		const body = JSON.stringify({ votes: await voter.votes(0), notes: [] });
		for (const said of [
			{ votes: await voter.votes(0), notes: [] },
			{ link: links[1]!.id, body, proof: 'A'.repeat(43) },
		]) {
			await expect(openReturn('v', await forge(said), reader)).rejects.toMatchObject({ code: 'review-invalid' });
		}
	});

	it('of two windows at once are both seen: one counts, the other is told', async () => {
		const voter = await backend(2);
		const shown = review.manifest.presentations[0]!;
		const both = await Promise.allSettled([
			voter.putVote(shown.id, vote({ choice: 'left' })),
			voter.putVote(shown.id, vote({ choice: 'right' })),
		]);
		expect(both.map((r) => r.status)).toEqual(['fulfilled', 'rejected']);
		expect((await voter.votes(0)).map((v) => [v.choice, v.once])).toEqual([['left', true]]);
	});

	it('of two voters on one device are two ballots', async () => {
		const store = memoryReturns();
		const shown = review.manifest.presentations[0]!;
		const open = await backend(1, memoryDevice(), store);
		const once = await backend(2, memoryDevice(), store);
		await open.putVote(shown.id, vote({ choice: 'left' }));
		expect(await once.votes(0)).toEqual([]);
		await once.putVote(shown.id, vote({ choice: 'right' }));
		expect((await open.votes(0)).map((v) => v.choice)).toEqual(['left']);
		expect((await (await backend(0, memoryDevice(), store)).votes(0)).map((v) => v.choice)).toEqual(['left', 'right']);
	});

	it('are refused after its end', async () => {
		const viewer = await backend(4);
		expect((await viewer.info()).state).toBe('closed');
		await expect(viewer.putNote('n'.repeat(22), 'x', 0)).rejects.toMatchObject({ code: 'review-closed' });
	});

	it('notes change by revision and go', async () => {
		const commenter = await backend(3);
		const id = 'n'.repeat(22);
		const note = await commenter.putNote(id, 'one', 0);
		await commenter.putNote(id, 'two', 1);
		await expect(commenter.putNote(id, 'three', 1)).rejects.toMatchObject({ code: 'conflict' });
		expect((await commenter.notes(note.seq)).map((n) => n.body)).toEqual(['two']);
		await commenter.removeNote(id);
		expect((await commenter.notes(0)).map((n) => n.body)).toEqual([null]);
	});

	it('what a device kept and somebody changed is not taken', async () => {
		const store = { load: () => Promise.resolve({ votes: [{ evil: 1 }] }), save: () => Promise.resolve() };
		expect(await (await backend(1, memoryDevice(), store)).votes(0)).toEqual([]);
	});
});
