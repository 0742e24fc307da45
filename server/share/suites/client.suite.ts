/** The clients' own code against the service: what one side of the protocol says, the other understands. */

import { randomFillSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Bytes, randomBytes, randomId } from '../../../src/share/bytes.ts';
import { createReview, newVoterSecret, ServiceClient, voterId } from '../../../src/share/client.ts';
import { ObjectCipher, openObject, sealBlob, sealedBytes } from '../../../src/share/objects.ts';
import { linkRecord, makeKeys } from '../../../src/share/publish.ts';
import * as kit from '../share.testkit.ts';

/** Runs the suite on a service. */
export function clientSuite(service: () => kit.TestService): void {
	describe('the client', () => {
		it('makes, sends, opens, reads, notes, votes, closes and deletes', async () => {
			const { origin } = service();
			const keys = await makeKeys([{ role: 'voter' }, { role: 'voter', once: true }, { role: 'commenter' }]);
			const body = { blind: true, expiresAt: kit.soon(), links: [...keys.records] };
			const made = await createReview(origin, body);
			const device = newVoterSecret();
			const clients = await Promise.all(
				keys.links.map((link) => ServiceClient.of(origin, link.secret, { of: () => Promise.resolve(device) })),
			);
			const [owner, voter, once, commenter] = clients as [ServiceClient, ServiceClient, ServiceClient, ServiceClient];
			await expect(voter.info()).rejects.toMatchObject({ code: 'review-closed' });

			const plain = new Uint8Array(randomFillSync(Buffer.alloc(1024 * 1024 + 77)));
			const id = randomId();
			const cipher = await ObjectCipher.of(keys.contentKey, id, 'what-clip');
			const size = sealedBytes(plain.length);
			expect((await owner.declareObject(id, size)).missing).toEqual([0, 1]);
			for await (const chunk of sealBlob(new Blob([plain]), cipher)) await owner.putChunk(id, chunk.index, chunk.bytes);
			expect((await owner.completeObject(id)).complete).toBe(true);
			const pair = randomId();
			expect(await owner.update({ manifest: id, presentations: [pair], state: 'open' })).toMatchObject({
				manifest: id,
			});

			const read = (start: number, end: number): Promise<Bytes> => voter.read(id, start, end);
			const parts = await openObject(read, await voter.size(id), cipher);
			expect(Buffer.concat(parts).equals(Buffer.from(plain))).toBe(true);

			const info = await voter.info();
			expect([info.role, info.storage, info.id]).toEqual(['voter', null, made.review]);
			const cast = await voter.putVote(pair, kit.newVote(), kit.newId());
			expect(cast.voter).toBe(await voterId(info, device));
			expect((await once.putVote(pair, kit.newVote(), kit.newId())).voter).toBe(made.links[2]);
			await expect(once.putVote(pair, kit.newVote(), kit.newId())).rejects.toMatchObject({ code: 'conflict' });
			expect(await voter.votes(0)).toEqual([cast]);
			expect(await owner.votes(0)).toHaveLength(2);

			const note = randomId();
			expect((await commenter.putNote(note, 'AAAA', 0)).revision).toBe(1);
			await expect(voter.notes(0)).rejects.toMatchObject({ code: 'link-refused' });
			await commenter.removeNote(note);
			expect(await owner.notes(0)).toMatchObject([{ id: note, body: null }]);

			const late = await linkRecord(randomBytes(32), keys.contentKey, { role: 'viewer', passphrase: 'long enough' });
			const added = await owner.addLink(late);
			await owner.revokeLink(added.id);
			expect((await owner.links()).map((l) => [l.role, l.revokedAt !== null])).toEqual([
				...[
					['owner', false],
					['voter', false],
					['voter', false],
					['commenter', false],
				],
				['viewer', true],
			]);
			await expect(owner.declareObject(randomId(), 2.5e9)).rejects.toMatchObject({ code: 'share-quota' });
			await owner.update({ state: 'closed' });
			await expect(commenter.putNote(randomId(), 'AAAA', 0)).rejects.toMatchObject({ code: 'review-closed' });
			await owner.remove();
			await expect(owner.info()).rejects.toMatchObject({ code: 'link-refused' });
		});
	});
}
