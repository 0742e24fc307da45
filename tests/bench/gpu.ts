/**
 * The shipped models on a real GPU: in Chromium where it can, else through onnxruntime-node's WebGPU provider; and the original
 * networks in PyTorch on the same GPU. A software adapter is refused, never measured.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/build.ts';
import { withBenchPage } from './chrome.ts';
import type { GpuCase, GpuResult } from './page/api.ts';
import { type BenchOptions, type BenchRow, NoGpuError } from './types.ts';

/** Every shipped model (a test holds that), at the sizes that the pipeline uses: one tile, or one whole flow. */
export const GPU_CASES: readonly GpuCase[] = [
	{ model: 'rife', width: 640, height: 384 },
	{ model: 'rife', width: 1280, height: 768 },
	{ model: 'ffdnet', width: 256, height: 256 },
	{ model: 'degrain', width: 256, height: 256 },
	{ model: 'dirt', width: 256, height: 256 },
	{ model: 'blur-cause', width: 160, height: 160 },
	{ model: 'scratch', width: 256, height: 256 },
	{ model: 'deblur-small', width: 256, height: 256 },
	{ model: 'deblur-full', width: 384, height: 384 },
	{ model: 'spanx2', width: 256, height: 256 },
	{ model: 'spanx4', width: 256, height: 256 },
	{ model: 'realesrgan-x4fast', width: 192, height: 192 },
];

/** One measured case, whoever measured it. */
export interface Measured extends GpuCase {
	readonly variant: string;
	readonly seconds: number;
	/** Against the canary's reference; absent for PyTorch, which is the reference. */
	readonly canaryError?: number;
}

interface Part {
	readonly where: string;
	readonly results: readonly Measured[];
	/** Why there are none. */
	readonly reason?: string;
}

/** The canary's tolerance on WebGPU. */
const TOLERANCE = 1e-3;

function rowsOf({ where, results }: Part): BenchRow[] {
	return results.map((r): BenchRow => {
		const error = r.canaryError === undefined ? '' : `, canary off by ${r.canaryError.toExponential(1)}`;
		const judged = r.variant === 'NCHW' && r.canaryError !== undefined;
		return {
			bench: 'gpu',
			name: `${r.model} ${r.width}×${r.height}, ${r.variant}, ${where}`,
			target: judged ? `canary ≤ ${TOLERANCE}` : '—',
			figure: `${(r.seconds * 1000).toFixed(2)} ms${error}`,
			// What ships is NCHW; NHWC is here to be compared.
			pass: judged ? (r.canaryError ?? Infinity) <= TOLERANCE : null,
			data: { ...r },
		};
	});
}

async function inChromium(options: BenchOptions): Promise<Part> {
	const runs = options.rounds * 10;
	const answer = await withBenchPage(options.adapter, [], (page) =>
		page.evaluate(([c, n]) => globalThis.emulsionBench!.gpu(c, n), [GPU_CASES, runs] as const),
	);
	const results = answer.results.map((r: GpuResult): Measured => ({ ...r, variant: r.layout }));
	const where = `Chromium, ${answer.adapter}`;
	return answer.refused === undefined ? { where, results } : { where, results: [], reason: answer.refused };
}

/** PCI vendors that make GPUs; virtual display adapters are not among them. */
const VENDORS: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' };

/** Name of a GPU of this machine, by its driver; undefined where none is seen. Linux only. */
export function hardwareGpu(): string | undefined {
	const smi = spawnSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' });
	const named = smi.status === 0 ? smi.stdout.split('\n')[0]?.trim() : undefined;
	if (named) return named;
	try {
		for (const node of readdirSync('/sys/class/drm').filter((name) => name.startsWith('renderD'))) {
			const vendor = VENDORS[readFileSync(`/sys/class/drm/${node}/device/vendor`, 'utf8').trim()];
			if (vendor !== undefined) return `${vendor} (${node})`;
		}
	} catch {
		// No such tree: not Linux, or no display driver.
	}
	return undefined;
}

interface ChildAnswer {
	readonly where: string;
	readonly results: readonly Measured[];
}

function child(command: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildAnswer | string {
	const input = JSON.stringify({ cases: GPU_CASES, models: join(ROOT, 'public', 'models') });
	const run = spawnSync(command, args, {
		cwd: ROOT,
		encoding: 'utf8',
		input,
		env: { ...process.env, ...env },
		timeout: 900_000,
		maxBuffer: 1 << 24,
	});
	if (run.error) return run.error.message;
	if (run.status !== 0) return run.stderr.trim().split('\n').slice(-3).join('; ') || `exit code ${run.status}`;
	return JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as ChildAnswer;
}

/**
 * onnxruntime-node is not among our packages: its install script fetches CUDA libraries from elsewhere on Linux. Its WebGPU
 * provider needs none of them. It does not name its adapter, so a GPU must be seen by its driver, and the Vulkan loader is told to
 * leave software drivers out.
 */
function inNode(): Part {
	const where = 'onnxruntime-node';
	const gpu = hardwareGpu();
	if (gpu === undefined) return { where, results: [], reason: 'no GPU driver is seen on this machine' };
	const answer = child(process.execPath, ['--import', 'tsx', join(ROOT, 'tests', 'bench', 'gpu-node.ts')], {
		VK_LOADER_DRIVERS_DISABLE: '*lvp*,*swrast*,*swiftshader*,*llvmpipe*',
	});
	if (typeof answer === 'string') return { where, results: [], reason: answer };
	return { where: `${answer.where}, ${gpu}, copies in and out included`, results: answer.results };
}

function inPytorch(): Part {
	const venv = join(ROOT, 'training', '.venv', 'bin', 'python');
	const python = process.env['EMULSION_PYTHON'] ?? (existsSync(venv) ? venv : 'python3');
	const answer = child(python, [join(ROOT, 'tests', 'bench', 'torch_models.py')], {
		PYTHONPATH: join(ROOT, 'training'),
	});
	if (typeof answer === 'string') return { where: 'PyTorch', results: [], reason: answer };
	return answer;
}

/** See the file's comment. Throws {@link NoGpuError} where there is no GPU. */
export async function gpuBench(options: BenchOptions): Promise<BenchRow[]> {
	const chromium = await inChromium(options);
	const parts = [chromium];
	if (chromium.reason !== undefined) {
		options.log(`gpu: Chromium: ${chromium.reason}`);
		const node = options.adapter === 'hardware' ? inNode() : undefined;
		if (node === undefined || node.reason !== undefined) {
			const also = node?.reason === undefined ? '' : ` onnxruntime-node: ${node.reason}.`;
			throw new NoGpuError(`There is no GPU to measure. Chromium: ${chromium.reason}${also}`);
		}
		parts.push(node);
	}
	const torch = inPytorch();
	parts.push(torch);
	if (torch.reason !== undefined) options.log(`gpu: not compared with PyTorch: ${torch.reason}`);
	return parts.flatMap(rowsOf);
}
