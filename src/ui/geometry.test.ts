import { describe, expect, it } from 'vitest';
import type { Shot } from '../core/shots.ts';
import { seeded } from '../project/project.testkit.ts';
import { formatAspect, formatBytes, formatDuration, formatRate, frameTimecode } from './format.ts';
import { frameAtX, frameX, ruler, type StripWindow, thumbnailSlots, visibleShots } from './strip/strip-view.ts';
import { fitScale, panBy, zoomAt } from './viewer/view-actions.ts';
import { DEFAULT_VIEW } from '../project/schema.ts';

const geometry = { picture: { width: 1440, height: 1080 }, canvas: { width: 800, height: 600 } };

describe('the viewer', () => {
	it('keeps the point under the cursor where it is while zooming', () => {
		const random = seeded(3);
		let view = { zoom: 1 as number | 'fit', center: { x: 0.5, y: 0.5 } };
		for (let i = 0; i < 100; i++) {
			const at = { x: (random() - 0.5) * 200, y: (random() - 0.5) * 200 };
			const before = view.zoom === 'fit' ? fitScale(geometry) : view.zoom;
			const next = zoomAt(view, geometry, at, 0.8 + 0.5 * random());
			const after = next.zoom as number;
			const inside = next.center.x > 0 && next.center.x < 1;
			if (inside) {
				expect(next.center.x + at.x / (1440 * after)).toBeCloseTo(view.center.x + at.x / (1440 * before), 9);
			}
			view = next;
		}
	});

	it('pans by canvas pixels and stays on the picture', () => {
		const view = { ...DEFAULT_VIEW, zoom: 2 };
		expect(panBy(view, geometry, 288, 0).center.x).toBeCloseTo(0.4, 9);
		expect(panBy(view, geometry, -1e6, 1e6).center).toEqual({ x: 1, y: 0 });
		expect(fitScale(geometry)).toBeCloseTo(600 / 1080, 9);
	});
});

describe('the shot strip', () => {
	const window: StripWindow = { start: 0, length: 1000, width: 500 };
	const shots = (lengths: readonly number[]): Shot[] => {
		let start = 0;
		return lengths.map((n, i) => {
			const shot = { start, end: start + n, transitionIn: i === 0 ? 'start' : 'cut', source: 'detected' } as const;
			start += n;
			return shot;
		});
	};

	it('maps frames to pixels and back', () => {
		for (const frame of [0, 1, 499, 999]) expect(frameAtX(window, frameX(window, frame) + 0.1)).toBe(frame);
	});

	it('puts ruler marks on whole seconds of the reel, apart enough to be read', () => {
		const marks = ruler(window, 24, 86_400 - 5);
		expect(marks.every((m) => (m + 86_400 - 5) % 24 === 0)).toBe(true);
		const gaps = marks.slice(1).map((m, i) => frameX(window, m) - frameX(window, marks[i] ?? 0));
		expect(Math.min(...gaps)).toBeGreaterThanOrEqual(96);
	});

	it('draws a long reel with few blocks and loses no shot', () => {
		const many = shots(Array.from({ length: 1000 }, () => 1));
		const blocks = visibleShots(many, window);
		expect(blocks.length).toBeLessThan(400);
		expect(blocks.reduce((sum, b) => sum + b.count, 0)).toBe(1000);
		expect(visibleShots(shots([100, 800, 100]), window).map((b) => b.count)).toEqual([1, 1, 1]);
		expect(visibleShots(shots([100, 800, 100]), { ...window, start: 200, length: 100 })).toHaveLength(1);
	});

	it('shows first and last of a shot and as many between as there is room for', () => {
		const slots = (list: readonly Shot[], index: number, view = window, thumb = 60) =>
			visibleShots(list, view)
				.filter((item) => item.index === index)
				.flatMap((item) => thumbnailSlots(list, item, view, thumb));
		const three = shots([100, 60, 840]);
		// 50, 30 and 420 pixels: one of the middle, none, seven side by side.
		expect(slots(three, 0)).toEqual([{ frame: 49, x: 0, width: 50, rank: 0 }]);
		expect(slots(three, 1)).toEqual([]);
		expect(slots(three, 2).map(({ frame }) => frame)).toEqual([160, 288, 416, 608, 736, 864, 999]);
		expect(slots(three, 2).map(({ x }) => x)).toEqual([0, 60, 120, 180, 240, 300, 360]);
		// 50 pixels hold two of 40 whose sides are cut off, and one of 45 whole.
		expect(slots(three, 0, window, 40).map(({ frame, x, width }) => [frame, x, width])).toEqual([
			[0, 0, 25],
			[99, 25, 25],
		]);
		expect(slots(three, 0, window, 45).map(({ width }) => width)).toEqual([45]);
		// Zoomed in, only what is on screen; never more than frames.
		const near = { ...window, start: 500, length: 10 };
		expect(slots(three, 2, near).every(({ x }) => x > (500 - 160) * 50 - 60 && x < (510 - 160) * 50)).toBe(true);
		expect(slots(shots([1]), 0, { ...window, length: 1 })).toHaveLength(1);
		// A dissolve's frames show two pictures.
		const dissolve = { from: 90, to: 110 };
		const mixed: Shot[] = [three[0]!, { ...three[1]!, transitionIn: 'dissolve', dissolve }, three[2]!];
		const wide = { ...window, length: 250 };
		expect(slots(mixed, 0, wide).at(-1)!.frame).toBe(89);
		expect(slots(mixed, 1, wide)[0]!.frame).toBe(110);
	});
});

describe('figures', () => {
	it('are written as people write them', () => {
		expect([0, 999, 1000, 1_840_000_000].map(formatBytes)).toEqual(['0 B', '999 B', '1.00 kB', '1.84 GB']);
		expect([0, 0.2, 59.5, 3661].map(formatDuration)).toEqual(['0:00', '0:01', '1:00', '1:01:01']);
		expect(formatRate({ num: 24_000, den: 1001 })).toBe('23.976');
		expect(formatAspect(720, 576, { num: 16, den: 15 })).toBe('4:3');
		expect(frameTimecode(0, { firstFrame: 86_400, base: 24, drop: false })).toBe('01:00:00:00');
	});
});
