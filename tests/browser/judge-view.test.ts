/** The judge's plot and panel as people see them: real components in real Chromium. */

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { MetricId } from '../../src/core/quality.ts';
import { judge, type Judgement } from '../../src/share/judge/judge.ts';
import { simulate } from '../../src/share/judge/votes.testkit.ts';
import { I18n } from '../../src/state/i18n/i18n.svelte.ts';
import { Preferences } from '../../src/state/preferences.svelte.ts';
import CodecLossText from '../../src/ui/review/CodecLossText.svelte';
import JudgePanel from '../../src/ui/review/JudgePanel.svelte';
import JudgePlot from '../../src/ui/review/JudgePlot.svelte';
import '../../src/ui/theme.css';

const i18n = new I18n(new Preferences());
i18n.set('en');
let mounted: Record<string, unknown> | undefined;

afterEach(async () => {
	if (mounted) await unmount(mounted);
	mounted = undefined;
	i18n.set('en');
});

const review = simulate({
	seed: 4,
	shots: 12,
	versions: ['a', 'b'],
	voters: 9,
	ties: 0.1,
	prefer: (a, b) => 3 * (a.sharpness! - b.sharpness!),
});
const shots = review.record.sources.map(({ shot }, i) => ({
	id: shot,
	name: `Shot ${i + 1}`,
	start: 10 * i,
	frames: 10,
}));
const HOSTILE = '<img src=x onerror="document.title=1">';
const all = <T extends Element = HTMLElement>(selector: string): T[] => [...document.querySelectorAll<T>(selector)];
const text = (selector: string): string => all(selector)[0]?.textContent?.replace(/\s+/g, ' ').trim() ?? '';

describe('the plot', () => {
	function show(metrics?: readonly MetricId[]) {
		const sought: number[] = [];
		const versions = [
			{ id: 'a', name: 'Recipe A' },
			{ id: 'b', name: HOSTILE },
		];
		const props = { i18n, record: review.record, shots, versions, onseek: (frame: number) => sought.push(frame) };
		mounted = mount(JudgePlot, { target: document.body, props: metrics ? { ...props, metrics } : props });
		flushSync();
		return sought;
	}

	it('draws each version in every shot, by color and dash, and says all of it in a table', () => {
		show();
		const paths = all<SVGPathElement>('svg[data-metric=flicker] path.series');
		expect(paths).toHaveLength(24);
		const looks = paths.map((path) => `${path.getAttribute('stroke')} ${path.getAttribute('stroke-dasharray')}`);
		expect(new Set(looks).size).toBe(2);
		const metrics = all('svg[data-metric]').map((svg) => svg.dataset['metric']);
		expect(metrics).toContain('grainAmplitude');
		expect(all('details tbody tr')).toHaveLength(12 * metrics.length);
		const flicker = review.record.clips.find(({ shot, version }) => shot === 'shot-0' && version === 'a')!.metrics
			.values.flicker!;
		const line = all('details tbody tr')[metrics.indexOf('flicker')]!;
		expect(line.querySelector('td.num')!.textContent).toBe(flicker.toFixed(2));
		// Names are text, whatever they hold.
		expect(all('img')).toEqual([]);
		expect(text('[data-testid=plot-version]:nth-of-type(4)') || document.body.textContent).toContain(HOSTILE);
	});

	it('is read and used by keyboard alone', () => {
		const sought = show(['flicker']);
		const slider = all('[role=slider]')[0]!;
		const press = (key: string): void => {
			slider.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
			flushSync();
		};
		const mean = all('.value').map((cell) => cell.textContent);
		press('ArrowRight');
		expect(slider.getAttribute('aria-valuenow')).toBe('1');
		expect(slider.getAttribute('aria-valuetext')).toBe('Frame 2');
		press('End');
		expect(slider.getAttribute('aria-valuenow')).toBe('119');
		press('ArrowRight');
		press('Enter');
		expect(sought).toEqual([119]);
		press('Escape');
		expect(text('[data-testid=plot-at]')).toBe('Mean');
		expect(all('.value').map((cell) => cell.textContent)).toEqual(mean);
	});

	it('says so where nothing was measured', () => {
		mounted = mount(JudgePlot, {
			target: document.body,
			props: { i18n, record: { format: 1, sources: [], clips: [] }, shots: [], versions: [] },
		});
		flushSync();
		expect(document.body.textContent).toContain('Nothing was measured yet.');
	});
});

describe('the panel', () => {
	const names = Object.fromEntries(shots.map(({ id, name }) => [id, name]));
	function show(judgement: Judgement): string[] {
		const chosen: string[] = [];
		const versionNames = { a: 'Recipe A', b: 'Recipe B' };
		const props = { i18n, judgement, versionNames, shotNames: names, onshot: (shot: string) => chosen.push(shot) };
		mounted = mount(JudgePanel, { target: document.body, props });
		flushSync();
		return chosen;
	}

	it('says how often it was right, how sure it was, and shows every disagreement', () => {
		const judgement = judge(review.record, review.votes);
		if (judgement.state !== 'fitted') throw new Error('not fitted');
		const chosen = show(judgement);
		const { right, of } = judgement.accuracy;
		expect(text('[data-testid=judge-accuracy]')).toBe(`Right in ${right} of ${of} pairs`);
		expect(document.body.textContent).toContain('95 % interval');
		const rows = all('[data-testid=judge-predictions] tbody tr');
		expect(rows).toHaveLength(12);
		expect(rows.map((row) => row.querySelector('th')!.textContent.trim())).toEqual(Object.values(names));
		const differing = rows.filter((row) => row.lastElementChild!.textContent === 'differs');
		expect(differing).toHaveLength(judgement.disagreements.length);
		expect(judgement.disagreements.length).toBe(of - right);
		expect(all('[data-testid=judge-chance]')).toHaveLength(judgement.accuracy.betterThanChance ? 0 : 1);
		rows[2]!.querySelector('button')!.click();
		expect(chosen).toEqual(['shot-2']);
	});

	it('admits that chance is not ruled out', () => {
		const { record, votes } = simulate({ seed: 9, shots: 12, versions: ['a', 'b'], voters: 9, prefer: () => 0 });
		show(judge(record, votes));
		expect(text('[data-testid=judge-chance]')).toContain('Not shown to be better than chance');
	});

	it('predicts nothing from too few votes, and says what is missing, in both languages', () => {
		show(judge(review.record, review.votes.slice(0, 3)));
		expect(text('[data-testid=judge-few]')).toContain('3 pairs with a majority');
		expect(document.body.textContent).not.toMatch(/Right in/);
		i18n.set('zh-Hans');
		flushSync();
		expect(text('[data-testid=judge-few] h3')).toBe('投票太少，无法预测');
	});
});

describe('a clip', () => {
	it.for([
		[{ grain: [0.896, 0.29], crops: true }, 'The clips keep 89 / 29 % of the grain · Asked on lossless crops'],
		[{ grain: [0.5, 0.29], crops: true, seen: true }, 'Seen without loss; the clips keep only 50 / 29 % of the grain'],
		[{ grain: [1.02, 0.9] }, 'The clips keep 100 / 90 % of the grain'],
		[{ grain: [0.95, null] }, 'The clips keep 95 / – % of the grain'],
		[{ grain: [0.95, 0.9], least: true }, 'The clips keep at least 90 % of the grain'],
		[{ grain: [0.9, 0.95], least: true }, 'The clips keep at least 90 % of the grain'],
		[{ grain: [null, null] }, 'What the codec kept of the grain: no figure'],
		[{ grain: [null, null], least: true }, 'What the codec kept of the grain: no figure'],
	] as const)('states its codec loss: %j', ([given, said]) => {
		const props = { i18n, least: false, crops: false, ...given };
		mounted = mount(CodecLossText, { target: document.body, props });
		flushSync();
		expect(text('[data-testid=codec-loss]')).toBe(said);
		expect(all('[data-testid=codec-loss].warn')).toHaveLength(
			given.grain.some((kept) => kept !== null && kept < 0.9) && !('seen' in given) ? 1 : 0,
		);
	});
});
