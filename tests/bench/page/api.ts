/** What the terminal asks of the bench page, and the page of its worker. Plain JSON: it crosses the browser's protocol. */

import type { BackendWish } from '../../../src/contracts/workers.ts';
import type { ScanBenchResult } from '../../../src/media/scans/bench.ts';

/** Wall and processor seconds a frame; `cpu` is null where processor time cannot be read. */
export interface Cost {
	readonly wall: number;
	readonly cpu: number | null;
}

/** The parts of a pass-through, each measured alone. */
export interface Parts {
	readonly frames: number;
	readonly engine: string;
	readonly backend: string;
	readonly decode: Cost;
	readonly convert: Cost;
	readonly encode: Cost;
}

/** The whole pass-through. */
export interface Whole {
	readonly frames: number;
	readonly backend: string;
	/** Wall seconds of a first export in the same tab: workers start, wasm is compiled. */
	readonly coldSeconds: number;
	/** Wall seconds of `export`, from the call to the verified file. */
	readonly seconds: number;
	/** Of those, from the first frame handed to the encoder to the last. */
	readonly renderSeconds: number;
	readonly cpu: number | null;
	/** Of the report. */
	readonly decodeSeconds: number;
	readonly convertSeconds: number;
	readonly encodeSeconds: number;
}

/** Frames a second of our stream and of the bare loop; NaN where a disturbance spoiled the measurement. */
export interface Rates {
	readonly engine: string;
	readonly ours: readonly number[];
	readonly bare: readonly number[];
	/** Milliseconds of processor time a frame; NaN or absent where unknown. */
	readonly oursCpu?: number;
	readonly bareCpu?: number;
	/** ffmpeg.wasm: planes in the ring, given back unread; frames a second, and milliseconds of processor time a frame. */
	readonly ring?: readonly number[];
	readonly ringCpu?: number;
	/** Ours, where the reader gives no buffers back. */
	readonly oursFresh?: readonly number[];
	/** The bare loop with planes copied out as ours does; where that is a different thing. */
	readonly bareCopying?: readonly number[];
	/** Why nothing was measured. */
	readonly refused?: string;
}

/** Seconds a tile, one a round, and what a stage pair cost. */
export interface TileCosts {
	readonly backend: string;
	readonly software: boolean;
	readonly model: string;
	/** Sides of the tiles of one picture. */
	readonly tiles: readonly string[];
	readonly stage: readonly number[];
	readonly bare: readonly number[];
	/** Readbacks between entering the first of two stages and leaving the second. */
	readonly readbacks: number;
}

/** How tiles are measured. */
export interface TileRequest {
	readonly backend: BackendWish;
	readonly threads: number;
	readonly width: number;
	readonly height: number;
	/** Tile side; the manifest's when absent. */
	readonly tile?: number;
	readonly rounds: number;
}

/** How the `grain` stage is measured. */
export interface GrainRequest {
	readonly backend: BackendWish;
	readonly width: number;
	readonly height: number;
	readonly rounds: number;
}

/** What a frame of `grain` cost: seconds, one a round. */
export interface GrainCosts {
	readonly backend: string;
	readonly software: boolean;
	readonly width: number;
	readonly height: number;
	/** Of the filters laid: reach in pixels, and how many there are. */
	readonly radius: number;
	readonly terms: number;
	readonly wall: readonly number[];
	/** Processor seconds of the whole browser; null where they cannot be read. */
	readonly cpu: readonly (number | null)[];
}

/** One model at one size on a GPU. */
export interface GpuCase {
	readonly model: string;
	readonly width: number;
	readonly height: number;
}

/** What a case took. */
export interface GpuResult extends GpuCase {
	readonly layout: 'NCHW' | 'NHWC';
	/** Seconds a run, queue drained; the median of many. */
	readonly seconds: number;
	/** Largest difference from the canary's reference. */
	readonly canaryError: number;
}

/** What the tab's adapter is, and what it did. */
export interface GpuAnswer {
	readonly adapter: string;
	/** Why it is not taken for a GPU. */
	readonly refused?: string;
	readonly results: readonly GpuResult[];
}

/** The page. */
export interface BenchPageApi {
	parts(frames: number, backend: BackendWish, threads: number): Promise<Parts>;
	whole(frames: number, backend: BackendWish, threads: number): Promise<Whole>;
	decodeRates(engine: 'ffmpeg' | 'webcodecs', rounds: number): Promise<Rates>;
	tiles(request: TileRequest): Promise<TileCosts>;
	grain(request: GrainRequest): Promise<GrainCosts>;
	dpx(iterations: number): Promise<readonly ScanBenchResult[]>;
	gpu(cases: readonly GpuCase[], runs: number): Promise<GpuAnswer>;
}

/** The page's worker: the same, with the file and a clock of processor seconds handed in. */
export interface BenchWorkerApi {
	parts(file: File, frames: number, backend: BackendWish, threads: number, cpu: CpuClock): Promise<Parts>;
	decodeRates(file: File, engine: 'ffmpeg' | 'webcodecs', rounds: number, cpu: CpuClock): Promise<Rates>;
	tiles(request: TileRequest): Promise<TileCosts>;
	grain(request: GrainRequest, cpu: CpuClock): Promise<GrainCosts>;
	dpx(iterations: number): readonly ScanBenchResult[];
	gpu(cases: readonly GpuCase[], runs: number): Promise<GpuAnswer>;
}

/** Processor seconds of the browser so far, or null. */
export type CpuClock = () => Promise<number | null>;
