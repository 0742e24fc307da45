/** The viewer of the WebGPU backend: a fragment shader reads the pictures where they are. No readback. */

import type { Picture } from '../../contracts/compute.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { CINEON } from '../color/transfer.ts';
import shared from '../color/transfer.wgsl?raw';
import { f32, u32 } from '../op.ts';
import { packUniforms } from '../uniforms.ts';
import type { UniformValue } from '../../contracts/compute.ts';
import { gpuBuffer } from '../webgpu-compute.ts';
import type { WebGpuCompute } from '../webgpu-compute.ts';
import { displayCurve, mappingOf, PROVENANCE_COLORS, SURROUND, TINT, wipeColumn } from './view.ts';
import type { ViewColor, Viewer, ViewLayout, ViewPictures } from './view.ts';
import wgsl from './viewer.wgsl?raw';

const UNIFORM_COPY_DST = 0x40 | 0x08;
const STORAGE = 0x80;
const UNIFORM_BYTES = 256;
const FRAGMENT_STAGE = 0x2;

/** See the file's comment. */
export class GpuViewer implements Viewer {
	readonly #compute: WebGpuCompute;
	readonly #canvas: OffscreenCanvas;
	readonly #context: GPUCanvasContext;
	readonly #pipeline: GPURenderPipeline;
	readonly #uniforms: GPUBuffer;
	/** Bound where a picture is absent. */
	readonly #nothing: GPUBuffer;

	constructor(compute: WebGpuCompute, canvas: OffscreenCanvas) {
		const context = canvas.getContext('webgpu') as GPUCanvasContext | null;
		if (context === null)
			throw new EmulsionError('capability-missing', phrase('canvas-context', { context: 'WebGPU' }));
		const { device } = compute;
		const format = navigator.gpu.getPreferredCanvasFormat();
		context.configure({ device, format, alphaMode: 'opaque' });
		this.#compute = compute;
		this.#canvas = canvas;
		this.#context = context;
		this.#uniforms = device.createBuffer({ label: 'viewer', size: UNIFORM_BYTES, usage: UNIFORM_COPY_DST });
		this.#nothing = device.createBuffer({ label: 'viewer: nothing', size: 16, usage: STORAGE });
		this.#pipeline = makePipeline(device, format);
	}

	async draw(pictures: ViewPictures, layout: ViewLayout, color: ViewColor): Promise<void> {
		this.#compute.check();
		const { device } = this.#compute;
		const { width, height } = layout.canvas;
		if (this.#canvas.width !== width) this.#canvas.width = width;
		if (this.#canvas.height !== height) this.#canvas.height = height;
		// What made the pictures may still be waiting to be submitted.
		this.#compute.flush();
		device.queue.writeBuffer(this.#uniforms, 0, packUniforms(uniforms(pictures, layout, color)));
		const encoder = device.createCommandEncoder();
		const surround = [SURROUND, SURROUND, SURROUND, 1];
		const pass = encoder.beginRenderPass({
			colorAttachments: [
				{
					view: this.#context.getCurrentTexture().createView(),
					loadOp: 'clear',
					storeOp: 'store',
					clearValue: surround,
				},
			],
		});
		if (pictures.source ?? pictures.result) {
			pass.setPipeline(this.#pipeline);
			pass.setBindGroup(0, this.#bind(pictures));
			pass.draw(3);
		}
		pass.end();
		device.queue.submit([encoder.finish()]);
		await this.#compute.done();
	}

	destroy(): void {
		this.#context.unconfigure();
		this.#uniforms.destroy();
		this.#nothing.destroy();
	}

	#bind({ source, result, provenance }: ViewPictures): GPUBindGroup {
		const buffers = [source ?? result, result ?? source, provenance].map((p) => (p ? gpuBuffer(p) : this.#nothing));
		return this.#compute.device.createBindGroup({
			layout: this.#pipeline.getBindGroupLayout(0),
			entries: [this.#uniforms, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } })),
		});
	}
}

function makePipeline(device: GPUDevice, format: GPUTextureFormat): GPURenderPipeline {
	const types: GPUBufferBindingType[] = ['uniform', 'read-only-storage', 'read-only-storage', 'read-only-storage'];
	const layout = device.createBindGroupLayout({
		entries: types.map((type, binding) => ({ binding, visibility: FRAGMENT_STAGE, buffer: { type } })),
	});
	const module = device.createShaderModule({ label: 'viewer', code: `${shared}\n${wgsl}` });
	return device.createRenderPipeline({
		label: 'viewer',
		layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
		vertex: { module, entryPoint: 'corner' },
		fragment: { module, entryPoint: 'shade', targets: [{ format }] },
	});
}

function sideUniforms(
	picture: Picture | undefined,
	reference: Picture | undefined,
	layout: ViewLayout,
	color: ViewColor,
): UniformValue[] {
	if (picture === undefined || reference === undefined) return Array.from({ length: 12 }, () => u32(0));
	const m = mappingOf(layout, reference, picture, color);
	return [
		...[picture.width, picture.height, picture.channels, m.samples].map(u32),
		...[m.originX, m.originY, m.columnX, m.columnY, m.rowX, m.rowY, 0, 0].map(f32),
	];
}

function uniforms(pictures: ViewPictures, layout: ViewLayout, color: ViewColor): UniformValue[] {
	const reference = pictures.result ?? pictures.source;
	const curve = displayCurve(color.transfer);
	return [
		...sideUniforms(pictures.source ?? pictures.result, reference, layout, color),
		...sideUniforms(reference, reference, layout, color),
		f32(wipeColumn(layout)),
		u32(layout.mode === 'wipe' ? 1 : 0),
		u32(curve.convert ? 1 : 0),
		u32(curve.id),
		f32(curve.gain),
		u32(pictures.provenance ? 1 : 0),
		u32(0),
		u32(0),
		...[CINEON.black, CINEON.white, CINEON.density, CINEON.gamma].map(f32),
		...[...PROVENANCE_COLORS.repaired, TINT, ...PROVENANCE_COLORS.generated, TINT].map(f32),
		...[SURROUND, SURROUND, SURROUND, 1].map(f32),
	];
}
