/** What a bench says. Plain data: it becomes JSON, a table on the terminal and a table in the documentation. */

/** The benches, in the order in which they run. */
export const BENCHES = [
	'decode',
	'passthrough',
	'tiles',
	'dpx',
	'demo',
	'memory',
	'gpu',
	'grain',
	'share',
	'noise',
] as const;

/** Name of a bench. */
export type BenchName = (typeof BENCHES)[number];

/**
 * What runs when none is named: all but the long `memory` run, `gpu`, which most machines cannot do, `share`, which needs Postgres, and
 * `grain` and `noise`, which need Python.
 */
export const DEFAULT_BENCHES: readonly BenchName[] = ['decode', 'passthrough', 'tiles', 'dpx', 'demo'];

/** One figure. */
export interface BenchRow {
	readonly bench: BenchName;
	readonly name: string;
	/** What it should be; `—` where nothing is demanded. */
	readonly target: string;
	/** What it was. */
	readonly figure: string;
	/** Null where nothing is demanded. */
	readonly pass: boolean | null;
	/** The measurements behind the figure. */
	readonly data: Readonly<Record<string, unknown>>;
}

/** Exit code of a run: 1 when a target was missed or a bench failed. */
export function exitCodeOf(rows: readonly BenchRow[]): 0 | 1 {
	return rows.some((row) => row.pass === false) ? 1 : 0;
}

/** What the benches ran on. */
export interface Machine {
	readonly cpu: string;
	readonly cores: number;
	readonly memoryBytes: number;
	readonly system: string;
	readonly node: string;
	readonly chromium: string;
	/** One-minute load average before the first bench: above a fraction of a core, the figures are of a busy machine. */
	readonly loadBefore: number;
}

/** One run of `npm run bench`. */
export interface BenchReport {
	readonly version: 1;
	readonly command: string;
	readonly date: string;
	readonly commit: string;
	readonly machine: Machine;
	readonly rows: readonly BenchRow[];
}

/** Settings of a run, from the command line. */
export interface BenchOptions {
	/** Frames of the pass-through and decode clips. */
	readonly frames: number;
	/** Times that alternating measurements are repeated; the least disturbed one counts. */
	readonly rounds: number;
	/** Minutes of the long clip of `memory`. */
	readonly minutes: number;
	/** Frames a second of the clips of `memory`. */
	readonly fps: number;
	/** `working` goes through the working format, `copy` copies planes. */
	readonly path: 'working' | 'copy';
	/** Encoder of `memory`: the default one, or the browser's own, which is several times as fast. */
	readonly encoder: 'software' | 'webcodecs';
	readonly backend: 'auto' | 'wasm' | 'webgpu';
	readonly threads: number;
	/** `software` starts Chromium on SwiftShader, to see `gpu` refuse it. */
	readonly adapter: 'hardware' | 'software';
	readonly log: (line: string) => void;
}

/** Thrown by `gpu` where there is no GPU: the message says what there is instead. */
export class NoGpuError extends Error {
	override readonly name = 'NoGpuError';
}
