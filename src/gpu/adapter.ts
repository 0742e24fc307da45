/** Which adapter is taken, and what is a software adapter. */

import type { BackendInfo } from '../contracts/compute.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase, type Text } from '../core/phrases.ts';

/** Names under which software rasterizers present themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|\bwarp\b|basic render|software/i;

/** What tells adapters apart: a subset of `GPUAdapterInfo`. */
export interface AdapterFacts {
	readonly vendor: string;
	readonly architecture: string;
	readonly device: string;
	readonly description: string;
	readonly fallback: boolean;
}

/** Reads an adapter's facts; `isFallbackAdapter` moved from the adapter to its info. */
export function adapterFacts(adapter: GPUAdapter): AdapterFacts {
	const info: GPUAdapterInfo & { readonly isFallbackAdapter?: boolean } = adapter.info;
	const legacy = adapter as GPUAdapter & { readonly isFallbackAdapter?: boolean };
	return {
		vendor: info.vendor,
		architecture: info.architecture,
		device: info.device,
		description: info.description,
		fallback: info.isFallbackAdapter === true || legacy.isFallbackAdapter === true,
	};
}

/** True for SwiftShader, llvmpipe, WARP and whatever calls itself a fallback. */
export function isSoftware(facts: AdapterFacts): boolean {
	return facts.fallback || SOFTWARE.test(`${facts.vendor} ${facts.architecture} ${facts.device} ${facts.description}`);
}

/** The badge's text and the cache key of an adapter. */
export function gpuInfo(facts: AdapterFacts, reason: Text): BackendInfo {
	const named = [facts.description, [facts.vendor, facts.architecture].filter((s) => s !== '').join(' ')];
	return {
		kind: 'webgpu',
		name: named.find((s) => s !== '') ?? phrase('gpu-unnamed'),
		software: isSoftware(facts),
		reason,
		key: ['webgpu', facts.vendor, facts.architecture, facts.device, facts.description].join(':'),
	};
}

/** The adapter that a tab would get, or why there is none. */
export async function findAdapter(): Promise<{ readonly adapter?: GPUAdapter; readonly reason: Text }> {
	const gpu = (globalThis.navigator as Partial<Navigator> | undefined)?.gpu;
	if (gpu === undefined) return { reason: phrase('webgpu-absent') };
	try {
		const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
		return adapter === null ? { reason: phrase('webgpu-no-adapter') } : { adapter, reason: phrase('webgpu-there') };
	} catch (error) {
		return { reason: phrase('webgpu-failed', { why: toEmulsionError(error).said }) };
	}
}

/** Limits that are raised to what the adapter offers: big pictures, many bindings, and what model kernels use. */
const RAISED = [
	'maxBufferSize',
	'maxStorageBufferBindingSize',
	'maxStorageBuffersPerShaderStage',
	'maxComputeWorkgroupStorageSize',
	'maxComputeInvocationsPerWorkgroup',
	'maxComputeWorkgroupSizeX',
	'maxComputeWorkgroupSizeY',
	'maxComputeWorkgroupSizeZ',
] as const;

/** Features that models profit from. */
const WANTED: readonly GPUFeatureName[] = ['shader-f16', 'subgroups'];

/** A device with raised limits. Throws `backend-unavailable` when the adapter gives none. */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
	const requiredLimits: Record<string, number> = {};
	for (const name of RAISED) requiredLimits[name] = adapter.limits[name];
	const requiredFeatures = WANTED.filter((feature) => adapter.features.has(feature));
	try {
		return await adapter.requestDevice({ requiredLimits, requiredFeatures });
	} catch (cause) {
		throw new EmulsionError('backend-unavailable', phrase('webgpu-no-device'), { cause, retryable: true });
	}
}
