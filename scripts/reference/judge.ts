/**
 * `npx tsx scripts/reference/judge.ts`: how often the judge's 95 % interval holds, in simulated reviews: voters follow known rules, the judge is
 * fitted to the first shots, and its accuracy is counted on 300 more. The figures are in `src/share/judge/README.md`.
 */

import type { ClipMetrics } from '../../src/core/quality.ts';
import { judge } from '../../src/share/judge/judge.ts';
import { simulate } from '../../src/share/judge/votes.testkit.ts';

const REVIEWS = 200;
const COMING = 300;
const prefer = (a: ClipMetrics['values'], b: ClipMetrics['values']): number =>
	1.5 * (a.sharpness! - b.sharpness!) - 0.8 * (a.flicker! - b.flicker!);

console.log('| shots | voters | reviews | interval held | accuracy on new shots minus the one stated |');
console.log('| --- | --- | --- | --- | --- |');
for (const shots of [10, 16, 24]) {
	for (const voters of [5, 12]) {
		let [fitted, held, apart] = [0, 0, 0];
		for (let seed = 0; seed < REVIEWS; seed++) {
			const { record, votes } = simulate({
				seed: 1 + seed,
				shots: shots + COMING,
				versions: ['a', 'b'],
				voters,
				prefer,
			});
			const isPast = ({ shot }: { readonly shot: string }): boolean => Number(shot.slice(5)) < shots;
			const judgement = judge(record, votes.filter(isPast));
			// Too many ties among few shots.
			if (judgement.state !== 'fitted') continue;
			fitted++;
			const said = new Map(judgement.pairs.map(({ shot, probability }) => [shot, probability]));
			const coming = votes.filter((vote) => !isPast(vote) && vote.winsA !== vote.winsB);
			const right =
				coming.filter(({ shot, winsA, winsB }) => said.get(shot)! > 0.5 === winsA > winsB).length / coming.length;
			const { interval, right: counted, of } = judgement.accuracy;
			if (right >= interval[0] && right <= interval[1]) held++;
			apart += right - counted / of;
		}
		console.log(`| ${shots} | ${voters} | ${fitted} | ${held} | ${(apart / fitted).toFixed(3)} |`);
	}
}
