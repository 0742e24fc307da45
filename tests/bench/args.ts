/** The command line of `npm run bench`. */

import { parseArgs } from 'node:util';
import { BENCHES, type BenchName, type BenchOptions, DEFAULT_BENCHES } from './types.ts';

/** What `--help` prints. */
export const HELP = `Measures the engine and compares it with its targets. JSON goes into bench-results/, a table to the terminal.

usage: npm run bench -- [BENCH…] [options]

benches (default: ${DEFAULT_BENCHES.join(' ')})
  decode        ffmpeg.wasm and WebCodecs against their own bare loops
  passthrough   decode, working format, encode of 640×360 H.264 against the slowest of its parts
  tiles         a model stage a tile against bare session.run; readbacks between two stages
  dpx           2048×1556 10-bit DPX, read, written, and through the whole engine
  demo          the demo reel with its recipe on wasm: first frame, whole film
  memory        peak memory of a long 720p pass-through against a 1-minute one (an hour of work; not in the default)
  gpu           all models on a real GPU: Chromium, onnxruntime-node, PyTorch (not in the default; refuses software)
  grain         a frame of grain against the physical model of the workshop (not in the default; needs Python and PyTorch)
  noise         the strength of grain, found blindly, against the truth (not in the default; needs Python)
  share         200 reviewers fetch and vote on the share service, PGlite and Postgres; killed in the middle (not in the default)

  --frames N            frames of the decode and passthrough clips (150)
  --rounds N            repetitions of alternating measurements, the best counts (3)
  --minutes N, --fps N  the long clip of memory (20 minutes, 24 frames a second)
  --path working|copy   memory: through the working format (default), or planes copied
  --encoder software|webcodecs  memory: ffmpeg.wasm (default), or the browser's own encoder, several times as fast
  --backend auto|wasm|webgpu   what passthrough, dpx and memory run on (auto)
  --threads N           threads of the wasm backend (2)
  --adapter hardware|software  gpu: software starts Chromium on SwiftShader, which gpu refuses
  --json FILE           where the JSON goes, instead of a dated file in bench-results/
  --write-docs          write the tables of the benches that ran into docs/performance.md
  -h, --help            this text

exit codes: 0 every target met, 1 a target missed or a bench failed, 2 wrong usage, 6 gpu: there is no GPU
`;

/** Wrong usage; exit code 2. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
}

/** A parsed command line. */
export interface BenchArgs {
	readonly help: boolean;
	readonly benches: readonly BenchName[];
	readonly writeDocs: boolean;
	/** Where the JSON goes; a dated file in `bench-results/` where absent. */
	readonly json?: string;
	readonly options: Omit<BenchOptions, 'log'>;
}

function whole(name: string, text: string | undefined, fallback: number): number {
	if (text === undefined) return fallback;
	if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`--${name}: expected a whole number from 1, got "${text}"`);
	return Number(text);
}

function oneOf<T extends string>(name: string, text: string | undefined, legal: readonly [T, ...T[]]): T {
	if (text === undefined) return legal[0];
	const found = legal.find((value) => value === text);
	if (found === undefined) throw new UsageError(`--${name}: expected ${legal.join(', ')}, got "${text}"`);
	return found;
}

const TEXT = { type: 'string' } as const;

function read(argv: readonly string[]) {
	try {
		return parseArgs({
			args: [...argv],
			allowPositionals: true,
			options: {
				frames: TEXT,
				rounds: TEXT,
				minutes: TEXT,
				fps: TEXT,
				path: TEXT,
				encoder: TEXT,
				backend: TEXT,
				threads: TEXT,
				adapter: TEXT,
				json: TEXT,
				'write-docs': { type: 'boolean' },
				help: { type: 'boolean', short: 'h' },
			},
		});
	} catch (error) {
		throw new UsageError(error instanceof Error ? error.message : String(error));
	}
}

/** Parses. Throws {@link UsageError}. */
export function parseBenchArgs(argv: readonly string[]): BenchArgs {
	const { values, positionals } = read(argv);
	const unknown = positionals.filter((name) => !(BENCHES as readonly string[]).includes(name));
	if (unknown.length > 0) throw new UsageError(`unknown bench ${unknown.join(', ')}: expected ${BENCHES.join(', ')}`);
	const wanted = positionals.length === 0 ? DEFAULT_BENCHES : BENCHES.filter((name) => positionals.includes(name));
	return {
		help: values.help === true,
		benches: wanted,
		writeDocs: values['write-docs'] === true,
		...(values.json === undefined ? {} : { json: values.json }),
		options: {
			frames: whole('frames', values.frames, 150),
			rounds: whole('rounds', values.rounds, 3),
			minutes: whole('minutes', values.minutes, 20),
			fps: whole('fps', values.fps, 24),
			path: oneOf('path', values.path, ['working', 'copy']),
			encoder: oneOf('encoder', values.encoder, ['software', 'webcodecs']),
			backend: oneOf('backend', values.backend, ['auto', 'wasm', 'webgpu']),
			threads: whole('threads', values.threads, 2),
			adapter: oneOf('adapter', values.adapter, ['hardware', 'software']),
		},
	};
}
