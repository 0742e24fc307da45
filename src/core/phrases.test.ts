import { expect, it } from 'vitest';
import { phrase, PHRASES_EN, say, sayIn } from './phrases.ts';

it('fills values, phrases within phrases, and stages by name', () => {
	const reason = phrase('order-size', { later: { stage: 'degrain' }, earlier: { stage: 'upscale' } });
	const said = phrase('order-defeats', { later: { stage: 'degrain' }, earlier: { stage: 'upscale' }, reason });
	expect(say(said)).toBe(
		'degrain after upscale defeats it: upscale spreads what degrain should treat over more pixels, where it is harder to tell from detail and costs more. Place degrain before upscale.',
	);
	const names = { stage: (id: string) => id.toUpperCase(), term: (text: string) => text };
	expect(sayIn(said, PHRASES_EN, names)).toMatch(/^DEGRAIN after UPSCALE/);
});

it('takes values literally and leaves what is missing', () => {
	expect(say(phrase('header-version', { version: '$& {x}' }))).toBe('version "$& {x}"');
	expect(say(phrase('rotation'))).toContain('{degrees}');
	expect(say(phrase('rotation', JSON.parse('{"__proto__": {"degrees": 1}}') as Record<string, number>))).toContain(
		'{degrees}',
	);
});
