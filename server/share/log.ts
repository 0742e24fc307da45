/** Structured logs: one line of JSON a request, without content, tokens, ids or addresses. */

import { createHash, randomBytes } from 'node:crypto';

/** What a line says. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Takes lines. */
export interface Log {
	request(fields: LogFields): void;
	/** Something that whoever runs the service should know. */
	event(level: 'info' | 'warn' | 'error', what: string, fields?: LogFields): void;
}

/** A log that writes lines. @param requests False: events only. */
export function jsonLog(write: (line: string) => void, requests = true): Log {
	const line = (fields: LogFields): void => write(JSON.stringify({ time: new Date().toISOString(), ...fields }));
	return {
		request: (fields) => {
			if (requests) line({ level: 'info', ...fields });
		},
		event: (level, what, fields = {}) => line({ level, what, ...fields }),
	};
}

const PROCESS_SALT = randomBytes(32);

/** Tells addresses of one run of one process apart, without saying what they are. */
export function addressMark(address: string): string {
	return createHash('sha256').update(PROCESS_SALT).update(address).digest('base64url').slice(0, 8);
}

/**
 * What may be logged of an error: its names, codes and where it was thrown. Messages of database errors quote values, and
 * so would leak content.
 */
export function errorFields(error: unknown): LogFields {
	if (!(error instanceof Error)) return { error: typeof error };
	const names: string[] = [];
	let where = '';
	for (let e: unknown = error; e instanceof Error && names.length < 4; e = e.cause) {
		const { code } = e as { code?: unknown };
		names.push(typeof code === 'string' ? `${e.name} ${code}` : e.name);
		where ||= (e.stack ?? '')
			.split('\n')
			.filter((l) => /^\s+at /.test(l))
			.slice(0, 6)
			.map((l) => l.trim())
			.join(' < ');
	}
	return { error: names.join(' ← '), where };
}
