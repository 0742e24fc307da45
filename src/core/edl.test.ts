import { describe, expect, it } from 'vitest';
import { edlFromShots, parseEdl, printEdl, shotsFromEdl } from './edl.ts';
import { shotsFromBoundaries, validateShots } from './shots.ts';

const SAMPLE = [
	'TITLE: REEL 1',
	'FCM: NON-DROP FRAME',
	'',
	'001  AX       V     C        00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00',
	'* FROM CLIP NAME: STREET.MOV',
	'002  AX       V     C        00:00:04:00 00:00:04:00 01:00:04:00 01:00:04:00',
	'002  TAPE2    V     D    012 00:10:00:00 00:10:06:00 01:00:04:00 01:00:10:00',
	'M2   TAPE2    012.0          00:10:00:00',
	'003  AX       A     C        00:00:10:00 00:00:20:00 01:00:10:00 01:00:20:00',
	'004  AX       AA/V  W001 006 00:00:10:00 00:00:12:00 01:00:10:00 01:00:12:00',
].join('\r\n');

describe('parseEdl', () => {
	it('reads events, transitions, channels and keeps what it does not know', () => {
		const edl = parseEdl(SAMPLE, 24);
		expect(edl.title).toBe('REEL 1');
		expect(edl.events).toHaveLength(5);
		expect(edl.events[2]).toEqual({
			number: 2,
			reel: 'TAPE2',
			channels: 'V',
			transition: { kind: 'dissolve', duration: 12 },
			sourceIn: 14400,
			sourceOut: 14544,
			recordIn: 86496,
			recordOut: 86640,
			notes: ['M2   TAPE2    012.0          00:10:00:00'],
		});
		expect(edl.events[0]?.notes).toEqual(['* FROM CLIP NAME: STREET.MOV']);
		expect(edl.events[4]?.transition).toEqual({ kind: 'wipe', duration: 6, code: '001' });
	});

	it('prints what it parsed, so that parsing it again gives the same', () => {
		const edl = parseEdl(SAMPLE, 24);
		expect(parseEdl(printEdl(edl), 24)).toEqual(edl);
	});

	it('reads drop-frame numbering', () => {
		const edl = parseEdl('FCM: DROP FRAME\n1 AX V C 00:00:59;29 00:01:00;02 00:00:59;29 00:01:00;02\n', 30);
		expect(edl.events[0]?.recordOut).toBe(1800);
	});

	it.each([
		['a malformed event', '001 AX V C 00:00:00:00', /line 1: malformed event/],
		['an impossible timecode', '001 AX V C 00:00:00:99 00:00:01:00 00:00:00:00 00:00:01:00', /line 1: Timecode/],
		[
			'a record range that runs backwards',
			'001 AX V C 00:00:00:00 00:00:01:00 00:00:02:00 00:00:01:00',
			/before record in/,
		],
		['a dissolve without length', '001 AX V D 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00', /length in frames/],
		[
			'a dissolve longer than its event',
			'001 AX V D 048 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00',
			/longer than/,
		],
		['drop-frame at 24', 'FCM: DROP FRAME', /drop-frame numbering at 24/],
	])('refuses %s, naming the line', (_, text, message) => {
		expect(() => parseEdl(text, 24)).toThrow(message);
	});

	it('takes an empty list for what it is', () => {
		expect(parseEdl('\uFEFF\n\n', 24).events).toEqual([]);
	});
});

describe('shotsFromEdl', () => {
	it('turns the record side into shots; sound events are none', () => {
		const shots = shotsFromEdl(parseEdl(SAMPLE, 24), 300);
		validateShots(shots, 300);
		expect(shots.map((s) => [s.start, s.end, s.transitionIn, s.dissolve])).toEqual([
			[0, 102, 'start', undefined],
			[102, 243, 'dissolve', { from: 96, to: 108 }],
			[243, 288, 'dissolve', { from: 240, to: 246 }],
			[288, 300, 'cut', undefined],
		]);
		expect(shots.every((s) => s.source === 'edl')).toBe(true);
	});

	it('refuses a list that does not fit on the film', () => {
		expect(() => shotsFromEdl(parseEdl(SAMPLE, 24), 200)).toThrow(/inside of the film \(0 to 200\)/);
		expect(() => shotsFromEdl(parseEdl(SAMPLE, 24), 300, 90000)).toThrow(/inside of the film/);
		expect(() => shotsFromEdl(parseEdl('', 24), 300)).toThrow(/at least one picture event/);
	});

	it('gives back the shots that were written as an EDL', () => {
		const shots = shotsFromBoundaries(
			500,
			[
				{ transition: 'cut', frame: 30 },
				{ transition: 'dissolve', dissolve: { from: 100, to: 125 } },
				{ transition: 'cut', frame: 400 },
			],
			'edl',
		);
		for (const format of [
			{ base: 24, drop: false },
			{ base: 30, drop: true },
		]) {
			const edl = edlFromShots(shots, { title: 'T', reel: 'AX', format, sourceStart: 0, recordStart: 86400 });
			expect(shotsFromEdl(parseEdl(printEdl(edl), format.base), 500)).toEqual(shots);
		}
	});

	it('refuses a reel name that the format cannot hold', () => {
		const options = { title: 'T', reel: 'A B', format: { base: 24, drop: false }, sourceStart: 0, recordStart: 0 };
		expect(() => edlFromShots([], options)).toThrow(/reel/);
	});
});
