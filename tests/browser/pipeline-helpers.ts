/** The whole engine with its real workers, for tests. */

import type { Recipe, RecipeStage } from '../../src/contracts/recipe.ts';
import type { ExportReport } from '../../src/contracts/report.ts';
import type { ContainerId } from '../../src/contracts/media.ts';
import type { ExportProgress, ExportRequest, PlanRequest } from '../../src/contracts/workers.ts';
import type { Shot } from '../../src/core/shots.ts';
import { createEngine, type Engine, type EngineOptions, type OpenSource } from '../../src/services/engine.ts';
import { fixtureFile } from '../helpers/browser-files.ts';

/** A signal that never fires. */
export const NEVER = new AbortController().signal;
export const quiet = (): void => undefined;

/** An engine on the wasm backend that is closed after the test. */
export async function withEngine<R>(
	test: (engine: Engine) => Promise<R>,
	options: Partial<EngineOptions> = {},
): Promise<R> {
	const engine = createEngine({ backend: 'wasm', threads: 1, ...options });
	try {
		return await test(engine);
	} finally {
		engine.dispose();
	}
}

/** Opens a clip made at test time. */
export async function openClip(engine: Engine, name: string): Promise<OpenSource> {
	const file = await fixtureFile(name);
	return engine.open({ files: [{ path: name, file }], kind: 'file' }, quiet, NEVER);
}

/** One shot over everything. */
export function oneShot(frames: number): readonly Shot[] {
	return [{ start: 0, end: frames, transitionIn: 'start', source: 'edited' }];
}

/** A recipe entry with defaults for what a test does not care about. */
export function entry(stage: string, rest: Partial<RecipeStage> = {}): RecipeStage {
	return { stage, id: `${stage}-0`, enabled: true, scope: 'all', region: 'all', params: {}, ...rest };
}

/** A recipe of entries. */
export function recipe(...stages: RecipeStage[]): Recipe {
	return { version: 1, stages };
}

/** A request over a whole source. */
export function planOf(
	source: OpenSource,
	stages: Recipe,
	shots: readonly Shot[] = oneShot(source.info.frames.length),
): PlanRequest {
	return { source: source.id, info: source.info, shots, recipe: stages };
}

/** An export into a private folder; `name` is made unique by the test. */
export function exportOf(plan: PlanRequest, name: string, rest: Partial<ExportRequest> = {}): ExportRequest {
	const container: ContainerId = 'mkv';
	return { ...plan, container, name, target: { kind: 'opfs', folder: 'tests' }, ...rest };
}

/** Exports and returns report and bytes. */
export async function exportFile(
	engine: Engine,
	request: ExportRequest,
	onProgress: (progress: ExportProgress) => void = quiet,
	signal: AbortSignal = NEVER,
): Promise<{ report: ExportReport; bytes: Uint8Array<ArrayBuffer> }> {
	const report = await engine.export(request, onProgress, signal);
	return { report, bytes: await readOutput(request.name) };
}

/** Bytes of a written file. */
export async function readOutput(name: string): Promise<Uint8Array<ArrayBuffer>> {
	const root = await navigator.storage.getDirectory();
	const folder = await root.getDirectoryHandle('tests', { create: true });
	const file = await (await folder.getFileHandle(name)).getFile();
	return new Uint8Array(await file.arrayBuffer());
}
