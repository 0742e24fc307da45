import { expect, it } from 'vitest';
import type { SourceInfo } from '../contracts/media.ts';
import type { PlanRequest } from '../contracts/workers.ts';
import { PlanHandles, type PlanListener } from './plan-handles.ts';

/** Records what would cross the thread. */
function recorder(): { readonly sent: string[]; readonly worker: PlanListener } {
	const sent: string[] = [];
	const note =
		(what: string) =>
		(id: string, value?: unknown): Promise<void> => {
			sent.push(`${what} ${id}${value === undefined && what === 'know' ? ' closed' : ''}`);
			return Promise.resolve();
		};
	return { sent, worker: { know: note('know'), remember: note('remember'), forget: note('forget') } };
}

const info = { name: 'film', frames: [] } as unknown as SourceInfo;
const request = (source = 's', rest: Partial<PlanRequest> = {}): PlanRequest => ({
	source,
	info,
	shots: [],
	recipe: { version: 1, stages: [] },
	...rest,
});

it('tells a source and a request once, and equal parts are the same request', () => {
	const { sent, worker } = recorder();
	const handles = new PlanHandles(worker);
	const first = request();
	const id = handles.of(first);
	expect(handles.of({ ...first })).toBe(id);
	const ranged = handles.of({ ...first, range: { start: 0, end: 2 } });
	expect(ranged).not.toBe(id);
	expect(handles.of({ ...first, range: { start: 0, end: 2 } })).toBe(ranged);
	expect(handles.of({ ...first, recipe: { version: 1, stages: [] } })).not.toBe(id);
	expect(sent).toEqual(['know s', 'remember plan-1', 'remember plan-2', 'remember plan-3']);
});

it('tells mattes apart by name and source, and forgets what names a closed one', () => {
	const { sent, worker } = recorder();
	const handles = new PlanHandles(worker);
	const first = request();
	const matte = (id: string, source: string): NonNullable<PlanRequest['mattes']>[number] => ({
		...{ id, source, frames: 1, size: { width: 4, height: 4 }, rotation: 0, fingerprint: 'f' },
	});
	const plain = handles.of(first);
	const within = handles.of({ ...first, mattes: [matte('face', 'm1')] });
	expect(within).not.toBe(plain);
	expect(handles.of({ ...first, mattes: [matte('face', 'm1')] })).toBe(within);
	expect(handles.of({ ...first, mattes: [matte('sky', 'm1')] })).not.toBe(within);
	expect(handles.of({ ...first, mattes: [matte('face', 'm2')] })).not.toBe(within);
	sent.length = 0;
	handles.drop('m1');
	expect(sent).toEqual(['forget plan-2', 'forget plan-3']);
	expect(handles.of(first)).toBe(plain);
});

it('sends the mattes with the request', () => {
	const told: unknown[] = [];
	const answer = (): Promise<void> => Promise.resolve();
	const remember = (_id: string, parts: unknown): Promise<void> => {
		told.push(parts);
		return answer();
	};
	const mattes = [
		{ id: 'face', source: 'm1', frames: 1, size: { width: 4, height: 4 }, rotation: 0, fingerprint: 'f' },
	] as const;
	new PlanHandles({ know: answer, forget: answer, remember }).of(request('s', { mattes }));
	expect(told).toEqual([expect.objectContaining({ mattes })]);
});

it('forgets the request used longest ago, and all of a closed source', () => {
	const { sent, worker } = recorder();
	const handles = new PlanHandles(worker);
	const first = request();
	const second = request();
	handles.of(first);
	handles.of(second);
	for (let i = 0; i < 15; i++) {
		handles.of(first);
		handles.of(request());
	}
	expect(sent.filter((line) => line.startsWith('forget'))).toEqual(['forget plan-2']);
	expect(handles.of(first)).toBe('plan-1');
	sent.length = 0;
	handles.drop('s');
	expect(sent.filter((line) => line.startsWith('forget'))).toHaveLength(16);
	expect(sent.at(-1)).toBe('know s closed');
	handles.of(first);
	expect(sent.slice(-2)).toEqual(['know s', 'remember plan-18']);
});
