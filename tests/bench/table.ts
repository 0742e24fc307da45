/** Rows as text: a table for the terminal, and one between markers in the documentation. */

import { BENCHES, type BenchName, type BenchReport, type BenchRow, type Machine } from './types.ts';

const VERDICT = (row: BenchRow): string => (row.pass === null ? '' : row.pass ? 'pass' : 'FAIL');

function cells(row: BenchRow): string[] {
	return [row.bench, row.name, row.target, row.figure, VERDICT(row)];
}

/** A table for the terminal, columns aligned. */
export function terminalTable(rows: readonly BenchRow[]): string {
	const all = [['bench', 'what', 'target', 'figure', ''], ...rows.map(cells)];
	const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => [...line[column]!].length)));
	const pad = (text: string, column: number): string => text + ' '.repeat(widths[column]! - [...text].length);
	return all.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** One sentence about the machine. */
export function describeMachine(machine: Machine): string {
	const { cpu, cores, memoryBytes, system, chromium, node, loadBefore } = machine;
	const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
	return `${cores} cores (${cpu}), ${memory}, ${system}, ${chromium}, Node ${node}; load before the run ${loadBefore.toFixed(1)}`;
}

const begin = (bench: BenchName): string => `<!-- bench:${bench} -->`;
const end = (bench: BenchName): string => `<!-- /bench:${bench} -->`;
const escapeCell = (text: string): string => text.replaceAll('|', '\\|');

/** The documentation's block for one bench: how and where it was measured, then its rows. */
export function documentationBlock(bench: BenchName, report: BenchReport): string {
	const rows = report.rows.filter((row) => row.bench === bench);
	const line = (values: readonly string[]): string => `| ${values.map(escapeCell).join(' | ')} |`;
	const busy = report.machine.loadBefore > report.machine.cores / 4;
	return [
		`\`${report.command}\`, ${report.date}, commit ${report.commit}: ${describeMachine(report.machine)}.`,
		...(busy ? ['', '**The machine was busy with other work: ratios hold better than rates.**'] : []),
		'',
		line(['what', 'target', 'figure', 'verdict']),
		line(['---', '---', '---', '---']),
		...rows.map((row) => line([row.name, row.target, row.figure, VERDICT(row)])),
	].join('\n');
}

/** Replaces the blocks of the benches that ran, and leaves all else. Throws where a marker is missing. */
export function writeBlocks(text: string, report: BenchReport): string {
	let result = text;
	for (const bench of BENCHES) {
		if (!report.rows.some((row) => row.bench === bench)) continue;
		const from = result.indexOf(begin(bench));
		const to = result.indexOf(end(bench));
		if (from < 0 || to < from) throw new Error(`the document has no ${begin(bench)} … ${end(bench)}`);
		const head = result.slice(0, from + begin(bench).length);
		result = `${head}\n\n${documentationBlock(bench, report)}\n\n${result.slice(to)}`;
	}
	return result;
}
