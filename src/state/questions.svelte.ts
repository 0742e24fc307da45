/** Questions that opening a source or looking for shots may raise: one at a time, each answered by a dialog or taken back. */

import type { SourceInfo } from '../contracts/media.ts';
import type { Transfer } from '../core/color.ts';
import { EmulsionError } from '../core/errors.ts';
import type { MatteRef } from '../project/schema.ts';

/** How to go on when a file is not the one the project knows. */
export type RelinkAnswer = 'link' | 'add';

/** What is asked. */
export type Question =
	| { readonly kind: 'transfer'; readonly name: string; readonly info: SourceInfo | null }
	| {
			readonly kind: 'relink';
			readonly what: 'reel' | 'matte';
			readonly expected: Omit<MatteRef, 'id' | 'kind'>;
			readonly found: SourceInfo;
			readonly fits: boolean;
	  }
	/** `edited` of the reel's `shots` were set by hand or by an EDL, and would be lost. */
	| { readonly kind: 'detect'; readonly edited: number; readonly shots: number };

/** The answer that belongs to a question. */
export type AnswerOf<Q extends Question> = Answers[Q['kind']];

interface Answers {
	readonly transfer: Transfer;
	readonly relink: RelinkAnswer;
	readonly detect: 'replace';
}

type Answer = Answers[Question['kind']];

interface Pending {
	readonly question: Question;
	readonly resolve: (answer: Answer) => void;
	readonly reject: (error: EmulsionError) => void;
}

/** See the file's comment. */
export class Questions {
	#pending = $state.raw<Pending | null>(null);

	get current(): Question | null {
		return this.#pending?.question ?? null;
	}

	/** Asks; rejects with `aborted` where the restorer cancels. A question still open is canceled. */
	ask<Q extends Question>(question: Q): Promise<AnswerOf<Q>> {
		this.cancel();
		return new Promise<AnswerOf<Q>>((resolve, reject) => {
			this.#pending = { question, resolve: (answer) => resolve(answer as AnswerOf<Q>), reject };
		});
	}

	answer(answer: Answer): void {
		const pending = this.#pending;
		this.#pending = null;
		pending?.resolve(answer);
	}

	cancel(): void {
		const pending = this.#pending;
		this.#pending = null;
		pending?.reject(new EmulsionError('aborted', 'The question was canceled.'));
	}
}
