/**
 * CMX 3600 edit decision lists: the plain text in which editing systems hand over their cuts.
 * Layout after the "CMX 3600 EDL format" as written by Avid, Premiere and Resolve: `TITLE:`, `FCM:` (drop-frame or not),
 * events of fixed order, and lines that begin with `*` as comments of the event before. A dissolve is two lines of one event
 * number: the outgoing source with no length, then the incoming one with the transition's length in frames.
 */

import { EmulsionError, toEmulsionError } from './errors.ts';
import { type Phrase, phrase } from './phrases.ts';
import { type ShotBoundary, type ShotList, shotsFromBoundaries } from './shots.ts';
import { formatTimecode, parseTimecode, type TimecodeFormat } from './timecode.ts';

/** How an event enters. `duration` is in frames, 0 for a cut; `code` is the wipe's pattern number. */
export interface EdlTransition {
	readonly kind: 'cut' | 'dissolve' | 'wipe' | 'key';
	readonly duration: number;
	readonly code?: string;
}

/** One line of decision. Times are frame numbers (timecode counted from 00:00:00:00), out excluded. */
export interface EdlEvent {
	/** Event number as written, 1-based. */
	readonly number: number;
	/** Reel or tape name; `BL` is black, `AX` an auxiliary source. */
	readonly reel: string;
	/** Channels as written: `V`, `A`, `B` (both), `AA/V`, `A2`… */
	readonly channels: string;
	readonly transition: EdlTransition;
	readonly sourceIn: number;
	readonly sourceOut: number;
	readonly recordIn: number;
	readonly recordOut: number;
	/** Comment and unknown lines that follow the event, kept as they are. */
	readonly notes: readonly string[];
}

/** A parsed list. */
export interface Edl {
	readonly title: string;
	readonly format: TimecodeFormat;
	readonly events: readonly EdlEvent[];
}

const EVENT =
	/^(\d{1,6})\s+(\S+)\s+(\S+)\s+(C|D|W\d{1,3}|KB?|KO)\s+(?:\(?F?\)?\s*(\d{1,5})\s+)?(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*$/;
const MAX_EVENTS = 100_000;

/** True for an event that carries picture. */
export function isPicture(event: EdlEvent): boolean {
	return /V|^B$|^NONE$/i.test(event.channels);
}

function onLine(line: number, what: Phrase): EmulsionError {
	return new EmulsionError('project-invalid', phrase('edl-line', { line, what }));
}

function parseTransition(code: string, duration: string | undefined, line: number): EdlTransition {
	if (code === 'C') return { kind: 'cut', duration: 0 };
	if (duration === undefined && !code.startsWith('K')) throw onLine(line, phrase('edl-length', { code }));
	const frames = Number(duration ?? 0);
	if (code === 'D') return { kind: 'dissolve', duration: frames };
	return { kind: code.startsWith('W') ? 'wipe' : 'key', duration: frames, code: code.slice(1) };
}

function parseEvent(match: RegExpExecArray, format: TimecodeFormat, line: number): EdlEvent {
	const part = (index: number): string => match[index] ?? '';
	const time = (index: number): number => {
		try {
			return parseTimecode(part(index), format);
		} catch (cause) {
			const error = toEmulsionError(cause);
			throw new EmulsionError('project-invalid', phrase('edl-line', { line, what: error.said }), { cause });
		}
	};
	const event: EdlEvent = {
		number: Number(part(1)),
		reel: part(2),
		channels: part(3),
		transition: parseTransition(part(4), match[5], line),
		sourceIn: time(6),
		sourceOut: time(7),
		recordIn: time(8),
		recordOut: time(9),
		notes: [],
	};
	if (event.recordOut < event.recordIn) throw onLine(line, phrase('edl-out-before-in'));
	if (event.transition.duration > event.recordOut - event.recordIn) throw onLine(line, phrase('edl-transition'));
	return event;
}

/**
 * Parses a CMX 3600 list. Lines that are neither header nor event (`*` comments, `M2` speed changes, `>>>`) are kept as notes of
 * the event before them; a line that begins like an event but is malformed is an error, for a lost cut would be silent.
 * @param base frames a timecode second, which the format itself does not tell (24 for film).
 * @throws EmulsionError `project-invalid` naming the line.
 */
export function parseEdl(text: string, base: number): Edl {
	let title = '';
	let drop = false;
	const events: (EdlEvent & { notes: string[] })[] = [];
	text.split(/\r\n|\r|\n/).forEach((raw, index) => {
		const line = raw.replace(/^\uFEFF/, '').trim();
		if (line === '') return;
		const header = /^(TITLE|FCM)\s*:\s*(.*)$/i.exec(line);
		if (header?.[1]?.toUpperCase() === 'TITLE') {
			title = header[2] ?? '';
			return;
		}
		if (header) {
			const wanted = !/NON/i.test(header[2] ?? '');
			if (wanted && base % 30 !== 0) throw onLine(index + 1, phrase('edl-drop', { base }));
			if (events.length > 0 && wanted !== drop) throw onLine(index + 1, phrase('edl-numbering'));
			drop = wanted;
			return;
		}
		const match = EVENT.exec(line);
		if (match) {
			if (events.length >= MAX_EVENTS) throw onLine(index + 1, phrase('edl-events', { max: MAX_EVENTS }));
			events.push({ ...parseEvent(match, { base, drop }, index + 1), notes: [] });
			return;
		}
		if (/^\d+\s/.test(line))
			throw onLine(index + 1, phrase('edl-malformed', { text: JSON.stringify(line.slice(0, 80)) }));
		events[events.length - 1]?.notes.push(line);
	});
	return { title, format: { base, drop }, events };
}

function printEvent(event: EdlEvent, format: TimecodeFormat): string[] {
	const { transition } = event;
	const code = { cut: 'C', dissolve: 'D', wipe: `W${transition.code ?? '001'}`, key: `K${transition.code ?? ''}` }[
		transition.kind
	];
	const length = transition.kind === 'cut' ? '   ' : String(transition.duration).padStart(3, '0');
	const times = [event.sourceIn, event.sourceOut, event.recordIn, event.recordOut].map((t) =>
		formatTimecode(t, format),
	);
	const head = `${String(event.number).padStart(3, '0')}  ${event.reel.padEnd(8)} ${event.channels.padEnd(5)} ${code.padEnd(4)} ${length}`;
	return [`${head} ${times.join(' ')}`, ...event.notes];
}

/** Writes a list as CMX 3600 text, with `\n` line ends and a newline at the end. `parseEdl` reads it back equal. */
export function printEdl(edl: Edl): string {
	const title = edl.title.replace(/[\r\n]+/g, ' ');
	const head = [`TITLE: ${title}`, `FCM: ${edl.format.drop ? 'DROP FRAME' : 'NON-DROP FRAME'}`];
	return [...head, ...edl.events.flatMap((event) => printEvent(event, edl.format))].join('\n') + '\n';
}

/** How a shot list is numbered when it becomes an EDL. */
export interface EdlOptions {
	readonly title: string;
	/** Reel name, 1 to 32 characters without spaces; `AX` is usual for a file. */
	readonly reel: string;
	readonly format: TimecodeFormat;
	/** Timecode, in frames, of the film's first frame on the source and on the record side. */
	readonly sourceStart: number;
	readonly recordStart: number;
}

/**
 * A shot list as decisions on one reel. A dissolve is written from its first mixed frame, so that `shotsFromEdl` gives it back;
 * a boundary that was moved away from its dissolve's middle comes back in the middle.
 * @throws EmulsionError `usage` for a reel name that the format cannot hold.
 */
export function edlFromShots(list: ShotList, options: EdlOptions): Edl {
	if (!/^\S{1,32}$/.test(options.reel))
		throw new EmulsionError('usage', phrase('edl-reel', { name: JSON.stringify(options.reel) }));
	const startOf = (index: number): number | undefined => {
		const shot = list[index];
		return shot?.dissolve?.from ?? shot?.start;
	};
	const events: EdlEvent[] = [];
	list.forEach((shot, index) => {
		const start = startOf(index) ?? shot.start;
		const end = startOf(index + 1) ?? shot.end;
		const at = (from: number, to: number): Omit<EdlEvent, 'transition' | 'notes'> => ({
			number: index + 1,
			reel: options.reel,
			channels: 'V',
			sourceIn: options.sourceStart + from,
			sourceOut: options.sourceStart + to,
			recordIn: options.recordStart + from,
			recordOut: options.recordStart + to,
		});
		if (shot.dissolve === undefined) {
			events.push({ ...at(start, end), transition: { kind: 'cut', duration: 0 }, notes: [] });
			return;
		}
		events.push({ ...at(start, start), transition: { kind: 'cut', duration: 0 }, notes: [] });
		const duration = shot.dissolve.to - shot.dissolve.from;
		events.push({ ...at(start, end), transition: { kind: 'dissolve', duration }, notes: [] });
	});
	return { title: options.title, format: options.format, events };
}

/**
 * Shots from an edit decision list whose record side numbers this film. Every start and end of a picture event is a
 * boundary (a gap is a shot of its own); wipes and keys count as dissolves, for their frames mix two pictures too.
 * @param frames length of the film.
 * @param firstFrame record timecode, in frames, of the film's frame 0; the first event's where it is not given.
 * @throws EmulsionError `project-invalid` where the list has no picture event, or its events lie outside of the film.
 */
export function shotsFromEdl(edl: Edl, frames: number, firstFrame?: number): ShotList {
	const events = edl.events.filter(isPicture);
	const first = events[0];
	if (first === undefined) throw new EmulsionError('project-invalid', phrase('edl-empty'));
	const origin = firstFrame ?? events.reduce((least, e) => Math.min(least, e.recordIn), first.recordIn);
	const boundaries: ShotBoundary[] = [];
	for (const event of events) {
		const from = event.recordIn - origin;
		const end = event.recordOut - origin;
		if (from < 0 || end > frames)
			throw new EmulsionError('project-invalid', phrase('edl-outside', { number: event.number, frames, from, end }));
		if (end === from) continue;
		const { duration } = event.transition;
		if (duration >= 2 && from > 0) boundaries.push({ transition: 'dissolve', dissolve: { from, to: from + duration } });
		else boundaries.push({ transition: 'cut', frame: from });
		const continued = events.some((e) => e.recordIn === event.recordOut && e.recordOut > e.recordIn);
		if (!continued) boundaries.push({ transition: 'cut', frame: end });
	}
	return shotsFromBoundaries(frames, boundaries, 'edl');
}
