/** The bench page's worker: runs parts of the engine alone, in a thread of their own as in the product. */

import { expose } from 'comlink';
import { benchDpx2k } from '../../../src/media/scans/bench.ts';
import type { BenchWorkerApi } from './api.ts';
import { decodeRates, passthroughParts } from './media.ts';
import { gpuModels } from './gpu.ts';
import { grainCosts } from './grain.ts';
import { tileCosts } from './tiles.ts';

const api: BenchWorkerApi = {
	parts: passthroughParts,
	decodeRates,
	tiles: tileCosts,
	grain: grainCosts,
	dpx: benchDpx2k,
	gpu: gpuModels,
};

expose(api);
