/** English texts. The keys of this table are the keys of every language. `{names}` are placeholders. */

import { ERRORS_EN } from './errors.en.ts';
import { FILM_EN } from './film.en.ts';
import { INTERFACE_EN } from './interface.en.ts';
import { JUDGE_EN } from './judge.en.ts';
import { MAKING_EN } from './making.en.ts';
import { REVIEWING_EN } from './reviewing.en.ts';

/** All texts. */
export const EN = { ...INTERFACE_EN, ...FILM_EN, ...JUDGE_EN, ...ERRORS_EN, ...MAKING_EN, ...REVIEWING_EN } as const;
/** A key of a text. */
export type MessageKey = keyof typeof EN;
