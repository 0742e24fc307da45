/** The headless page's part of `npm run review -- make`: films that are versions are opened, their shots found, clips and stills rendered. */

import type { FrameRange } from '../contracts/frames.ts';
import type { SourceInput } from '../contracts/media.ts';
import type { ClipProgress, HeadlessReviewJob, HeadlessReviewResult, HeadlessVersion } from '../contracts/review.ts';
import type { ExportProgress } from '../contracts/workers.ts';
import type { Transfer } from '../core/color.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../core/errors.ts';
import { phrase, say } from '../core/phrases.ts';
import { parseRational } from '../core/rational.ts';
import { numberingOf } from '../project/schema.ts';
import { EMPTY_RECIPE } from '../project/recipe.ts';
import { cropFrameBudget, USUAL_PAIRS } from '../share/making/estimate.ts';
import { createEngine, type Engine, type OpenSource } from '../services/engine.ts';
import { renderClips, type VersionToRender } from '../services/review/render.ts';
import type { ClipPlace } from '../services/review/work.ts';

/** Where the terminal's writer listens. */
const WRITER_BASE = '/run';
/** Largest body that the writer takes. */
const MOST_BODY = 8 << 20;

/** What the terminal is told meanwhile. */
export interface ReviewTalk {
	readonly notice: (message: string) => void;
	readonly progress: (progress: ExportProgress) => void;
}

function filesOf(index: number): SourceInput['files'] {
	const element = document.querySelector<HTMLInputElement>(`#version-${index}`);
	return [...(element?.files ?? [])].map((file) => ({ path: file.name, file }));
}

/** One request to the writer. */
async function ask(token: string, action: string, query: Record<string, string>, body?: Blob): Promise<unknown> {
	const response = await fetch(`${WRITER_BASE}/${action}?${new URLSearchParams(query).toString()}`, {
		method: 'POST',
		cache: 'no-store',
		headers: { 'X-Emulsion-Token': token },
		...(body ? { body } : {}),
	});
	if (response.ok) return response.json();
	const full = response.status === 507;
	const detail = await response.text();
	const said = full
		? phrase('output-full', { name: query['name'] ?? action })
		: phrase('output-answered', { name: action, status: response.status, detail });
	throw new EmulsionError(full ? 'quota-exceeded' : 'storage-unavailable', said, { retryable: true });
}

/** The terminal's writer as the place of clips and stills; counts all bytes. */
class WriterPlace implements ClipPlace {
	readonly #token: string;
	bytes = 0;

	constructor(token: string) {
		this.#token = token;
	}

	target(): ReturnType<ClipPlace['target']> {
		return { kind: 'http', base: WRITER_BASE, token: this.#token };
	}

	written(_file: string, bytes: number): void {
		this.bytes += bytes;
	}

	async read(name: string): Promise<Blob> {
		const headers = { 'X-Emulsion-Token': this.#token };
		const address = `${WRITER_BASE}/read?${new URLSearchParams({ name }).toString()}`;
		const response = await fetch(address, { cache: 'no-store', headers });
		if (response.ok) return response.blob();
		throw new EmulsionError(
			'storage-unavailable',
			phrase('output-answered', { name, status: response.status, detail: '' }),
		);
	}

	async put(name: string, blob: Blob): Promise<void> {
		const { id } = (await ask(this.#token, 'open', { name })) as { readonly id: string };
		for (let at = 0; at < blob.size; at += MOST_BODY) {
			await ask(this.#token, 'write', { id, at: String(at) }, blob.slice(at, at + MOST_BODY));
		}
		await ask(this.#token, 'close', { id });
		this.bytes += blob.size;
	}
}

async function openVersion(
	engine: Engine,
	job: HeadlessReviewJob,
	version: HeadlessVersion,
	index: number,
	{ notice }: ReviewTalk,
	signal: AbortSignal,
): Promise<OpenSource> {
	const rate = job.rate === undefined ? undefined : parseRational(job.rate);
	const { kind, pattern, name } = version;
	const isSequence = kind === 'sequence';
	const input: SourceInput = {
		kind,
		files: filesOf(index),
		...(pattern === undefined ? {} : { pattern }),
		...(rate === undefined || !isSequence ? {} : { rate }),
		...(job.transfer === undefined || !isSequence ? {} : { transfer: job.transfer as Transfer }),
	};
	try {
		const source = await engine.open(input, () => undefined, signal);
		for (const { severity, message } of source.info.notices) notice(`${name}: ${severity}: ${message}`);
		if (source.info.color.transfer !== 'unknown') return source;
	} catch (thrown) {
		const error = toEmulsionError(thrown);
		throw new EmulsionError(error.code, phrase('at-path', { path: name, what: error.said }), error.details);
	}
	throw new EmulsionError('transfer-unknown', phrase('making-transfer', { version: name }));
}

/** What is left for lossless crops of what a review may consist of. */
function cropBudget({ budget, settings, versions }: HeadlessReviewJob, shots: number): number {
	const { blind, pairs } = budget;
	const couples = (versions.length * (versions.length - 1)) / 2;
	const asked = pairs ?? Math.min(USUAL_PAIRS, couples * shots);
	return cropFrameBudget({ versions: versions.length, shots, stills: settings.stills, blind, pairs: asked });
}

/** The longest of the shots, in the film's order. */
function longest(shots: readonly FrameRange[], most: number): FrameRange[] {
	const byLength = [...shots].sort((a, b) => b.end - b.start - (a.end - a.start)).slice(0, most);
	return byLength.map(({ start, end }) => ({ start, end })).sort((a, b) => a.start - b.start);
}

const PHASES: Readonly<Record<ClipProgress['phase'], ExportProgress['phase']>> = {
	check: 'plan',
	clips: 'render',
	stills: 'render',
	grain: 'analyze',
};

async function render(job: HeadlessReviewJob, talk: ReviewTalk, signal: AbortSignal): Promise<HeadlessReviewResult> {
	const engine = createEngine({
		backend: job.backend,
		onRestart: (worker, reason) => talk.notice(`The ${worker} worker was restarted: ${reason.message}`),
	});
	try {
		const backend = await engine.backend();
		talk.notice(`backend: ${backend.kind} (${say(backend.name)}) — ${say(backend.reason)}`);
		const sources: OpenSource[] = [];
		for (const [index, version] of job.versions.entries()) {
			sources.push(await openVersion(engine, job, version, index, talk, signal));
		}
		const film = sources[0]!;
		const found = await engine.shots(
			film,
			({ done, total }) => talk.progress({ phase: 'analyze', done, total, framesPerSecond: 0, remainingSeconds: null }),
			signal,
		);
		const shots = job.shots ?? longest(found, job.mostShots);
		talk.notice(`${shots.length} of ${found.length} shots: ${shots.map((s) => `${s.start}:${s.end}`).join(' ')}`);
		throwIfAborted(signal);
		const versions = sources.map(({ id, info }, index): VersionToRender => {
			const label = job.versions[index]!.name;
			// The first film's shots hold for all: what differs in length is refused.
			return { label, request: { source: id, info, shots: found, recipe: EMPTY_RECIPE } };
		});
		const place = new WriterPlace(job.token);
		const onProgress = ({ phase, done, total, remainingSeconds }: ClipProgress): void =>
			talk.progress({ phase: PHASES[phase], done, total, framesPerSecond: 0, remainingSeconds });
		const rendered = await renderClips(
			engine,
			versions,
			shots,
			{ ...job.settings, cropFrames: cropBudget(job, shots.length) },
			place,
			onProgress,
			signal,
		);
		return { ok: true, shots: rendered, numbering: numberingOf(film.info), bytes: place.bytes };
	} finally {
		engine.dispose();
	}
}

/** Renders the clips and stills of a review into the terminal's writer. Failures are data. */
export async function renderReview(
	job: HeadlessReviewJob,
	talk: ReviewTalk,
	signal: AbortSignal,
): Promise<HeadlessReviewResult> {
	try {
		return await render(job, talk, signal);
	} catch (thrown) {
		return { ok: false, error: toEmulsionError(thrown).toRecord() };
	}
}
