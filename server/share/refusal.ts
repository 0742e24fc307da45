/** A refused request: what the protocol calls it, and a sentence that says what to do. */

import type * as v from 'valibot';
import { REFUSALS, type Refusal, type RefusalBody } from '../../src/share/protocol.ts';

/** What a refusal says beside its code and message. */
export type RefusalFields = Omit<v.InferOutput<typeof RefusalBody>['error'], 'code' | 'message'>;

/** Thrown by routes, answered by the app. */
export class Refused extends Error {
	override readonly name = 'Refused';
	readonly code: Refusal;
	readonly fields: RefusalFields;

	constructor(code: Refusal, message: string, fields: RefusalFields = {}) {
		super(message);
		this.code = code;
		this.fields = fields;
	}

	/** HTTP status. */
	get status(): number {
		return REFUSALS[this.code];
	}

	/** The answer's body. */
	get body(): RefusalBody {
		return { error: { code: this.code, message: this.message, ...this.fields } };
	}
}

/** A refusal of input: where it is and what is wrong with it. */
export function invalid(path: string, message: string, fields: RefusalFields = {}): Refused {
	return new Refused('invalid', message, { path, ...fields });
}
