/** Puts the report of an export together from what was measured. */

import type { AudioResult, EncodedChunk, EncodeConfig } from '../contracts/media.ts';
import type { ModelUse } from '../contracts/models.ts';
import type { BackendInfo } from '../contracts/compute.ts';
import type { ExportReport, Finding, InvariantResult, StageTime } from '../contracts/report.ts';
import type { ExportRequest, MuxedFile } from '../contracts/workers.ts';
import { codecText } from '../core/codecs.ts';
import { formatPhrase } from '../core/color.ts';
import { type Phrase, phrase } from '../core/phrases.ts';
import { add, formatRational, type Rational, sub, ZERO } from '../core/rational.ts';
import { describeChroma, type RenderNotes } from './render-stream.ts';
import { outputName, sequenceFiles } from './sequence-names.ts';

/** Name in reports. */
export const APP = 'Emulsion 0.1.0';

/** Times of the same entry added up, in order of first appearance. */
export function mergeTimes(...lists: readonly (readonly StageTime[])[]): StageTime[] {
	const merged = new Map<string, StageTime>();
	for (const time of lists.flat()) {
		const before = merged.get(time.id);
		merged.set(
			time.id,
			before
				? {
						...before,
						frames: before.frames + time.frames,
						computeSeconds: before.computeSeconds + time.computeSeconds,
						uploadSeconds: before.uploadSeconds + time.uploadSeconds,
						readbackSeconds: before.readbackSeconds + time.readbackSeconds,
					}
				: time,
		);
	}
	return [...merged.values()];
}

/** All that was measured. */
export interface ReportParts {
	readonly request: ExportRequest;
	/** Names of a sequence's files, in order; empty where one file was written. */
	readonly names: readonly string[];
	readonly config: EncodeConfig;
	readonly conversions: readonly Phrase[];
	readonly backend: BackendInfo;
	readonly models: readonly ModelUse[];
	readonly chunks: readonly EncodedChunk[];
	readonly resumed: number;
	readonly notes: RenderNotes;
	readonly sourceMd5: ReadonlyMap<number, string>;
	readonly inputSha256: string;
	readonly findings: readonly Finding[];
	readonly audio: AudioResult | undefined;
	readonly written: MuxedFile;
	readonly invariants: readonly InvariantResult[];
	readonly times: readonly StageTime[];
	readonly seconds: { readonly total: number; readonly decode: number; readonly cache: number };
	readonly peakBytes: number;
	readonly extraNotices: readonly string[];
}

function spanOf(frames: readonly { readonly pts: Rational; readonly duration: Rational }[]): Rational {
	const first = frames[0];
	const last = frames.at(-1);
	return first && last ? sub(add(last.pts, last.duration), first.pts) : ZERO;
}

/** The report. */
export function makeReport(parts: ReportParts): ExportReport {
	const { request, config, names, written, audio, chunks } = parts;
	const { info } = request;
	const sequence = sequenceFiles(names, request.target);
	const range = request.range ?? { start: 0, end: info.frames.length };
	const offset = (value: Rational | undefined) => (value ? formatRational(value) : null);
	const chroma = describeChroma(parts.notes, config.format);
	const sourceAudio = info.avOffset && { num: -info.avOffset.num, den: info.avOffset.den };
	return {
		version: 1,
		app: APP,
		input: {
			name: info.name,
			bytes: info.bytes,
			sha256: parts.inputSha256,
			engine: info.engine,
			engineReason: info.engineReason,
			frames: range.end - range.start,
			duration: formatRational(spanOf(info.frames.slice(range.start, range.end))),
			timebase: formatRational(info.timebase),
			avOffset: offset(sourceAudio),
			frameMd5: [...parts.sourceMd5].sort(([a], [b]) => a - b).map(([, md5]) => md5),
			notices: [...info.notices.map((n) => n.message), ...parts.extraNotices],
		},
		output: {
			name: outputName(request, names, sequence),
			sequence,
			container: config.container,
			codec: config.codec,
			format: formatPhrase(config.format),
			bytes: written.bytes,
			sha256: written.sha256,
			frames: written.frames,
			duration: formatRational(written.duration),
			timebase: formatRational(config.timebase),
			avOffset: offset(written.audioStart),
			frameMd5: chunks.flatMap((chunk) => chunk.frameMd5),
			audio: audio
				? phrase(audio.copied ? 'audio-copied' : 'audio-transcoded', { codec: codecText(audio.codec) })
				: null,
			conversions: chroma === undefined ? parts.conversions : [...parts.conversions, chroma],
		},
		backend: parts.backend,
		models: parts.models,
		seconds: {
			...parts.seconds,
			encode: chunks.reduce((sum, chunk) => sum + chunk.seconds, 0),
			stages: parts.times,
		},
		peakMemoryBytes: parts.peakBytes,
		provenance: {
			original: parts.notes.original,
			repaired: parts.notes.repaired,
			generated: parts.notes.generated,
			copiedFrames: parts.notes.copied,
		},
		invariants: parts.invariants,
		chunks: { total: chunks.length, resumed: parts.resumed },
		findings: parts.findings,
		recipe: request.recipe,
		mattes: (request.mattes ?? []).map(({ id, frames, fingerprint }) => ({ id, frames, fingerprint })),
	};
}
