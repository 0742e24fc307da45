/** The command lines of `npm run review`: parsed, checked, typed. Wrong usage throws `usage` (exit code 2). */

import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { FrameRange } from '../../src/contracts/frames.ts';
import type { BackendWish } from '../../src/contracts/workers.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { parseRational } from '../../src/core/rational.ts';
import { CLIP_CODECS, CLIP_ENCODINGS, type ClipCodec } from '../../src/share/making/codec.ts';
import { MAX_VERSIONS } from '../../src/share/manifest.ts';
import { LIMITS } from '../../src/share/protocol.ts';
import { optionProblem } from '../options.ts';

/** What `--help` prints. */
export const HELP = `Makes reviews of films and reads their results, with the same code as the editor.

usage: npm run review -- make --versions A.mkv B.mkv [C D] [options] --server URL | -o FILE
       npm run review -- results OWNER-LINK [--package FILE] [--votes FILES…] [--json]

make renders clips of two to four films of equal length and rate, encrypts them and sends them to a review service, or
writes all of it to one file. The links go to standard output: the first is the owner's. Keep it: it alone reads the votes.

  --versions FILES…         two to four films, or sequences (folder, or scans/reel_%06d.dpx)
  --names TEXTS…            their names, in that order (default: the file names); in a blind review only the owner reads them
  --title TEXT              what reviewers read above the clips (default: Review)
  --question TEXT           what voters are asked (default: Which version do you prefer?)
  --blind                   voters do not learn which version is which; traps and repeats are mixed in
  --pairs N                 pairs to vote on, 0 for none (default: every pair of versions in every shot, at most 24)
  --no-ties                 voters have to choose
  --shots auto|IN:OUT,…     source frames, counted from 0, OUT excluded (default auto: detected, the longest 12)
  --stills N                lossless stills of every clip, 0 to 16 (default 3: first, middle, last)
  --expires DAYS            1 to 366 (default 30)
  --passphrase-file FILE    all links but the owner's need the passphrase in its first line as well
  --voters N                N links for one voter each, instead of one link for everybody
  --codec h264|vp9|av1      default h264: every browser decodes it
  --quality N               constant quality on the codec's scale (default: ${CLIP_CODECS.map((c) => `${c} ${CLIP_ENCODINGS[c].quality}`).join(', ')})
  --no-judge                do not measure the clips for the automatic judge
  --source NAME|NUMBER      the version that the others were made of: their grain is compared with its grain
  --truth NAME|NUMBER       the version that shows what the others should look like: SSIM and PSNR against it are measured
  --backend auto|webgpu|wasm   default auto
  --transfer NAME, --rate FPS  of image sequences, as npm run restore takes them
  --server URL              the service that keeps the review
  -o, --output FILE         one file instead (.emreview), opened from disk or beside the app on any static host
  --site URL                with -o: where the app and the file will be served, for whole links
  --overwrite               replace FILE where it is there already
  --json                    machine-readable output

results prints the statistics of the votes.

  --package FILE            the review is this file; its votes come back as files
  --votes FILES…            files of votes that were sent back
  --json                    machine-readable output

exit codes: as of npm run restore: 0 done, 1 internal or no answer, 2 wrong usage, 3 input unreadable, 6 backend unavailable,
            7 no space, 130 interrupted
`;

/** A review to be made. */
export interface MakeArgs {
	readonly command: 'make';
	readonly versions: readonly string[];
	readonly names: readonly string[];
	readonly title: string;
	readonly question: string;
	readonly blind: boolean;
	/** Undefined: every pair of versions in every shot. */
	readonly pairs: number | undefined;
	readonly ties: boolean;
	/** Undefined: detected. */
	readonly shots: readonly FrameRange[] | undefined;
	readonly stills: number;
	readonly judge: boolean;
	/** Version (0 first) that the others were made of. */
	readonly source: number | undefined;
	/** Version (0 first) that the others are measured against. */
	readonly truth: number | undefined;
	readonly days: number;
	readonly passphraseFile: string | undefined;
	/** Undefined: one link for everybody. */
	readonly voters: number | undefined;
	readonly codec: ClipCodec;
	readonly quality: number | undefined;
	readonly backend: BackendWish;
	readonly transfer: string | undefined;
	readonly rate: string | undefined;
	readonly server: string | undefined;
	readonly output: string | undefined;
	readonly site: string | undefined;
	readonly overwrite: boolean;
	readonly json: boolean;
}

/** Results to be read. */
export interface ResultsArgs {
	readonly command: 'results';
	readonly link: string;
	readonly package: string | undefined;
	readonly votes: readonly string[];
	readonly json: boolean;
}

/** Anything the command line may ask for. */
export type ReviewArgs = MakeArgs | ResultsArgs | { readonly command: 'help' };

const OPTIONS = {
	versions: { type: 'string', multiple: true },
	names: { type: 'string', multiple: true },
	votes: { type: 'string', multiple: true },
	title: { type: 'string' },
	question: { type: 'string' },
	blind: { type: 'boolean' },
	pairs: { type: 'string' },
	'no-ties': { type: 'boolean' },
	shots: { type: 'string' },
	stills: { type: 'string' },
	'no-judge': { type: 'boolean' },
	source: { type: 'string' },
	truth: { type: 'string' },
	expires: { type: 'string' },
	'passphrase-file': { type: 'string' },
	voters: { type: 'string' },
	codec: { type: 'string' },
	quality: { type: 'string' },
	backend: { type: 'string' },
	transfer: { type: 'string' },
	rate: { type: 'string' },
	server: { type: 'string' },
	output: { type: 'string', short: 'o' },
	site: { type: 'string' },
	package: { type: 'string' },
	overwrite: { type: 'boolean' },
	json: { type: 'boolean' },
	help: { type: 'boolean', short: 'h' },
} as const;

const MAKE_ONLY = Object.keys(OPTIONS).filter((name) => !['votes', 'package', 'json', 'help'].includes(name));
/** Options that take all words up to the next option. */
const LISTS: readonly string[] = ['versions', 'names', 'votes'];

function usage(message: string): never {
	throw new EmulsionError('usage', `${message}\nSee npm run review -- --help.`);
}

function oneOf<T extends string>(value: string, legal: readonly T[], option: string): T {
	return legal.find((l) => l === value) ?? usage(`${option}: expected ${legal.join(', ')}, got "${value}"`);
}

function number(value: string, option: string, min: number, max: number, whole = true): number {
	const parsed = Number(value);
	const isOne = value.trim() !== '' && parsed >= min && parsed <= max && (!whole || Number.isInteger(parsed));
	return isOne
		? parsed
		: usage(`${option}: expected ${whole ? 'a whole number ' : ''}${min} to ${max}, got "${value}"`);
}

/** `IN:OUT,IN:OUT`. */
function parseShots(text: string): readonly FrameRange[] | undefined {
	if (text === 'auto') return undefined;
	return text.split(',').map((part) => {
		const match = /^(\d{1,9}):(\d{1,9})$/.exec(part.trim());
		if (!match) usage(`--shots: expected auto or IN:OUT,IN:OUT, got "${part}"`);
		const [start, end] = [Number(match[1]), Number(match[2])];
		return end > start ? { start, end } : usage(`--shots: OUT must be greater than IN, got ${part}`);
	});
}

function parseAddress(text: string, option: string): string {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (url && /^https?:$/.test(url.protocol) && url.username === '') return url.href.replace(/[?#].*$/, '');
	return usage(`${option}: expected an address such as https://films.example, got "${text}"`);
}

/** A version by its name, or by its number as it is counted on the command line, 1 first. */
function parseVersion(text: string, names: readonly string[], option: string): number {
	const index = names.includes(text) ? names.indexOf(text) : /^[1-9]$/.test(text) ? Number(text) - 1 : -1;
	if (index >= 0 && index < names.length) return index;
	return usage(`${option}: expected a number, 1 to ${names.length}, or one of ${names.join(', ')}; got "${text}"`);
}

function parse(argv: readonly string[]) {
	try {
		return parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS, tokens: true });
	} catch (cause) {
		return usage(optionProblem(cause, Object.keys(OPTIONS)));
	}
}

/** Words by the list option that they follow; the others as they are. */
function sortWords(tokens: ReturnType<typeof parse>['tokens']): {
	readonly lists: Readonly<Record<string, readonly string[]>>;
	readonly words: readonly string[];
} {
	const lists: Record<string, string[]> = {};
	const words: string[] = [];
	let list: string[] | undefined;
	for (const token of tokens) {
		if (token.kind === 'option') {
			list = LISTS.includes(token.name) ? (lists[token.name] ??= []) : undefined;
			if (list && token.value !== undefined) list.push(token.value);
		} else if (token.kind === 'positional') (list ?? words).push(token.value);
	}
	return { lists, words };
}

function parseMake(
	v: ReturnType<typeof parse>['values'],
	lists: Readonly<Record<string, readonly string[]>>,
): MakeArgs {
	const versions = lists['versions'] ?? [];
	if (versions.length < 2 || versions.length > MAX_VERSIONS) {
		usage(`--versions: expected 2 to ${MAX_VERSIONS} films, got ${versions.length}`);
	}
	const names = lists['names'] ?? versions.map((path) => basename(path));
	if (names.length !== versions.length) usage(`--names: expected ${versions.length} names, got ${names.length}`);
	if (new Set(names).size !== names.length)
		usage(`--names: every version needs a name of its own, got ${names.join(', ')}`);
	if ((v.server === undefined) === (v.output === undefined)) usage('expected either --server URL or -o FILE');
	if (v['no-judge'] === true && (v.source ?? v.truth) !== undefined) {
		usage('--source and --truth go with the judge’s figures: leave out --no-judge');
	}
	if (v.site !== undefined && v.output === undefined) usage('--site goes with -o');
	if (v.rate !== undefined && !parseRational(v.rate)) usage(`--rate: expected a rate such as 24, got "${v.rate}"`);
	return {
		command: 'make',
		versions,
		names,
		title: v.title ?? 'Review',
		question: v.question ?? 'Which version do you prefer?',
		blind: v.blind === true,
		pairs: v.pairs === undefined ? undefined : number(v.pairs, '--pairs', 0, LIMITS.presentations),
		ties: v['no-ties'] !== true,
		shots: parseShots(v.shots ?? 'auto'),
		stills: number(v.stills ?? '3', '--stills', 0, 16),
		judge: v['no-judge'] !== true,
		source: v.source === undefined ? undefined : parseVersion(v.source, names, '--source'),
		truth: v.truth === undefined ? undefined : parseVersion(v.truth, names, '--truth'),
		days: number(v.expires ?? '30', '--expires', 1, 366),
		passphraseFile: v['passphrase-file'],
		voters: v.voters === undefined ? undefined : number(v.voters, '--voters', 1, LIMITS.links - 3),
		codec: oneOf(v.codec ?? 'h264', CLIP_CODECS, '--codec'),
		quality: v.quality === undefined ? undefined : number(v.quality, '--quality', 0, 63, false),
		backend: oneOf(v.backend ?? 'auto', ['auto', 'webgpu', 'wasm'], '--backend'),
		transfer: v.transfer,
		rate: v.rate,
		server: v.server === undefined ? undefined : parseAddress(v.server, '--server'),
		output: v.output,
		site: v.site === undefined ? undefined : parseAddress(v.site, '--site'),
		overwrite: v.overwrite === true,
		json: v.json === true,
	};
}

/** Parses the arguments after `--`. Throws `usage`. */
export function parseReviewArgs(argv: readonly string[]): ReviewArgs {
	const { values, tokens } = parse(argv);
	if (values.help) return { command: 'help' };
	const { lists, words } = sortWords(tokens);
	const [command, ...rest] = words;
	if (command === 'make') {
		if (rest.length > 0) usage(`make: unexpected ${rest.join(' ')}; films follow --versions`);
		if (values.votes !== undefined || values.package !== undefined) usage('--votes and --package go with results');
		return parseMake(values, lists);
	}
	if (command !== 'results') usage(`expected make or results, got "${command ?? ''}"`);
	const [link, ...more] = rest;
	if (link === undefined) usage('results: the owner’s link is missing');
	if (more.length > 0) usage(`results: unexpected ${more.join(' ')}`);
	const wrong = MAKE_ONLY.find((name) => Object.hasOwn(values, name));
	if (wrong !== undefined) usage(`--${wrong} goes with make`);
	const votes = lists['votes'] ?? [];
	if (votes.length > 0 && values.package === undefined) usage('--votes goes with --package');
	return { command: 'results', link, package: values.package, votes, json: values.json === true };
}
