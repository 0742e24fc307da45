/** The probe sheet's rows: what probing found, in the restorer's words. */

import type { SourceInfo } from '../../contracts/media.ts';
import { codecText, containerText } from '../../core/codecs.ts';
import { formatPhrase, matrixText, tagText, transferText } from '../../core/color.ts';
import { add, compare, sub, toNumber, ZERO } from '../../core/rational.ts';
import type { I18n } from '../../state/i18n/i18n.svelte.ts';
import { formatAspect, formatBytes, formatRate } from '../format.ts';

/** One row: label and value. */
export interface ProbeRow {
	readonly label: string;
	readonly value: string;
	/** Longer text for a tooltip. */
	readonly note?: string;
}

const clock = (seconds: number): string => {
	const m = Math.floor(seconds / 60);
	return `${m}:${(seconds - m * 60).toFixed(3).padStart(6, '0')}`;
};

/** Seconds from the start of the first frame to the end of the last. */
export function durationOf(info: SourceInfo): number {
	const first = info.frames[0];
	const last = info.frames.at(-1);
	return first && last ? toNumber(sub(add(last.pts, last.duration), first.pts)) : 0;
}

/** Rows about the picture. */
export function videoRows(info: SourceInfo, i18n: I18n): ProbeRow[] {
	const { width, height } = info.size;
	const turned = info.rotation % 180 !== 0;
	const shape = formatAspect(turned ? height : width, turned ? width : height, info.sampleAspect);
	const square = info.sampleAspect.num === info.sampleAspect.den;
	const codec = i18n.say(codecText(info.codec));
	const rows: ProbeRow[] = [
		{ label: i18n.t('probe.container'), value: i18n.say(containerText(info.container)) },
		{ label: i18n.t('probe.codec'), value: info.profile ? `${codec}, ${info.profile}` : codec },
		{ label: i18n.t('probe.size'), value: `${width} × ${height}` },
		{
			label: i18n.t('probe.aspect'),
			value: square ? shape : `${shape} (${i18n.t('probe.pixels')} ${info.sampleAspect.num}:${info.sampleAspect.den})`,
		},
		{
			label: i18n.t('probe.rate'),
			value: `${formatRate(info.rate)} fps${info.constantRate ? '' : `, ${i18n.t('probe.variable')}`}`,
		},
		{ label: i18n.t('probe.frames'), value: i18n.number(info.frames.length) },
		{ label: i18n.t('probe.duration'), value: clock(durationOf(info)) },
		{ label: i18n.t('probe.format'), value: i18n.say(formatPhrase(info.format)) },
		{ label: i18n.t('probe.fields'), value: i18n.lookup(`fields.${info.fields}`) ?? info.fields },
	];
	if (info.rotation !== 0) rows.push({ label: i18n.t('probe.rotation'), value: `${info.rotation}°` });
	if (info.timecode !== undefined) rows.push({ label: i18n.t('probe.timecode'), value: info.timecode });
	rows.push({ label: i18n.t('probe.bytes'), value: formatBytes(info.bytes) });
	return rows;
}

/** Rows about color. */
export function colorRows(info: SourceInfo, i18n: I18n): ProbeRow[] {
	const { primaries, transfer, matrix, range, chromaLocation } = info.color;
	const rows = [
		{ label: i18n.t('probe.primaries'), value: i18n.say(tagText({ tag: 'primaries', value: primaries })) },
		{ label: i18n.t('probe.transfer'), value: i18n.say(transferText(transfer)) },
		{ label: i18n.t('probe.matrix'), value: i18n.say(matrixText(matrix)) },
		{ label: i18n.t('probe.range'), value: i18n.t(`range.${range}`) },
	];
	if (chromaLocation !== 'unspecified')
		rows.push({ label: i18n.t('probe.chroma'), value: i18n.t(`chroma.${chromaLocation}`) });
	return rows;
}

/** Rows about sound: one a track. */
export function audioRows(info: SourceInfo, i18n: I18n): ProbeRow[] {
	const rows: ProbeRow[] = info.audio.map((track, index) => ({
		label: i18n.t('probe.track', { number: index + 1 }),
		value: `${i18n.say(codecText(track.codec))}, ${i18n.number(track.sampleRate / 1000, track.sampleRate % 1000 === 0 ? 0 : 1)} kHz, ${track.channels} ${i18n.t('probe.channels')}${track.language === undefined ? '' : `, ${track.language}`}`,
	}));
	if (info.avOffset !== undefined && compare(info.avOffset, ZERO) !== 0) {
		rows.push({ label: i18n.t('probe.offset'), value: `${(toNumber(info.avOffset) * 1000).toFixed(1)} ms` });
	}
	return rows;
}
