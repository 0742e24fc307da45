import { describe, expect, it } from 'vitest';
import { randomId } from '../../share/bytes.ts';
import type { VoteRecord } from '../../share/protocol.ts';
import { smallReview } from '../../share/review.testkit.ts';
import { tally } from '../../share/statistics/results.ts';
import { csvCell, type ExportInput, resultsCsv, resultsJson } from './export.ts';

async function input(reason: string): Promise<ExportInput> {
	const { manifest: sent, secrets } = await smallReview({ labels: ['=cmd|1', 'Re,stored'] });
	const manifest = { ...sent, review: randomId() };
	const { id, a, b } = manifest.presentations[0]!;
	const vote: VoteRecord = {
		...{ presentation: id, link: randomId(), voter: 'v', once: true, seq: 1, createdAt: 1000, updatedAt: 2000 },
		...{
			choice: 'left',
			left: a.object,
			right: b.object,
			position: 0,
			viewedMs: 4000,
			plays: 2,
			reason: '',
			revision: 2,
		},
	};
	const results = tally({ manifest, secrets, votes: [vote] });
	return { manifest, secrets, votes: [vote], results, notes: [], approvals: [], reasonOf: () => reason };
}

describe('exports', () => {
	it('defuse what a spreadsheet would run, and quote what would break a row', () => {
		for (const bad of ['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1']) expect(csvCell(bad), bad).toContain("'");
		expect(csvCell('a "b", c')).toBe('"a ""b"", c"');
		expect(csvCell('two\nlines')).toBe('"two\nlines"');
		expect(csvCell(-3)).toBe('-3');
		expect(csvCell('plain')).toBe('plain');
	});

	it('name versions and choices, one vote a row', async () => {
		const rows = resultsCsv(await input('=HYPERLINK("x")')).split('\r\n');
		expect(rows).toHaveLength(3);
		expect(rows[0]).toMatch(/^\ufeffvoter,/);
		expect(rows[1]).toContain(`,'=cmd|1,"Re,stored",left,'=cmd|1,4000,2,1,`);
		expect(rows[1]).toMatch(/"'=HYPERLINK\(""x""\)"$/);
	});

	it('are JSON with results, votes and reasons', async () => {
		const json = JSON.parse(resultsJson(await input('why'))) as {
			results: { votes: number };
			votes: { preferred: string; reason: string }[];
		};
		expect(json.results.votes).toBe(1);
		expect(json.votes).toMatchObject([{ preferred: '=cmd|1', reason: 'why' }]);
	});
});
