/** Texts by key in the chosen language. The type of a key knows its placeholders. */

import type { Param, StageMeta } from '../../contracts/stage.ts';
import { type PhraseCode, PHRASES_EN, sayIn, type Text } from '../../core/phrases.ts';
import type { Preferences } from '../preferences.svelte.ts';
import { LANGUAGES, type Language } from './languages.ts';
import { EN, type MessageKey } from './messages.en.ts';
import { ZH } from './messages.zh.ts';
import { PHRASES_ZH } from './phrases.zh.ts';
import { STAGES_ZH } from './stages.zh.ts';

/** Names of the `{placeholders}` in a text. */
type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
	? Name | Placeholders<Rest>
	: never;
/** Arguments that a key wants: none, or one object with exactly its placeholders. */
export type MessageArgs<K extends MessageKey> =
	Placeholders<(typeof EN)[K]> extends never
		? []
		: [args: Readonly<Record<Placeholders<(typeof EN)[K]>, string | number>>];

const TABLES: Readonly<Record<Language, Readonly<Record<MessageKey, string>>>> = { en: EN, 'zh-Hans': ZH };

/** What the workers say. */
const PHRASES: Readonly<Record<Language, Readonly<Record<PhraseCode, string>>>> = {
	en: PHRASES_EN,
	'zh-Hans': PHRASES_ZH,
};

const PLURALS: Readonly<Record<Language, Intl.PluralRules>> = {
	en: new Intl.PluralRules('en'),
	'zh-Hans': new Intl.PluralRules('zh-Hans'),
};

/** Fills placeholders. `[count?vote|votes]` is the word that goes with the number `count` in the language: one, or any other. */
function fill(language: Language, text: string, args: Readonly<Record<string, string | number>> | undefined): string {
	if (!args) return text;
	const worded = text.replace(/\[(\w+)\?([^|\]]*)\|([^\]]*)\]/g, (whole, name: string, one: string, other: string) => {
		if (!Object.hasOwn(args, name)) return whole;
		return PLURALS[language].select(Number(args[name])) === 'one' ? one : other;
	});
	return worded.replace(/\{(\w+)\}/g, (whole, name: string) =>
		Object.hasOwn(args, name) ? String(args[name]) : whole,
	);
}

/** `noiseLevel` → `Noise level`. */
function words(name: string): string {
	const spaced = name
		.replace(/([a-z0-9])([A-Z])/g, '$1 $2')
		.replace(/[-_]/g, ' ')
		.toLowerCase();
	return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** The texts; reading them inside an effect or template follows the language. */
export class I18n {
	readonly #preferences: Preferences;

	constructor(preferences: Preferences) {
		this.#preferences = preferences;
	}

	get language(): Language {
		return this.#preferences.language;
	}

	set(language: Language): void {
		if (LANGUAGES.includes(language)) this.#preferences.set({ language });
	}

	/** A text with its placeholders filled. */
	t<K extends MessageKey>(key: K, ...args: MessageArgs<K>): string {
		return fill(this.language, TABLES[this.language][key], args[0]);
	}

	/** A text whose key was put together at run time; undefined where there is none. */
	lookup(key: string, args?: Readonly<Record<string, string | number>>): string | undefined {
		const table: Readonly<Record<string, string>> = TABLES[this.language];
		return Object.hasOwn(table, key) ? fill(this.language, table[key] ?? '', args) : undefined;
	}

	/** A sentence of a worker or of an error; stages are named as the stage list names them. */
	say(said: Text, metas: readonly StageMeta[] = []): string {
		const stage = (id: string): string => {
			const meta = metas.find((m) => m.id === id);
			return meta ? this.stageLabel(meta) : id;
		};
		return sayIn(said, PHRASES[this.language], { stage, term: (text) => this.term(text) });
	}

	/** A unit, or what a parameter expects, as a stage's `meta.ts` says it in English. */
	term(text: string): string {
		return this.#stage(`term.${text}`) ?? text;
	}

	/** A whole number with the language's digit grouping. */
	number(value: number, digits = 0): string {
		return value.toLocaleString(this.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
	}

	/** A stage's name. */
	stageLabel(meta: StageMeta): string {
		return this.#stage(`${meta.id}.label`) ?? meta.label;
	}

	/** A stage's sentence. */
	stageDoc(meta: StageMeta): string {
		return this.#stage(`${meta.id}.doc`) ?? meta.doc;
	}

	/** A parameter's name. */
	paramLabel(meta: StageMeta, name: string): string {
		return this.#stage(`${meta.id}.${name}`) ?? words(name);
	}

	/** A parameter's sentence. */
	paramDoc(meta: StageMeta, name: string, param: Param): string {
		return this.#stage(`${meta.id}.${name}.doc`) ?? param.doc;
	}

	/** The sentence of one of an enum's values. */
	valueDoc(meta: StageMeta, name: string, option: { readonly value: string; readonly doc: string }): string {
		return this.#stage(`${meta.id}.${name}.${option.value}.doc`) ?? option.doc;
	}

	/** The name of one of an enum's values. */
	valueLabel(meta: StageMeta, name: string, value: string): string {
		return this.#stage(`${meta.id}.${name}.${value}`) ?? words(value);
	}

	#stage(key: string): string | undefined {
		if (this.language === 'en') return undefined;
		return Object.hasOwn(STAGES_ZH, key) ? STAGES_ZH[key] : undefined;
	}
}
