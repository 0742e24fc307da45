/** What `docs/share-service.md` says in tables is what the code says. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';
import { LIMITS, MAY, REFUSALS, ROLES, type Route, ROUTES } from '../../src/share/protocol.ts';
import { VARIABLES } from './config.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs', 'share-service.md'), 'utf8');

/** Rows of the table between two markers, cells trimmed; the rule below the head is left out. */
function table(name: string): string[][] {
	const block = new RegExp(`<!-- ${name} -->(.*?)<!-- /${name} -->`, 's').exec(DOCUMENT)?.[1] ?? '';
	const lines = block.split('\n').filter((line) => line.startsWith('|'));
	return lines
		.map((line) =>
			line
				.slice(1, -1)
				.split(/(?<!\\)\|/)
				.map((cell) => cell.trim()),
		)
		.filter((cells) => !cells.every((cell) => /^:?-+:?$/.test(cell)));
}

describe('docs/share-service.md', () => {
	it('has the matrix of routes and capabilities', () => {
		const rows = (Object.entries(ROUTES) as [Route, string][]).map(([name, pattern]) => {
			const may = (role: (typeof ROLES)[number]): string =>
				name === 'create' || MAY[name].includes(role) ? 'yes' : '–';
			return [`\`${name}\``, `\`${pattern}\``, name === 'create' ? 'yes' : '–', ...ROLES.map(may)];
		});
		expect(table('matrix')).toEqual([['route', 'request', 'no link', ...ROLES], ...rows]);
	});

	it('has every setting', () => {
		const rows = Object.entries(VARIABLES).map(([name, what]) => [`\`${name}\``, what]);
		expect(table('settings')).toEqual([['variable', 'meaning (default)'], ...rows]);
	});

	it('has every refusal and bound', () => {
		expect(table('refusals')).toEqual([
			['code', 'status'],
			...Object.entries(REFUSALS).map(([code, status]) => [`\`${code}\``, String(status)]),
		]);
		expect(table('bounds')).toEqual([
			['bound', 'value'],
			...Object.entries(LIMITS).map(([name, value]) => [`\`${name}\``, String(value)]),
		]);
	});
});
