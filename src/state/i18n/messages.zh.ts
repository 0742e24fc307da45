/** 简体中文. The type demands every key of the English table and no other. */

import { ERRORS_ZH } from './errors.zh.ts';
import { FILM_ZH } from './film.zh.ts';
import { INTERFACE_ZH } from './interface.zh.ts';
import { JUDGE_ZH } from './judge.zh.ts';
import { MAKING_ZH } from './making.zh.ts';
import type { MessageKey } from './messages.en.ts';
import { REVIEWING_ZH } from './reviewing.zh.ts';

/** All texts. */
export const ZH = {
	...INTERFACE_ZH,
	...FILM_ZH,
	...JUDGE_ZH,
	...ERRORS_ZH,
	...MAKING_ZH,
	...REVIEWING_ZH,
} as const satisfies Readonly<Record<MessageKey, string>>;
