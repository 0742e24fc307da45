/** Numbered file names: how a sequence's frames are found, ordered, and named again on the way out. */
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';

/** A file name taken apart around its frame number. */
export interface NumberedName {
	/** Text before the number. */
	readonly prefix: string;
	/** The digits as written; empty where the name has none. */
	readonly digits: string;
	/** Text between number and extension. */
	readonly suffix: string;
	/** Extension without the dot, as written. */
	readonly extension: string;
}

function splitExtension(name: string): readonly [stem: string, extension: string] {
	const dot = name.lastIndexOf('.');
	return dot > 0 ? [name.slice(0, dot), name.slice(dot + 1)] : [name, ''];
}

/** Takes a bare file name apart around its `position`-th run of digits before the extension; −1, the default, is the last. */
export function parseName(name: string, position = -1): NumberedName {
	const [stem, extension] = splitExtension(name);
	const runs = [...stem.matchAll(/\d+/g)];
	const run = runs.at(position);
	if (!run) return { prefix: stem, digits: '', suffix: '', extension };
	const end = run.index + run[0].length;
	return { prefix: stem.slice(0, run.index), digits: run[0], suffix: stem.slice(end), extension };
}

/** A name with its digits left out: names of one series have it in common. */
export function nameTemplate(name: string): string {
	return splitExtension(name)[0].replace(/\d+/g, '#');
}

/**
 * Which run of digits counts the frames in names of one template: the last one that is not the same everywhere
 * (`shot010_0001_2k`: the second); −1 where all are, so that a single file is numbered by its last digits.
 */
export function numberPosition(names: readonly string[]): number {
	const values = names.map((name) => splitExtension(name)[0].match(/\d+/g) ?? []);
	const first = values[0] ?? [];
	for (let i = first.length - 1; i >= 0; i--) if (values.some((v) => v[i] !== first[i])) return i;
	return -1;
}

/** Frame number of a name; undefined where it has none or one beyond exact integers. */
export function frameNumber(name: NumberedName): number | undefined {
	const value = name.digits === '' ? NaN : Number(name.digits);
	return Number.isSafeInteger(value) ? value : undefined;
}

/** Order in which people expect names: digits by value, then the rest by code point (the same on every machine). */
export function compareNatural(a: string, b: string): number {
	const pa = a.match(/\d+|\D+/g) ?? [];
	const pb = b.match(/\d+|\D+/g) ?? [];
	for (let i = 0; i < Math.min(pa.length, pb.length); i++) {
		const x = pa[i] ?? '';
		const y = pb[i] ?? '';
		if (x === y) continue;
		if (/^\d/.test(x) && /^\d/.test(y)) {
			const byValue = compareDigits(x, y);
			if (byValue !== 0) return byValue;
		}
		return x < y ? -1 : 1;
	}
	return pa.length - pb.length;
}

function compareDigits(a: string, b: string): number {
	const x = a.replace(/^0+(?=\d)/, '');
	const y = b.replace(/^0+(?=\d)/, '');
	if (x.length !== y.length) return x.length - y.length;
	return x < y ? -1 : x > y ? 1 : 0;
}

/**
 * A test for names of a `%06d` pattern (`%d`, `%4d`, `%04d`; `%%` is a percent sign), matched against the bare name, or the
 * path when the pattern has a slash. Throws `usage` for patterns without exactly one number.
 */
export function patternMatcher(pattern: string): (path: string) => boolean {
	let numbers = 0;
	const parts = pattern.split(/(%%|%0?\d*d)/).map((part) => {
		if (part === '%%') return '%';
		const match = /^%(0?)(\d*)d$/.exec(part);
		if (!match) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
		numbers++;
		const width = Number(match[2] === '' ? 1 : match[2]);
		// A number wider than the field is written in full, without leading zeros.
		return `(?:\\d{${width}}|[1-9]\\d{${width},})`;
	});
	if (numbers !== 1 || /%(?!%)/.test(pattern.replace(/%%|%0?\d*d/g, ''))) {
		throw new EmulsionError('usage', phrase('pattern', { pattern }));
	}
	const expression = new RegExp(`^${parts.join('')}$`);
	const byPath = pattern.includes('/');
	return (path) => expression.test(byPath ? path : (path.split('/').pop() ?? path));
}

/** What is known of a source's names: the part of `SourceInfo` that naming needs. */
export interface SequenceNames {
	/** Name of the source, for files that are no sequence. */
	readonly name: string;
	readonly names?: readonly string[];
	readonly firstNumber?: number;
}

/** Digits of a name made for a source without numbers. */
const DEFAULT_DIGITS = 7;

/**
 * Name of output frame `index` with extension `ext`: the source's own name where the source has that frame, else its
 * numbering continued. For a source that is no sequence: `name_0000000.ext`.
 */
export function nameFor(source: SequenceNames, index: number, ext: string): string {
	const own = source.names?.[index];
	if (own !== undefined) return withExtension(own, ext);
	return source.names?.length ? continuedName(source.names, index, ext) : numberedName(source, index, ext);
}

/**
 * Name of output frame `index` of a timeline that differs from the source's (frames created or dropped): the first name's
 * pattern, numbered from the reel's first number without gaps, so that no two frames share a name.
 */
export function numberedName(source: SequenceNames, index: number, ext: string): string {
	const first = source.names?.[0];
	if (first === undefined) {
		const stem = parseName(source.name.split('/').pop() ?? source.name);
		return `${stem.prefix}${stem.digits}${stem.suffix}_${String(index).padStart(DEFAULT_DIGITS, '0')}.${ext}`;
	}
	const { prefix, digits, suffix } = parseName(first, numberPosition(source.names ?? []));
	const number = (source.firstNumber ?? 0) + index;
	return `${prefix}${String(number).padStart(digits.length || DEFAULT_DIGITS, '0')}${suffix}.${ext}`;
}

/** Continues after the last frame, past any gaps: the numbering of frames that the source does not have. */
function continuedName(names: readonly string[], index: number, ext: string): string {
	const last = parseName(names[names.length - 1] ?? '', numberPosition(names));
	const { prefix, digits, suffix } = last;
	const number = (frameNumber(last) ?? names.length - 1) + 1 + index - names.length;
	return `${prefix}${String(number).padStart(digits.length || DEFAULT_DIGITS, '0')}${suffix}.${ext}`;
}

function withExtension(name: string, ext: string): string {
	const { extension } = parseName(name);
	return extension === '' ? `${name}.${ext}` : `${name.slice(0, -extension.length)}${ext}`;
}
