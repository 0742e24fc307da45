/**
 * The one error type of the program: a discriminated union by `code`, which survives every thread boundary
 * (`src/comms` carries it) and every log. Messages say what happened, what was received and what to do: as data
 * (`phrases.ts`), so that a person reads them in their own language, but for faults of the program itself (`internal`), whose
 * words are for its authors.
 */

import { isPhrase, type Phrase, say, type Text } from './phrases.ts';

/** Every kind of failure a caller may want to tell apart. */
export const ERROR_CODES = [
	'internal',
	'usage',
	'input-unreadable',
	'input-encrypted',
	'input-no-video',
	'input-truncated',
	'unsupported-format',
	'transfer-unknown',
	'recipe-invalid',
	'project-invalid',
	'invariant-failed',
	'backend-unavailable',
	'device-lost',
	'out-of-memory',
	'model-invalid',
	'canary-failed',
	'quota-exceeded',
	'storage-unavailable',
	'capability-missing',
	'plan-changed',
	'worker-crashed',
	'timeout',
	'aborted',
	'link-refused',
	'passphrase-needed',
	'tampered',
	'review-invalid',
	'review-closed',
	'conflict',
	'offline',
	'rate-limited',
	'share-quota',
	'share-failed',
] as const;

/** See {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What an error carries besides its code and message; all of it is structured-clone safe. */
export interface ErrorDetails {
	/** Id of the stage (recipe entry) in which it happened. */
	readonly stage?: string;
	/** Frame index in that stage's output timeline (or in the source where no stage is named). */
	readonly frame?: number;
	/** True when the same call may succeed when repeated (a lost device, a full disk after freeing space). */
	readonly retryable?: boolean;
	/** JSON path of the offending value in a recipe or project, e.g. `stages[1].params.sigma`. */
	readonly path?: string;
	/** Bytes that have to be freed before a retry can succeed (`quota-exceeded`). */
	readonly bytesNeeded?: number;
	/** Anything else worth a log line: plain JSON only. */
	readonly data?: Readonly<Record<string, string | number | boolean | null>>;
	/** The error that led to this one. */
	readonly cause?: unknown;
}

/** The plain form in which an error crosses threads. */
export interface ErrorRecord {
	readonly name: 'EmulsionError';
	readonly code: ErrorCode;
	readonly message: string;
	/** The message as data; absent where it is words. */
	readonly phrase?: Phrase;
	readonly details: Omit<ErrorDetails, 'cause'>;
	readonly cause?: ErrorRecord;
	readonly stack?: string;
}

/** A typed, actionable failure. */
export class EmulsionError extends Error {
	override readonly name = 'EmulsionError';
	readonly code: ErrorCode;
	readonly details: ErrorDetails;
	/** The message as it was given: `message` is its English. */
	readonly said: Text;

	constructor(code: ErrorCode, said: Text, details: ErrorDetails = {}) {
		super(say(said), details.cause === undefined ? undefined : { cause: details.cause });
		this.code = code;
		this.said = said;
		this.details = details;
	}

	/** True when repeating the call may succeed. */
	get retryable(): boolean {
		return this.details.retryable ?? false;
	}

	/** The same error with more context (never replaces what is already there). */
	with(details: ErrorDetails): EmulsionError {
		return new EmulsionError(this.code, this.said, { ...details, ...this.details });
	}

	/** Structured-clone-safe form. */
	toRecord(): ErrorRecord {
		const { cause, ...details } = this.details;
		return {
			name: 'EmulsionError',
			code: this.code,
			message: this.message,
			...(typeof this.said === 'string' ? {} : { phrase: this.said }),
			details,
			...(cause === undefined ? {} : { cause: toEmulsionError(cause).toRecord() }),
			...(this.stack === undefined ? {} : { stack: this.stack }),
		};
	}
}

/** Rebuilds an error from its record; unknown codes become `internal`, so that hostile data cannot invent one. */
export function fromRecord(record: ErrorRecord): EmulsionError {
	const known = (ERROR_CODES as readonly string[]).includes(record.code);
	const said = isPhrase(record.phrase) ? record.phrase : record.message;
	const error = new EmulsionError(known ? record.code : 'internal', said, {
		...record.details,
		...(record.cause ? { cause: fromRecord(record.cause) } : {}),
	});
	if (record.stack !== undefined) error.stack = record.stack;
	return error;
}

/** Anything thrown, as an {@link EmulsionError}: aborts and quota errors of the platform get their own code. */
export function toEmulsionError(thrown: unknown, details: ErrorDetails = {}): EmulsionError {
	if (thrown instanceof EmulsionError) return Object.keys(details).length === 0 ? thrown : thrown.with(details);
	const name = thrown instanceof Error || thrown instanceof DOMException ? thrown.name : '';
	const message = thrown instanceof Error ? thrown.message : String(thrown);
	const code: ErrorCode =
		name === 'AbortError' ? 'aborted' : name === 'QuotaExceededError' ? 'quota-exceeded' : 'internal';
	return new EmulsionError(code, message, { ...details, cause: details.cause ?? undefined });
}

/** Throws an `aborted` error when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
	if (signal?.aborted) throw new EmulsionError('aborted', 'The operation was canceled.');
}

/** Exit code of the terminal for an error (see `cli/README.md`). */
export function exitCode(error: EmulsionError): number {
	switch (error.code) {
		case 'usage':
		case 'transfer-unknown':
			return 2;
		case 'input-unreadable':
		case 'input-encrypted':
		case 'input-no-video':
		case 'input-truncated':
		case 'unsupported-format':
			return 3;
		case 'recipe-invalid':
		case 'project-invalid':
			return 4;
		case 'invariant-failed':
			return 5;
		case 'backend-unavailable':
		case 'capability-missing':
		case 'canary-failed':
			return 6;
		case 'quota-exceeded':
			return 7;
		case 'aborted':
			return 130;
		default:
			return 1;
	}
}
