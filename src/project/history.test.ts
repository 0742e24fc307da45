import { describe, expect, it } from 'vitest';
import type { EmulsionError } from '../core/errors.ts';
import { validateShots } from '../core/shots.ts';
import type { Command } from './commands.ts';
import { applyCommand } from './commands.ts';
import { execute, type History, redo, startHistory, undo } from './history.ts';
import { STATE_KEYS } from './persistence.ts';
import { MATTE, METAS, seeded, SHOTS, testProject, testReel } from './project.testkit.ts';
import { parseProject, serializeProject } from './validate.ts';
import type { Project } from './schema.ts';

const context = { metas: METAS };
const reelOf = (h: History, i = 0): Project['reels'][number] => h.present.reels[i]!;

/** A random command, valid or not. */
function randomCommand(random: () => number, project: Project): Command {
	const int = (n: number): number => Math.floor(random() * n);
	const reel = 'r1';
	const ids = project.reels[0]?.recipe.stages.map((s) => s.id) ?? [];
	const id = ids[int(ids.length + 1)] ?? 'nothing-9';
	const pick: readonly (() => Command)[] = [
		() => ({ type: 'rename', name: `n${int(5)}` }),
		() => ({ type: 'add-stage', reel, stage: random() < 0.5 ? 'clean' : 'grow' }),
		() => ({ type: 'remove-stage', reel, id }),
		() => ({ type: 'move-stage', reel, id, to: int(6) - 1 }),
		() => ({ type: 'enable-stage', reel, id, enabled: random() < 0.5 }),
		() => ({ type: 'param', reel, id, name: 'sigma', value: int(100) }),
		() => ({ type: 'scope', reel, id, scope: { shots: [int(4)] } }),
		() => ({ type: 'region', reel, id, region: ['all', 'face', 'outside:face', 'sky'][int(4)]! }),
		() => ({ type: 'add-matte', reel, matte: { ...MATTE, id: `m${int(3)}`, frames: [1, 50, 100][int(3)]! } }),
		() => ({ type: 'rename-matte', reel, id: ['face', 'm0', 'm1'][int(3)]!, name: ['face', 'm1', 'all'][int(3)]! }),
		() => ({ type: 'remove-matte', reel, id: ['face', 'm0', 'm1'][int(3)]! }),
		() => ({ type: 'relink-matte', reel, matte: { ...MATTE, fingerprint: `f${int(3)}` } }),
		() => ({ type: 'split-shot', reel, frame: int(110) }),
		() => ({ type: 'merge-shot', reel, index: int(6) }),
		() => ({ type: 'transition', reel, index: int(5), boundary: { transition: 'cut', frame: int(100) } }),
		() => ({ type: 'marks', reel, marks: { in: random() < 0.3 ? null : int(120), out: int(120) } }),
		() => ({ type: 'view', reel, view: { frame: int(100) } }),
	];
	return pick[int(pick.length)]!();
}

describe('undo and redo', () => {
	it('goes back through every step and forward again, whatever the commands were', () => {
		for (let seed = 0; seed < 60; seed++) {
			const random = seeded(seed);
			let history = startHistory(testProject());
			const states = [serializeProject(history.present)];
			for (let i = 0; i < 40; i++) {
				try {
					const next = execute(history, randomCommand(random, history.present), context, i * 5000);
					if (next.past.length > history.past.length) states.push(serializeProject(next.present));
					else states[states.length - 1] = serializeProject(next.present);
					history = next;
				} catch (error) {
					expect(['usage', 'recipe-invalid', 'project-invalid']).toContain((error as EmulsionError).code);
				}
				validateShots(reelOf(history).shots ?? [], 100);
				expect(parseProject(serializeProject(history.present), METAS)).toEqual(history.present);
			}
			const view = reelOf(history).view;
			const withView = (text: string): Project => {
				const project = parseProject(text, METAS);
				return { ...project, reels: project.reels.map((r) => ({ ...r, view })) };
			};
			for (let i = states.length - 2; i >= 0; i--) {
				history = undo(history);
				expect(history.present).toEqual(withView(states[i]!));
			}
			expect(undo(history)).toBe(history);
			for (let i = 1; i < states.length; i++) {
				history = redo(history);
				expect(history.present).toEqual(withView(states[i]!));
			}
			expect(redo(history)).toBe(history);
		}
	});

	it('makes one step of a dragged slider, and two of two sliders', () => {
		let h = execute(startHistory(testProject()), { type: 'add-stage', reel: 'r1', stage: 'clean' }, context, 0);
		const drag = (value: number, at: number): void => {
			h = execute(h, { type: 'param', reel: 'r1', id: 'clean-1', name: 'sigma', value }, context, at);
		};
		drag(1, 5000);
		drag(2, 5400);
		drag(3, 5900);
		expect(h.past).toHaveLength(2);
		drag(4, 9000);
		expect(h.past).toHaveLength(3);
		h = undo(undo(h));
		expect(reelOf(h).recipe.stages[0]?.params['sigma']).toBe('auto');
	});

	it('keeps the playhead where it is and drops the future on a new step', () => {
		let h = startHistory(testProject());
		h = execute(h, { type: 'split-shot', reel: 'r1', frame: 10 }, context, 0);
		h = execute(h, { type: 'view', reel: 'r1', view: { frame: 42 } }, context, 1);
		expect(h.past).toHaveLength(1);
		h = undo(h);
		expect(reelOf(h).shots).toHaveLength(3);
		expect(reelOf(h).view.frame).toBe(42);
		expect(h.future).toHaveLength(1);
		h = execute(h, { type: 'rename', name: 'other' }, context, 2);
		expect(redo(h)).toBe(h);
	});

	it('leaves activeReel on a reel that exists', () => {
		let h = startHistory(testProject());
		h = execute(h, { type: 'add-reel', reel: testReel('r2') }, context, 0);
		expect(h.present.activeReel).toBe('r2');
		h = undo(h);
		expect(h.present.activeReel).toBe('r1');
	});

	it('says for every key of document and reel where it lives', () => {
		const project = testProject();
		for (const key of Object.keys(project)) expect(STATE_KEYS).toHaveProperty([`project.${key}`]);
		for (const key of Object.keys(testReel())) expect(STATE_KEYS).toHaveProperty([`reel.${key}`]);
		const undoable = Object.entries(STATE_KEYS).filter(([, policy]) => policy.undo);
		expect(undoable.every(([, policy]) => policy.place === 'project')).toBe(true);
	});
});

describe('commands', () => {
	it('puts a new stage where the default order wants it', () => {
		let project = applyCommand(testProject(), { type: 'add-stage', reel: 'r1', stage: 'grow' }, context);
		project = applyCommand(project, { type: 'add-stage', reel: 'r1', stage: 'clean' }, context);
		project = applyCommand(project, { type: 'add-stage', reel: 'r1', stage: 'clean' }, context);
		expect(project.reels[0]?.recipe.stages.map((s) => s.id)).toEqual(['clean-1', 'clean-2', 'grow-1']);
	});

	it('follows shots when they are split and merged', () => {
		let project = applyCommand(testProject(), { type: 'add-stage', reel: 'r1', stage: 'clean' }, context);
		const scope = (): unknown => project.reels[0]?.recipe.stages[0]?.scope;
		project = applyCommand(project, { type: 'scope', reel: 'r1', id: 'clean-1', scope: { shots: [1] } }, context);
		project = applyCommand(project, { type: 'split-shot', reel: 'r1', frame: 10 }, context);
		expect(scope()).toEqual({ shots: [2] });
		project = applyCommand(project, { type: 'split-shot', reel: 'r1', frame: 50 }, context);
		expect(scope()).toEqual({ shots: [2, 3] });
		project = applyCommand(project, { type: 'merge-shot', reel: 'r1', index: 3 }, context);
		expect(scope()).toEqual({ shots: [2] });
	});

	it('clears the mark that a new one would cross', () => {
		const set = (from: Project, marks: { in: number | null; out: number | null }): Project =>
			applyCommand(from, { type: 'marks', reel: 'r1', marks }, context);
		let project = set(testProject(), { in: 10, out: 20 });
		project = set(project, { in: 50, out: 20 });
		expect(project.reels[0]?.marks).toEqual({ in: 50, out: null });
		project = set(project, { in: 50, out: 30 });
		expect(project.reels[0]?.marks).toEqual({ in: null, out: 30 });
		expect(set(project, { in: null, out: 30 })).toBe(project);
	});

	it('refuses shots that do not tile, values out of range, and names that do not exist', () => {
		const run =
			(command: Command): (() => unknown) =>
			() =>
				applyCommand(testProject(), command, context);
		expect(run({ type: 'shots', reel: 'r1', shots: SHOTS.slice(1) })).toThrow(/shots\[0\]\.start/);
		expect(run({ type: 'add-stage', reel: 'r1', stage: 'toString' })).toThrow(/no stage/);
		expect(run({ type: 'split-shot', reel: 'r1', frame: 30 })).toThrow(/starts there already/);
		expect(run({ type: 'rename', name: 'x' })).not.toThrow();
		expect(run({ type: 'enable-stage', reel: 'zz', id: 'a', enabled: true })).toThrow(/no reel/);
	});
});

describe('mattes', () => {
	const apply = (project: Project, ...commands: readonly Command[]): Project =>
		commands.reduce((p, command) => applyCommand(p, command, context), project);
	const staged = apply(
		testProject(),
		{ type: 'add-stage', reel: 'r1', stage: 'clean' },
		{ type: 'add-stage', reel: 'r1', stage: 'clean' },
		{ type: 'add-stage', reel: 'r1', stage: 'grow' },
		{ type: 'region', reel: 'r1', id: 'clean-1', region: 'face' },
		{ type: 'region', reel: 'r1', id: 'clean-2', region: 'outside:face' },
	);
	const regions = (project: Project): readonly string[] => project.reels[0]!.recipe.stages.map((s) => s.region);
	const names = (project: Project): readonly string[] => project.reels[0]!.mattes.map((m) => m.id);

	it('are renamed together with the regions inside and outside of them, in one step', () => {
		let h = execute(startHistory(staged), { type: 'rename-matte', reel: 'r1', id: 'face', name: 'head' }, context, 0);
		expect(names(h.present)).toEqual(['head']);
		expect(regions(h.present)).toEqual(['head', 'outside:head', 'all']);
		h = undo(h);
		expect(h.present).toEqual(staged);
		expect(names(redo(h).present)).toEqual(['head']);
		expect(apply(staged, { type: 'rename-matte', reel: 'r1', id: 'face', name: 'face' })).toBe(staged);
	});

	it('stay while a stage names them, and the refusal says which', () => {
		const remove: Command = { type: 'remove-matte', reel: 'r1', id: 'face' };
		expect(() => apply(staged, remove)).toThrow(/clean-1, clean-2/);
		const free = apply(
			staged,
			{ type: 'region', reel: 'r1', id: 'clean-1', region: 'all' },
			{ type: 'region', reel: 'r1', id: 'clean-2', region: 'all' },
		);
		expect(names(apply(free, remove))).toEqual([]);
	});

	it('are refused with a name that is taken or none, frames that are not the film’s, or one too many', () => {
		const add = (matte: Partial<typeof MATTE>): Command => ({
			type: 'add-matte',
			reel: 'r1',
			matte: { ...MATTE, id: 'sky', ...matte },
		});
		expect(names(apply(staged, add({})))).toEqual(['face', 'sky']);
		expect(names(apply(staged, add({ frames: 1 })))).toEqual(['face', 'sky']);
		expect(() => apply(staged, add({ id: 'face' }))).toThrow(/has a matte "face" already/);
		for (const id of ['all', '', 'a b', 'outside:face', '__proto__', 'x'.repeat(65)]) {
			expect(() => apply(staged, add({ id })), id).toThrow(/letters, digits/);
			expect(() => apply(staged, { type: 'rename-matte', reel: 'r1', id: 'face', name: id }), id).toThrow(/letters/);
		}
		expect(() => apply(staged, add({ frames: 99 }))).toThrow(/99 frames; expected 100/);
		const full = apply(staged, ...Array.from({ length: 63 }, (_, i) => add({ id: `m${i}` })));
		expect(() => apply(full, add({}))).toThrow(/at most 64/);
	});

	it('bound only stages that neither change size nor create frames, and only where the reel has them', () => {
		const region = (id: string, value: string): Command => ({ type: 'region', reel: 'r1', id, region: value });
		expect(() => apply(staged, region('grow-1', 'face'))).toThrow(/whole picture/);
		expect(() => apply(staged, region('clean-1', 'sky'))).toThrow(/no matte "sky"/);
		expect(() => apply(staged, region('clean-1', 'outside:'))).toThrow(/no matte/);
		expect(regions(apply(staged, region('clean-1', 'all')))).toEqual(['all', 'outside:face', 'all']);
	});

	it('take another file under their name', () => {
		const again = apply(staged, {
			type: 'relink-matte',
			reel: 'r1',
			matte: { ...MATTE, fingerprint: 'other', frames: 1 },
		});
		expect(again.reels[0]!.mattes[0]).toMatchObject({ id: 'face', fingerprint: 'other', frames: 1 });
		expect(() => apply(staged, { type: 'relink-matte', reel: 'r1', matte: { ...MATTE, id: 'sky' } })).toThrow(
			/no matte/,
		);
	});
});
