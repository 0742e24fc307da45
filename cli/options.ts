/** What `node:util`'s `parseArgs` throws, in words of our own. */

/** How many letters have to be put in, taken out, changed or swapped with their neighbor to make one word of the other. */
function distance(a: string, b: string): number {
	const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
	for (let i = 1; i <= a.length; i++) {
		const row = [i];
		for (let j = 1; j <= b.length; j++) {
			const changed = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
			let least = Math.min(changed, rows[i - 1]![j]! + 1, row[j - 1]! + 1);
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
				least = Math.min(least, rows[i - 2]![j - 2]! + 1);
			row.push(least);
		}
		rows.push(row);
	}
	return rows[a.length]![b.length]!;
}

/** The option that was most likely meant; undefined where none is near. */
export function nearestOption(wrong: string, names: readonly string[]): string | undefined {
	const word = wrong.replace(/^-+/, '');
	const near = names
		.map((name) => ({ name, away: distance(word, name) }))
		.filter(({ name, away }) => away <= 2 && away < Math.max(word.length, name.length) / 2)
		.sort((x, y) => x.away - y.away);
	return near[0]?.name;
}

/** The sentence for an error of `parseArgs`. @param names Long names of all options, without dashes. */
export function optionProblem(thrown: unknown, names: readonly string[]): string {
	const { message, code } = thrown as Error & { readonly code?: string };
	const wrong = code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /'(-[^']*)'/.exec(message)?.[1] : undefined;
	if (wrong === undefined) return message;
	const meant = nearestOption(wrong, names);
	return `${wrong} is no option${meant === undefined ? '' : `; did you mean --${meant}?`}`;
}
