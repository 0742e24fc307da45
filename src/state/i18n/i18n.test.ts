import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../core/errors.ts';
import { PHRASES_EN } from '../../core/phrases.ts';
import { STAGE_METAS } from '../../stages/metas.ts';
import type { Preferences } from '../preferences.svelte.ts';
import { I18n } from './i18n.svelte.ts';
import { EN } from './messages.en.ts';
import { ZH } from './messages.zh.ts';
import { PHRASES_ZH } from './phrases.zh.ts';
import { STAGES_ZH } from './stages.zh.ts';

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '').sort();

describe('messages', () => {
	it('have the same keys in both languages, in order', () => {
		expect(Object.keys(ZH)).toEqual(Object.keys(EN));
	});

	it('have the same placeholders in both languages', () => {
		for (const [key, text] of Object.entries(EN)) {
			expect(placeholders(ZH[key as keyof typeof EN]), key).toEqual(placeholders(text));
		}
	});

	it('have words that go with a number only for numbers they say, and not in Chinese', () => {
		for (const [key, text] of Object.entries(EN)) {
			for (const [, name] of text.matchAll(/\[(\w+)\?[^|\]]*\|[^\]]*\]/g))
				expect(placeholders(text), key).toContain(name);
			expect(ZH[key as keyof typeof EN], key).not.toMatch(/\[\w+\?/);
		}
	});

	it('are not empty, but for the one that says nothing', () => {
		for (const table of [EN, ZH]) {
			const empty = Object.entries(table).filter(([, text]) => text.trim() === '');
			expect(empty.map(([key]) => key)).toEqual(['autosave.idle']);
		}
	});

	it('say what happened and what to do for every error code', () => {
		for (const code of ERROR_CODES) {
			expect(EN).toHaveProperty([`error.${code}.what`]);
			expect(EN).toHaveProperty([`error.${code}.todo`]);
		}
	});

	it('are in Chinese where they are not names or figures', () => {
		const same = Object.entries(EN).filter(
			([key, text]) => ZH[key as keyof typeof EN] === text && /[a-z]{4}/.test(text.replace(/\{\w+\}/g, '')),
		);
		expect(same.map(([, text]) => text).filter((t) => !/WebGPU|WebCodecs|BT|sRGB|P3/.test(t))).toEqual([]);
	});

	it('have every sentence of the workers in Chinese, with the same values', () => {
		expect(Object.keys(PHRASES_ZH)).toEqual(Object.keys(PHRASES_EN));
		for (const [code, text] of Object.entries(PHRASES_EN)) {
			const chinese = PHRASES_ZH[code as keyof typeof PHRASES_EN];
			const names = (of: string): string[] => [...new Set(placeholders(of))];
			expect(names(chinese), code).toEqual(names(text));
			// Figures, signs and code are the same in every language.
			if (/[a-z]{3}/.test(text.replace(/\{\w+\}|"[^"]*"/g, ''))) expect(chinese, code).toMatch(/[\u4e00-\u9fff]/);
		}
	});

	it('say every unit and every expectation in Chinese', () => {
		/** Written the same everywhere. */
		const symbols = ['', '×', 'fps', 'px'];
		for (const param of STAGE_METAS.flatMap((meta) => Object.values(meta.params))) {
			const terms = [param.unit, ...(param.type === 'text' ? [param.expected] : [])];
			for (const term of terms.filter((t) => !symbols.includes(t))) expect(STAGES_ZH).toHaveProperty([`term.${term}`]);
		}
	});

	it('name every stage and parameter in Chinese', () => {
		for (const meta of STAGE_METAS) {
			const keys = ['label', 'doc', ...Object.keys(meta.params).flatMap((name) => [name, `${name}.doc`])];
			for (const key of keys) expect(STAGES_ZH, `${meta.id}.${key}`).toHaveProperty([`${meta.id}.${key}`]);
			for (const [name, param] of Object.entries(meta.params)) {
				if (param.type !== 'enum') continue;
				for (const { value } of param.values) {
					expect(STAGES_ZH).toHaveProperty([`${meta.id}.${name}.${value}`]);
					expect(STAGES_ZH).toHaveProperty([`${meta.id}.${name}.${value}.doc`]);
				}
			}
		}
	});
});

describe('numbers in texts', () => {
	it('take the word that goes with them', () => {
		const preferences = { language: 'en', set: () => undefined };
		const i18n = new I18n(preferences as unknown as Preferences);
		const counts = (votes: number, voters: number): string =>
			i18n.t('reviews.counts', { votes, voters, counted: votes });
		expect(counts(1, 1)).toBe('1 vote of 1 voter, 1 counts');
		expect(counts(0, 2)).toBe('0 votes of 2 voters, 0 count');
		preferences.language = 'zh-Hans';
		expect(counts(1, 1)).toBe('1 位投票者的 1 票，1 票有效');
	});
});
