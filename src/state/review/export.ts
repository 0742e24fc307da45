/** Results as files: JSON for programs, CSV for tables. */

import type { Manifest, OwnerSecrets } from '../../share/manifest.ts';
import type { VoteRecord } from '../../share/protocol.ts';
import type { Approval, Note } from '../../share/notes.ts';
import type { Results } from '../../share/statistics/results.ts';

/** What is exported. */
export interface ExportInput {
	readonly manifest: Manifest;
	readonly secrets: OwnerSecrets;
	readonly votes: readonly VoteRecord[];
	readonly results: Results;
	/** What commenters said, with what was answered; JSON only. */
	readonly notes: readonly { readonly note: Note; readonly resolved: boolean; readonly replies: readonly string[] }[];
	/** Approvals and whether their signatures hold; JSON only. */
	readonly approvals: readonly { readonly approval: Approval; readonly signature: string }[];
	/** Unsealed reason of a vote; empty for none. */
	readonly reasonOf: (vote: VoteRecord) => string;
}

/** A table's cell. Text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, "CSV Injection"). */
export function csvCell(value: string | number): string {
	if (typeof value === 'number') return String(value);
	const safe = /^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
	return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const COLUMNS = [
	...['voter', 'one_time_link', 'shot', 'pair', 'kind', 'position', 'left', 'right', 'choice', 'preferred'],
	...['viewed_ms', 'plays', 'changes', 'first_voted', 'last_voted', 'left_out_because', 'reason'],
] as const;

/** One vote as a row of plain values, versions by their names. */
function rows({ manifest, secrets, votes, results, reasonOf }: ExportInput): (readonly (string | number)[])[] {
	const label = (version: string | undefined): string => secrets.versions.find((x) => x.id === version)?.label ?? '';
	const excluded = new Map(results.excluded.map((e) => [e.voter, e.reason]));
	return votes.map((vote) => {
		const pair = secrets.pairs.find((p) => p.presentation === vote.presentation);
		const shown = manifest.presentations.find((p) => p.id === vote.presentation);
		const version = (object: string): string => {
			if (!pair || !shown) return '';
			return object === shown.a.object ? label(pair.a) : object === shown.b.object ? label(pair.b) : '';
		};
		const chosen = vote.choice === 'tie' ? '' : version(vote.choice === 'left' ? vote.left : vote.right);
		return [
			...[vote.voter, vote.once ? 'yes' : 'no', manifest.shots.find((s) => s.id === shown?.shot)?.name ?? ''],
			...[vote.presentation, pair?.kind ?? '', vote.position + 1, version(vote.left), version(vote.right)],
			...[vote.choice, chosen, vote.viewedMs, vote.plays, vote.revision - 1],
			...[new Date(vote.createdAt).toISOString(), new Date(vote.updatedAt).toISOString()],
			...[excluded.get(vote.voter) ?? '', reasonOf(vote)],
		];
	});
}

/** All votes, one a row, with a byte order mark: spreadsheets then read UTF-8. */
export function resultsCsv(input: ExportInput): string {
	return `\ufeff${[COLUMNS, ...rows(input)].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;
}

/** Results and votes. `NaN` (a rate without votes) becomes null. */
export function resultsJson(input: ExportInput): string {
	const { manifest, secrets, results, notes, approvals } = input;
	const columns = COLUMNS as readonly string[];
	const named = {
		kind: 'emulsion-results',
		version: 1,
		review: manifest.review,
		title: manifest.title,
		question: manifest.question,
		blind: manifest.blind,
		versions: secrets.versions.map(({ id, label, source }) => ({ id, label, source })),
		results,
		notes,
		approvals,
		votes: rows(input).map((row) => Object.fromEntries(row.map((value, i) => [columns[i]!, value]))),
	};
	return `${JSON.stringify(named, null, '\t')}\n`;
}
