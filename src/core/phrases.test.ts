import { expect, it } from 'vitest';
import { codecText, containerText } from './codecs.ts';
import { transferText } from './color.ts';
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

it('says tags of formats as the field does, and a tag without a name as it is', () => {
	const said = ['h264', 'pcm_s24le', 'pcm_f32be', 'rawvideo', undefined, 'clearvideo'].map((id) => say(codecText(id)));
	expect(said).toEqual([
		'H.264',
		'PCM 24 bit',
		'PCM 32 bit float',
		'uncompressed video',
		'unknown codec',
		'clearvideo',
	]);
	expect(['mov', 'dpx'].map((id) => say(containerText(id)))).toEqual(['QuickTime/MP4', 'DPX']);
	const tags = phrase('untagged-color', { tags: [phrase('tag-transfer', { value: transferText('smpte170m') })] });
	expect(say(tags)).toBe('Color is not tagged; taken as usual for this size: transfer BT.601.');
});
