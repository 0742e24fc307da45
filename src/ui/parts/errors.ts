/** An error in the restorer's language: what happened, what to do, and every detail for a bug report. */

import type { StageMeta } from '../../contracts/stage.ts';
import type { EmulsionError } from '../../core/errors.ts';
import type { I18n } from '../../state/i18n/i18n.svelte.ts';
import { formatBytes } from '../format.ts';

/** See the file's comment. */
export interface ErrorDescription {
	readonly what: string;
	/** The error's own sentence; empty where it is words for the program's authors in another language. */
	readonly message: string;
	readonly todo: string;
	/** Code, message, place and causes; English, copyable. */
	readonly details: string;
}

function chain(error: unknown, depth = 0): string[] {
	if (!(error instanceof Error) || depth > 8) return [];
	const code = 'code' in error ? `[${String(error.code)}] ` : '';
	return [`${code}${error.message}`, ...chain(error.cause, depth + 1)];
}

/** Texts for an error. */
export function describeError(error: EmulsionError, i18n: I18n, metas: readonly StageMeta[]): ErrorDescription {
	const { stage, frame, path, bytesNeeded, data } = error.details;
	const place = [
		stage === undefined ? '' : `stage: ${stage}`,
		frame === undefined ? '' : `frame: ${frame}`,
		path === undefined ? '' : `path: ${path}`,
		bytesNeeded === undefined ? '' : `bytes needed: ${bytesNeeded}`,
		data === undefined ? '' : `data: ${JSON.stringify(data)}`,
	].filter((line) => line !== '');
	/** One code may come of a film and of a review package: what is to be done is not the same. */
	const text = (part: 'what' | 'todo'): string =>
		(typeof error.said === 'string' ? undefined : i18n.lookup(`error.said.${error.said.code}.${part}`)) ??
		i18n.t(`error.${error.code}.${part}`);
	const todo = text('todo');
	return {
		what: text('what'),
		message: typeof error.said === 'string' && i18n.language !== 'en' ? '' : i18n.say(error.said, metas),
		todo: bytesNeeded === undefined ? todo : `${todo} ${i18n.t('error.free', { size: formatBytes(bytesNeeded) })}`,
		details: [...chain(error), ...place, error.stack ?? ''].join('\n'),
	};
}
