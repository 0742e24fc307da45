/** What can be written: containers, their codecs, and the choices each codec leaves. Data for the export dialog. */

import type { ContainerId, EncodeCodec } from '../contracts/media.ts';

/** A codec's choices. */
export interface CodecOption {
	readonly codec: EncodeCodec;
	readonly label: string;
	/** Bits a sample that it holds. */
	readonly depths: readonly number[];
	/** Its own quality scale; absent where there is none. Lower is better. */
	readonly quality?: { readonly name: string; readonly min: number; readonly max: number; readonly default: number };
	readonly engines: readonly ('software' | 'webcodecs')[];
}

/** A container's choices. */
export interface ContainerOption {
	readonly container: ContainerId;
	readonly label: string;
	readonly sequence: boolean;
	readonly audio: boolean;
	readonly codecs: readonly CodecOption[];
}

const image = (container: ContainerId & EncodeCodec, label: string, depths: readonly number[]): ContainerOption => ({
	container,
	label,
	sequence: true,
	audio: false,
	codecs: [{ codec: container, label, depths, engines: ['software'] }],
});

const H264: CodecOption = {
	codec: 'h264',
	label: 'H.264',
	depths: [8],
	quality: { name: 'CRF', min: 0, max: 51, default: 16 },
	engines: ['software', 'webcodecs'],
};
const quantizer = { name: 'Q', min: 0, max: 63, default: 20 } as const;
const VP9: CodecOption = { codec: 'vp9', label: 'VP9', depths: [8], quality: quantizer, engines: ['webcodecs'] };
const AV1: CodecOption = { codec: 'av1', label: 'AV1', depths: [8], quality: quantizer, engines: ['webcodecs'] };

/** All containers. */
export const EXPORT_OPTIONS: readonly ContainerOption[] = [
	{ container: 'mp4', label: 'MP4', sequence: false, audio: true, codecs: [H264, AV1, VP9] },
	{
		container: 'mov',
		label: 'QuickTime',
		sequence: false,
		audio: true,
		codecs: [
			{ codec: 'prores-422hq', label: 'ProRes 422 HQ', depths: [10], engines: ['software'] },
			{ codec: 'prores-4444', label: 'ProRes 4444', depths: [10], engines: ['software'] },
		],
	},
	{
		container: 'mkv',
		label: 'Matroska',
		sequence: false,
		audio: true,
		codecs: [{ codec: 'ffv1', label: 'FFV1', depths: [8, 10, 12, 16], engines: ['software'] }],
	},
	{ container: 'webm', label: 'WebM', sequence: false, audio: true, codecs: [VP9, AV1] },
	image('png', 'PNG', [8, 16]),
	image('tiff', 'TIFF', [8, 16]),
	image('dpx', 'DPX', [10, 12, 16]),
	image('exr', 'OpenEXR', [16]),
];

/** The choices of a container. */
export function containerOption(container: ContainerId): ContainerOption {
	const found = EXPORT_OPTIONS.find((o) => o.container === container);
	if (!found) throw new RangeError(`No export options for ${container}`);
	return found;
}
