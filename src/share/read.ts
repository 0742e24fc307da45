/** Bytes of JSON to checked data: size, depth and shape are bounded before anything uses them. */

import * as v from 'valibot';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';

/** Where the first problem lies and what it is, in valibot's words. */
export function firstIssue(issues: readonly v.BaseIssue<unknown>[]): { readonly path: string; readonly why: string } {
	const [issue] = issues;
	const path = issue?.path?.map((item) => String(item.key)).join('.') ?? '';
	return { path: path === '' ? '.' : path.slice(0, 120), why: (issue?.message ?? '').slice(0, 200) };
}

/** JSON text to data of a schema. @throws EmulsionError `review-invalid` with the path. */
export function readJson<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> {
	let value: unknown;
	try {
		value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
	} catch (cause) {
		const why = (cause as Error).message.slice(0, 200);
		throw new EmulsionError('review-invalid', phrase('review-invalid', { path: '.', why }), { cause });
	}
	return checked(schema, value);
}

/** Data of a schema. @throws EmulsionError `review-invalid` with the path. */
export function checked<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
	const result = v.safeParse(schema, value, { abortEarly: true });
	if (result.success) return result.output;
	const issue = firstIssue(result.issues);
	throw new EmulsionError('review-invalid', phrase('review-invalid', { ...issue }), { path: issue.path });
}
