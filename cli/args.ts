/** The command line of `npm run restore`: parsed, checked, typed. Wrong usage throws `usage` (exit code 2). */

import { extname } from 'node:path';
import { parseArgs } from 'node:util';
import type { FrameRange } from '../src/contracts/frames.ts';
import type { ContainerId, EncodeCodec, StretchMode } from '../src/contracts/media.ts';
import type { BackendWish } from '../src/contracts/workers.ts';
import { EmulsionError } from '../src/core/errors.ts';
import { isMatteId } from '../src/core/regions.ts';
import { parseRational } from '../src/core/rational.ts';
import { optionProblem } from './options.ts';

/** What `--help` prints. */
export const HELP = `Restores a film with the same pipeline as the editor, in headless Chromium.

usage: npm run restore -- INPUT -o OUTPUT [options]
       npm run restore -- --list-stages

INPUT   a film file, a folder of numbered frames, or a pattern such as scans/reel_%06d.dpx
OUTPUT  its extension picks the container: .mp4 .webm .mov .mkv, or a sequence of .png .tiff .dpx .exr:
        folder/*.dpx keeps the source's own names and numbers, folder/out_%06d.dpx renames, one frame may be out.png

  -o, --output OUTPUT       where the result goes; written to OUTPUT.part and renamed when its invariants hold
  --overwrite               replace OUTPUT and the report where they are there already; without it they are refused (exit code 2)
  --recipe FILE             what to do (JSON); without it the film is copied bit for bit where OUTPUT can hold it
  --matte ID=PATH           what "region": "ID" (or "outside:ID") in the recipe means: a film, a sequence or a still of the
                            film's proportions, white where the stage acts; may be given more than once
  --range IN:OUT            source frames, counted from 0, OUT excluded; either may be left out
  --backend auto|webgpu|wasm   default auto: a real GPU, else the CPU, said openly; only webgpu takes a software adapter
  --threads N               threads of the CPU backend (default: all cores)
  --report FILE             write report.json
  --work DIR                keep the work (browser profile), so that an interrupted run goes on where it was
  --transfer NAME           transfer of an image sequence, where it does not say it or says it wrongly: bt709, srgb,
                            linear, log, gamma22, gamma28, bt2020-10, pq, hlg
  --rate FPS                rate of a sequence: 24, 24000/1001 (default 24)
  --edl FILE                take the cuts from a CMX3600 EDL instead of detecting them
  --codec NAME              h264, av1, vp9, prores-422hq, prores-4444, ffv1
  --encoder software|webcodecs  default software where it exists: reproducible bytes
  --depth N                 bits a sample (default: the source's, where OUTPUT holds it)
  --chroma LAYOUT           420, 422, 444, rgb or gray (default: the source's)
  --quality N               constant quality on the codec's own scale (H.264: CRF 0-51)
  --audio N|none            audio stream index, or none (default: the first)
  --stretch MODE            audio of a stretched timeline: keep-pitch, resample or drop
  --chunk N                 frames between two points an interrupted run goes on from (default: by cost, 8 to 480)
  --list-stages             print every stage with its parameters, units, ranges and defaults
  -h, --help                this text

exit codes: 0 done, 1 internal, 2 wrong usage, 3 input unreadable, 4 recipe invalid, 5 invariants failed,
            6 backend unavailable, 7 no space, 130 interrupted
`;

const CONTAINERS: Readonly<Record<string, ContainerId>> = {
	'.mp4': 'mp4',
	'.webm': 'webm',
	'.mov': 'mov',
	'.mkv': 'mkv',
	'.png': 'png',
	'.tif': 'tiff',
	'.tiff': 'tiff',
	'.dpx': 'dpx',
	'.exr': 'exr',
};
const CODECS: readonly EncodeCodec[] = ['h264', 'av1', 'vp9', 'prores-422hq', 'prores-4444', 'ffv1'];
const TRANSFERS = ['bt709', 'srgb', 'linear', 'log', 'gamma22', 'gamma28', 'bt2020-10', 'bt2020-12', 'pq', 'hlg'];

/** A restore run as asked for. */
export interface RestoreArgs {
	readonly command: 'restore';
	readonly input: string;
	readonly output: string;
	readonly container: ContainerId;
	readonly recipe?: string;
	/** Mattes by id, as paths. */
	readonly mattes?: readonly { readonly id: string; readonly path: string }[];
	readonly range?: FrameRange;
	readonly backend: BackendWish;
	readonly threads?: number;
	readonly report?: string;
	readonly work?: string;
	readonly transfer?: string;
	readonly rate?: string;
	readonly edl?: string;
	readonly codec?: EncodeCodec;
	readonly encoder?: 'software' | 'webcodecs';
	readonly depth?: number;
	readonly chroma?: '420' | '422' | '444' | 'rgb' | 'gray';
	readonly quality?: number;
	readonly audio?: number | 'none';
	readonly stretchMode?: StretchMode;
	readonly chunk?: number;
	/** Files that are there already may be replaced. */
	readonly overwrite?: true;
}

/** Anything the command line may ask for. */
export type Args = RestoreArgs | { readonly command: 'help' } | { readonly command: 'list-stages' };

function usage(message: string): never {
	throw new EmulsionError('usage', `${message}\nSee npm run restore -- --help.`);
}

function oneOf<T extends string>(value: string, legal: readonly T[], option: string): T {
	const found = legal.find((l) => l === value);
	return found ?? usage(`${option}: expected ${legal.join(', ')}, got "${value}"`);
}

function number(value: string, option: string, min: number, max: number): number {
	const parsed = Number(value);
	if (value.trim() === '' || !Number.isFinite(parsed) || parsed < min || parsed > max) {
		usage(`${option}: expected ${min} to ${max}, got "${value}"`);
	}
	return parsed;
}

function whole(value: string, option: string, min: number, max: number): number {
	const parsed = number(value, option, min, max);
	return Number.isInteger(parsed)
		? parsed
		: usage(`${option}: expected a whole number ${min} to ${max}, got "${value}"`);
}

/** `IN:OUT` with either side optional; −1 stands for the end. */
export function parseFrameRange(text: string): FrameRange {
	const match = /^(\d{0,9}):(\d{0,9})$/.exec(text);
	if (!match) usage(`--range: expected IN:OUT in frames, such as 0:48, got "${text}"`);
	const start = match[1] === '' ? 0 : Number(match[1]);
	const end = match[2] === '' ? -1 : Number(match[2]);
	if (end !== -1 && end <= start) usage(`--range: OUT must be greater than IN, got "${text}"`);
	return { start, end };
}

/** `ID=PATH` of each matte. */
function parseMattes(texts: readonly string[]): NonNullable<RestoreArgs['mattes']> {
	const mattes = texts.map((text) => {
		const at = text.indexOf('=');
		const [id, path] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
		if (!isMatteId(id) || path === '') {
			usage(`--matte: expected ID=PATH with an id of letters, digits, ".", "_" and "-", got "${text}"`);
		}
		return { id, path };
	});
	const twice = mattes.find(({ id }, i) => mattes.findIndex((m) => m.id === id) !== i);
	if (twice) usage(`--matte: ${twice.id} is given twice`);
	return mattes;
}

const OPTIONS = {
	output: { type: 'string', short: 'o' },
	recipe: { type: 'string' },
	matte: { type: 'string', multiple: true },
	range: { type: 'string' },
	backend: { type: 'string' },
	threads: { type: 'string' },
	report: { type: 'string' },
	work: { type: 'string' },
	transfer: { type: 'string' },
	rate: { type: 'string' },
	edl: { type: 'string' },
	codec: { type: 'string' },
	encoder: { type: 'string' },
	depth: { type: 'string' },
	chroma: { type: 'string' },
	quality: { type: 'string' },
	audio: { type: 'string' },
	stretch: { type: 'string' },
	chunk: { type: 'string' },
	overwrite: { type: 'boolean' },
	'list-stages': { type: 'boolean' },
	help: { type: 'boolean', short: 'h' },
} as const;

function parse(argv: readonly string[]) {
	try {
		return parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS });
	} catch (cause) {
		return usage(optionProblem(cause, Object.keys(OPTIONS)));
	}
}

/** Parses the arguments after `--`. Throws `usage`. */
export function parseCommandLine(argv: readonly string[]): Args {
	const { values: v, positionals } = parse(argv);
	if (v.help) return { command: 'help' };
	if (v['list-stages']) return { command: 'list-stages' };
	const [input, ...rest] = positionals;
	if (input === undefined) usage('INPUT is missing');
	if (rest.length > 0) usage(`one INPUT at a time, got ${positionals.length}: ${positionals.join(' ')}`);
	if (v.output === undefined) usage('-o OUTPUT is missing');
	const extension = extname(v.output).toLowerCase();
	const container = CONTAINERS[extension];
	if (!container) usage(`OUTPUT: expected one of ${Object.keys(CONTAINERS).join(' ')}, got "${extension}"`);
	if (v.rate !== undefined && !parseRational(v.rate))
		usage(`--rate: expected a rate such as 24 or 24000/1001, got "${v.rate}"`);
	const audio = v.audio === undefined || v.audio === 'none' ? v.audio : whole(v.audio, '--audio', 0, 999);
	return {
		command: 'restore',
		input,
		output: v.output,
		container,
		backend: oneOf(v.backend ?? 'auto', ['auto', 'webgpu', 'wasm'], '--backend'),
		...(v.recipe === undefined ? {} : { recipe: v.recipe }),
		...(v.matte === undefined ? {} : { mattes: parseMattes(v.matte) }),
		...(v.range === undefined ? {} : { range: parseFrameRange(v.range) }),
		...(v.threads === undefined ? {} : { threads: whole(v.threads, '--threads', 1, 64) }),
		...(v.report === undefined ? {} : { report: v.report }),
		...(v.work === undefined ? {} : { work: v.work }),
		...(v.transfer === undefined ? {} : { transfer: oneOf(v.transfer, TRANSFERS, '--transfer') }),
		...(v.rate === undefined ? {} : { rate: v.rate }),
		...(v.edl === undefined ? {} : { edl: v.edl }),
		...(v.codec === undefined ? {} : { codec: oneOf(v.codec, CODECS, '--codec') }),
		...(v.encoder === undefined ? {} : { encoder: oneOf(v.encoder, ['software', 'webcodecs'], '--encoder') }),
		...(v.depth === undefined ? {} : { depth: whole(v.depth, '--depth', 8, 16) }),
		...(v.chroma === undefined ? {} : { chroma: oneOf(v.chroma, ['420', '422', '444', 'rgb', 'gray'], '--chroma') }),
		...(v.quality === undefined ? {} : { quality: number(v.quality, '--quality', 0, 100) }),
		...(audio === undefined ? {} : { audio: audio as number | 'none' }),
		...(v.stretch === undefined
			? {}
			: { stretchMode: oneOf(v.stretch, ['keep-pitch', 'resample', 'drop'], '--stretch') }),
		...(v.chunk === undefined ? {} : { chunk: whole(v.chunk, '--chunk', 1, 100_000) }),
		...(v.overwrite === true ? { overwrite: true } : {}),
	};
}
