/**
 * A folder of stills as a film: which files are its frames, in which order, and everything that is wrong with them, found
 * from headers alone before any work starts.
 */
import { formatPhrase, sameFormat, tagText, type Transfer, transferText } from '../../core/color.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import { type Phrase, phrase, say } from '../../core/phrases.ts';
import type { OnProgress } from '../../contracts/frames.ts';
import type { InputFile, SourceNotice } from '../../contracts/media.ts';
import { probeScanFile, SCAN_EXTENSIONS, type ScanProbe } from './formats.ts';
import {
	compareNatural,
	frameNumber,
	nameTemplate,
	numberPosition,
	parseName,
	patternMatcher,
	type NumberedName,
} from './names.ts';

/** One frame of a sequence. */
export interface SequenceFrame {
	readonly path: string;
	/** Bare file name. */
	readonly name: string;
	readonly file: File;
	/** Number in the name; undefined where names have none. */
	readonly number: number | undefined;
	/** What the header says; absent where `problem` is there. */
	readonly probe?: ScanProbe;
	/** Why the frame cannot be read. */
	readonly problem?: EmulsionError;
}

/** A surveyed sequence. */
export interface Sequence {
	/** In presentation order. */
	readonly frames: readonly SequenceFrame[];
	/** What most frames are: the source's own format. */
	readonly typical: ScanProbe;
	/** Everything odd, in order of frames. */
	readonly notices: readonly SourceNotice[];
}

interface Candidate {
	readonly input: InputFile;
	readonly name: string;
	readonly parts: NumberedName;
}

/** A sentence as a notice carries it. */
function told(said: Phrase): Pick<SourceNotice, 'message' | 'phrase'> {
	return { message: say(said), phrase: said };
}

/** Headers read at once: enough to hide a disk's latency. */
const PROBES_AT_ONCE = 8;

/**
 * Surveys the files of a folder. Only files of the (largest) numbered series become frames; all else is listed. Throws
 * `input-no-video` when no image is there, and `usage` for a bad pattern.
 */
export async function surveySequence(
	files: readonly InputFile[],
	options: { readonly pattern?: string; readonly signal?: AbortSignal; readonly onProgress?: OnProgress } = {},
): Promise<Sequence> {
	const notices: SourceNotice[] = [];
	const chosen = chooseSeries(selectImages(files, options.pattern, notices), notices);
	const ordered = orderFrames(chosen, notices);
	const frames = await probeAll(ordered, options.signal, options.onProgress);
	const typical = typicalProbe(frames);
	if (!typical) {
		const first = frames.find((f) => f.problem)?.problem;
		throw first?.with({ frame: 0 }) ?? noImages(options.pattern);
	}
	notices.push(...gapNotices(frames), ...frameNotices(frames, typical));
	return { frames, typical, notices };
}

function noImages(pattern: string | undefined): EmulsionError {
	const where = pattern === undefined ? 'The folder' : `Pattern "${pattern}"`;
	return new EmulsionError('input-no-video', phrase('no-images', { where }));
}

function selectImages(files: readonly InputFile[], pattern: string | undefined, notices: SourceNotice[]): Candidate[] {
	const matches = pattern === undefined ? () => true : patternMatcher(pattern);
	const candidates: Candidate[] = [];
	for (const input of files) {
		const name = input.path.split('/').pop() ?? input.path;
		const parts = parseName(name);
		// Files that folders collect by themselves are no news to anybody.
		if (name.startsWith('.') || name === 'Thumbs.db') continue;
		if (SCAN_EXTENSIONS[parts.extension.toLowerCase()] === undefined) {
			notices.push({
				severity: 'info',
				kind: 'not-an-image',
				...told(phrase('not-an-image', { path: input.path })),
				path: input.path,
			});
		} else if (matches(input.path)) {
			candidates.push({ input, name, parts });
		}
	}
	if (candidates.length === 0) throw noImages(pattern);
	return candidates;
}

/** The largest set of files whose paths differ in their number alone; the others are listed. */
function chooseSeries(candidates: readonly Candidate[], notices: SourceNotice[]): readonly Candidate[] {
	const alike = groupBy(candidates, ({ input, name, parts }) => {
		const folder = input.path.slice(0, input.path.length - name.length);
		const kind = SCAN_EXTENSIONS[parts.extension.toLowerCase()] ?? '';
		return [folder, parts.digits === '' ? '' : nameTemplate(name), kind].join('\0');
	});
	const series = alike.flatMap((list) => {
		const position = numberPosition(list.map((c) => c.name));
		const numbered = list.map((c) => ({ ...c, parts: parseName(c.name, position) }));
		return groupBy(numbered, ({ parts }) => (parts.digits === '' ? '' : `${parts.prefix}\0${parts.suffix}`));
	});
	const byPath = (list: readonly Candidate[]): string => list[0]?.input.path ?? '';
	const sorted = series.sort((a, b) => b.length - a.length || compareNatural(byPath(a), byPath(b)));
	for (const other of sorted.slice(1)) {
		const path = byPath(other);
		const said = phrase('other-series', { count: other.length, path });
		notices.push({ severity: 'warning', kind: 'other-series', ...told(said), path });
	}
	return sorted[0] ?? [];
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const list = groups.get(key(item));
		if (list) list.push(item);
		else groups.set(key(item), [item]);
	}
	return [...groups.values()];
}

/** By number, then by name; of two files with one number the first is the frame. */
function orderFrames(candidates: readonly Candidate[], notices: SourceNotice[]): SequenceFrame[] {
	const numbered = candidates.map(({ input, name, parts }) => ({
		path: input.path,
		name,
		file: input.file,
		number: frameNumber(parts),
	}));
	numbered.sort((a, b) => (a.number ?? 0) - (b.number ?? 0) || compareNatural(a.path, b.path));
	return numbered.filter((frame, i) => {
		const before = numbered[i - 1];
		if (before === undefined || frame.number === undefined || before.number !== frame.number) return true;
		const said = phrase('duplicate-frame', { path: frame.path, before: before.path, number: frame.number });
		notices.push({ severity: 'warning', kind: 'duplicate-frame', ...told(said), path: frame.path });
		return false;
	});
}

async function probeAll(
	frames: readonly SequenceFrame[],
	signal?: AbortSignal,
	onProgress?: OnProgress,
): Promise<SequenceFrame[]> {
	const out: SequenceFrame[] = new Array<SequenceFrame>(frames.length);
	let next = 0;
	let done = 0;
	const worker = async (): Promise<void> => {
		for (let i = next++; i < frames.length; i = next++) {
			throwIfAborted(signal);
			const frame = frames[i] as SequenceFrame;
			out[i] = await probeFrame(frame, i);
			onProgress?.({ phase: 'headers', done: ++done, total: frames.length });
		}
	};
	await Promise.all(Array.from({ length: PROBES_AT_ONCE }, worker));
	return out;
}

async function probeFrame(frame: SequenceFrame, index: number): Promise<SequenceFrame> {
	try {
		return { ...frame, probe: await probeScanFile(frame.file, frame.path) };
	} catch (thrown) {
		const error = toEmulsionError(thrown, { frame: index });
		const problem =
			error.code === 'internal'
				? new EmulsionError('input-unreadable', phrase('file-unreadable', { path: frame.path }), {
						frame: index,
						cause: thrown,
					})
				: error;
		return { ...frame, problem };
	}
}

/** The commonest combination of size, samples and tags; the earliest of equals. */
function typicalProbe(frames: readonly SequenceFrame[]): ScanProbe | undefined {
	const counts = new Map<string, { probe: ScanProbe; count: number }>();
	for (const { probe } of frames) {
		if (!probe) continue;
		const { size, pixel, color, format } = probe;
		const key = JSON.stringify([size, pixel, color, format]);
		const entry = counts.get(key);
		if (entry) entry.count++;
		else counts.set(key, { probe, count: 1 });
	}
	let best: { probe: ScanProbe; count: number } | undefined;
	for (const entry of counts.values()) if (!best || entry.count > best.count) best = entry;
	return best?.probe;
}

function gapNotices(frames: readonly SequenceFrame[]): SourceNotice[] {
	return frames.flatMap((frame, i): SourceNotice[] => {
		const before = frames[i - 1]?.number;
		if (i === 0 || before === undefined || frame.number === undefined || frame.number === before + 1) return [];
		const from = before + 1;
		const to = frame.number - 1;
		const { name } = frame;
		const said =
			from === to
				? phrase('missing-frame', { from, name })
				: phrase('missing-frames', { from, to, count: to - from + 1, name });
		return [{ severity: 'warning', kind: 'missing-frames', ...told(said), frame: i, path: frame.path }];
	});
}

const PROBLEM_KINDS: Readonly<Partial<Record<EmulsionError['code'], string>>> = {
	'input-truncated': 'truncated-frame',
	'unsupported-format': 'unsupported-frame',
};

function tagsPhrase({ color }: ScanProbe): Phrase {
	const primaries = tagText({ tag: 'primaries', value: color.primaries });
	return phrase('tag-pair', { transfer: transferText(color.transfer), primaries });
}

function frameNotices(frames: readonly SequenceFrame[], typical: ScanProbe): SourceNotice[] {
	const collector = new NoticeCollector();
	frames.forEach((frame, i) => {
		const { probe, problem, path, name } = frame;
		if (problem) {
			collector.one({
				severity: 'error',
				kind: PROBLEM_KINDS[problem.code] ?? 'unreadable-frame',
				message: problem.message,
				...(typeof problem.said === 'string' ? {} : { phrase: problem.said }),
				frame: i,
				path,
			});
		}
		if (!probe) return;
		const { width, height } = probe.size;
		if (width !== typical.size.width || height !== typical.size.height) {
			const expected = `${typical.size.width} × ${typical.size.height}`;
			const said = phrase('mixed-size', { name, found: `${width} × ${height}`, expected });
			collector.one({ severity: 'error', kind: 'mixed-size', ...told(said), frame: i, path });
		}
		if (!sameFormat(probe.pixel, typical.pixel)) {
			const [found, expected] = [formatPhrase(probe.pixel), formatPhrase(typical.pixel)];
			const said = phrase('mixed-depth', { name, found, expected });
			collector.one({ severity: 'error', kind: 'mixed-depth', ...told(said), frame: i, path });
		}
		if (probe.color.transfer !== typical.color.transfer || probe.color.primaries !== typical.color.primaries) {
			const [found, expected] = [tagsPhrase(probe), tagsPhrase(typical)];
			const said = phrase('mixed-color', { name, found, expected });
			collector.one({ severity: 'warning', kind: 'mixed-color', ...told(said), frame: i, path });
		}
		for (const odd of probe.odd) collector.shared('odd-header', odd, i, path);
	});
	return collector.all(frames);
}

/** Gathers notices; what many headers have in common becomes one notice with its frames. */
class NoticeCollector {
	readonly #single: SourceNotice[] = [];
	readonly #shared = new Map<string, { kind: string; what: Phrase; frame: number; path: string; count: number }>();

	one(notice: SourceNotice): void {
		this.#single.push(notice);
	}

	shared(kind: string, what: Phrase, frame: number, path: string): void {
		const text = say(what);
		const entry = this.#shared.get(text);
		if (entry) entry.count++;
		else this.#shared.set(text, { kind, what, frame, path, count: 1 });
	}

	all(frames: readonly SequenceFrame[]): SourceNotice[] {
		const shared = [...this.#shared.values()].map(({ kind, what, frame, path, count }): SourceNotice => {
			const all = count === frames.length;
			const said = all ? phrase('header-all', { what }) : phrase('header-some', { count, path, what });
			return { severity: 'warning', kind, ...told(said), frame, path };
		});
		return [...this.#single, ...shared].sort((a, b) => (a.frame ?? 0) - (b.frame ?? 0));
	}
}

/**
 * The transfer of a sequence: the restorer's answer, else what its headers say, else `unknown`. Never a guess. The answer counts
 * more, because tools mislabel: ffmpeg writes every DPX as linear.
 */
export function transferOf(typical: ScanProbe, answer: Transfer | undefined): Transfer {
	return answer ?? typical.color.transfer;
}
