/** Shots as people write them down: `2, 5-8`, numbers from 1. */

/** Indexes from 0, in order, each once; undefined where the text is anything else, or names a shot that there is not. */
export function parseShotList(text: string, count: number): number[] | undefined {
	const chosen = new Set<number>();
	for (const part of text.split(/[,，、\s]+/).filter((p) => p !== '')) {
		const match = /^(\d{1,6})(?:[-–](\d{1,6}))?$/.exec(part);
		if (!match) return undefined;
		const first = Number(match[1]);
		const last = Number(match[2] ?? match[1]);
		if (first < 1 || last < first || last > count) return undefined;
		for (let shot = first; shot <= last; shot++) chosen.add(shot - 1);
	}
	return chosen.size === 0 ? undefined : [...chosen].sort((a, b) => a - b);
}

/** The shortest text that {@link parseShotList} reads as these indexes. */
export function formatShotList(shots: readonly number[]): string {
	const sorted = [...new Set(shots)].sort((a, b) => a - b);
	const runs: [number, number][] = [];
	for (const shot of sorted) {
		const last = runs.at(-1);
		if (last && last[1] === shot - 1) last[1] = shot;
		else runs.push([shot, shot]);
	}
	return runs.map(([a, b]) => (a === b ? `${a + 1}` : `${a + 1}-${b + 1}`)).join(', ');
}
