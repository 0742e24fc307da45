import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../core/errors.ts';
import { execute, redo, startHistory, undo } from './history.ts';
import { migrate } from './migrations.ts';
import { ADOPTION, APPROVAL, MATTE, METAS, REVIEW, reviewedProject, testProject } from './project.testkit.ts';
import { MAX_KEPT_VERSIONS, PROJECT_VERSION } from './schema.ts';
import { parseProject, serializeProject } from './validate.ts';
import { applyCommand } from './commands.ts';

const context = { metas: METAS };

type Loose = { [key: string]: Loose } & Loose[] & { [key: string]: unknown };
const loose = (value: unknown): Loose => value as Loose;

function refused(change: (json: Loose) => void): EmulsionError {
	const json = JSON.parse(serializeProject(reviewedProject())) as Loose;
	change(json);
	try {
		parseProject(JSON.stringify(json), METAS);
	} catch (error) {
		if (error instanceof EmulsionError && error.code === 'project-invalid') return error;
		throw error;
	}
	throw new Error('was accepted');
}

describe('reviews in a project', () => {
	it('come back as they were written', () => {
		expect(parseProject(serializeProject(reviewedProject()), METAS)).toEqual(reviewedProject());
	});

	it('version 2 knows none', () => {
		const { reviews: _r, record: _c, ...old } = JSON.parse(serializeProject(testProject())) as Loose;
		const reels = old['reels']!.map(({ versions: _v, ...reel }) => reel);
		const migrated = parseProject(JSON.stringify({ ...old, version: 2, reels }), METAS);
		expect(migrated).toEqual(testProject());
		expect(migrate({ version: 1, reels: [{}] }, PROJECT_VERSION)).toEqual({
			...{ version: 3, reviews: [], record: [], reels: [{ mattes: [], versions: [] }] },
		});
	});

	const hostile: readonly (readonly [string, (json: Loose) => void])[] = [
		['reviews', (j) => (j['reviews'] = loose({}))],
		['reviews', (j) => (j['reviews'] = loose(Array.from({ length: 201 }, () => REVIEW)))],
		['reviews[0].id', (j) => (j['reviews']![0]!['id'] = loose('../../x'))],
		['reviews[0].origin', (j) => (j['reviews']![0]!['origin'] = loose('javascript:alert(1)'))],
		['reviews[0].origin', (j) => (j['reviews']![0]!['origin'] = loose('https://me:word@films.example'))],
		['reviews[0].origin', (j) => (j['reviews']![0]!['origin'] = loose('//films.example'))],
		['reviews[0].ownerSecret', (j) => (j['reviews']![0]!['ownerSecret'] = loose('s'.repeat(42)))],
		['reviews[0].ownerSecret', (j) => (j['reviews']![0]!['ownerSecret'] = loose('"'.repeat(43)))],
		['reviews[0].reel', (j) => (j['reviews']![0]!['reel'] = loose('__proto__ '))],
		['reviews[0].blind', (j) => (j['reviews']![0]!['blind'] = loose('yes'))],
		['reviews[0].expiresAt', (j) => (j['reviews']![0]!['expiresAt'] = loose(1e300))],
		['reviews[0].more', (j) => (j['reviews']![0]!['more'] = loose(1))],
		['record[0].kind', (j) => (j['record']![0]!['kind'] = loose('constructor'))],
		['record[0].kind', (j) => (j['record']![0] = loose(null))],
		['record[0].end', (j) => (j['record']![0]!['end'] = loose(0))],
		['record[0].approval.signature', (j) => (j['record']![0]!['approval']!['signature'] = loose('g'))],
		['record[0].approval.clipHash', (j) => (j['record']![0]!['approval']!['clipHash'] = loose('0F'.repeat(32)))],
		['record[0].approval.text', (j) => (j['record']![0]!['approval']!['text'] = loose('x'.repeat(1001)))],
		['record[1].p', (j) => (j['record']![1]!['p'] = loose(2))],
		['record[1].votes', (j) => (j['record']![1]!['votes'] = loose(-1))],
		['record[1].approval', (j) => (j['record']![1]!['approval'] = loose({}))],
		['reels[0].versions[0].recipe.stages', (j) => (j['reels']![0]!['versions']![0]!['recipe']!['stages'] = loose(7))],
		['reels[0].versions[0].name', (j) => (j['reels']![0]!['versions']![0]!['name'] = loose(''))],
		['reels[0].versions[1].id', (j) => j['reels']![0]!['versions']!.push(j['reels']![0]!['versions']![0]!)],
	];
	it.each(hostile)('%s is refused where it is something else', (path, change) => {
		expect(refused(change).details.path).toBe(path);
	});
});

describe('commands of reviews', () => {
	it('keep a version and remove it, each a step', () => {
		const keep = { type: 'keep-version', reel: 'r1', id: 'v1', name: ' A ', at: 5 } as const;
		const kept = execute(startHistory(testProject()), keep, context, 0);
		expect(kept.present.reels[0]!.versions).toEqual([
			{ id: 'v1', name: 'A', recipe: testProject().reels[0]!.recipe, keptAt: 5 },
		]);
		expect(() => execute(kept, { ...keep, id: 'v2' }, context, 1)).toThrow('no other');
		expect(() => execute(kept, { ...keep, id: 'v2', name: ' ' }, context, 1)).toThrow('name');
		const removed = execute(kept, { type: 'remove-version', reel: 'r1', id: 'v1' }, context, 2);
		expect(undo(removed).present).toEqual(kept.present);
		expect(undo(undo(removed)).present).toEqual(testProject());
		let full = testProject();
		for (let i = 0; i < MAX_KEPT_VERSIONS; i++)
			full = applyCommand(full, { ...keep, id: `v${i}`, name: `${i}` }, context);
		expect(() => applyCommand(full, { ...keep, id: 'x' }, context)).toThrow(String(MAX_KEPT_VERSIONS));
	});

	it('a kept version follows shots and mattes as the recipe does', () => {
		const add = { type: 'add-stage', reel: 'r1', stage: 'clean' } as const;
		let project = applyCommand(testProject(), add, context);
		project = applyCommand(project, { type: 'scope', reel: 'r1', id: 'clean-1', scope: { shots: [2] } }, context);
		project = applyCommand(project, { type: 'region', reel: 'r1', id: 'clean-1', region: MATTE.id }, context);
		project = applyCommand(project, { type: 'keep-version', reel: 'r1', id: 'v', name: 'A', at: 0 }, context);
		project = applyCommand(project, { type: 'remove-stage', reel: 'r1', id: 'clean-1' }, context);
		expect(() => applyCommand(project, { type: 'remove-matte', reel: 'r1', id: MATTE.id }, context)).toThrow(
			'versions: A',
		);
		project = applyCommand(project, { type: 'rename-matte', reel: 'r1', id: MATTE.id, name: 'eyes' }, context);
		project = applyCommand(project, { type: 'split-shot', reel: 'r1', frame: 10 }, context);
		expect(project.reels[0]!.versions[0]!.recipe.stages[0]).toMatchObject({ region: 'eyes', scope: { shots: [3] } });
	});

	it('a review that was made stays when something else is undone', () => {
		let history = execute(startHistory(testProject()), { type: 'rename', name: 'x' }, context, 0);
		history = execute(history, { type: 'add-review', review: REVIEW }, context, 1);
		expect(history.past).toHaveLength(1);
		expect(undo(history).present).toEqual({ ...testProject(), reviews: [REVIEW] });
		expect(redo(undo(history)).present.reviews).toEqual([REVIEW]);
		history = execute(history, { type: 'forget-review', id: REVIEW.id }, context, 2);
		expect(history.present.reviews).toEqual([]);
	});

	it('adopting sets recipe and record in one step, and both are undone', () => {
		const recipe = applyCommand(testProject(), { type: 'add-stage', reel: 'r1', stage: 'clean' }, context).reels[0]!
			.recipe;
		const adopt = { type: 'adopt', reel: 'r1', recipe, entry: ADOPTION } as const;
		const history = execute(startHistory(testProject()), adopt, context, 0);
		expect(history.present.reels[0]!.recipe).toBe(recipe);
		expect(history.present.record).toEqual([ADOPTION]);
		expect(undo(history).present).toEqual(testProject());
		expect(() => applyCommand(testProject(), { ...adopt, reel: 'none' }, context)).toThrow('none');
	});

	it('an approval is recorded once', () => {
		const record = { type: 'record', entries: [APPROVAL, APPROVAL] } as const;
		const project = applyCommand(testProject(), record, context);
		expect(project.record).toEqual([APPROVAL]);
		expect(applyCommand(project, record, context)).toBe(project);
	});
});
