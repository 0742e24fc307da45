/** What a block of an OpenEXR file holds once it is expanded. */
import type { ExrChannel } from './header.ts';

/** `height` lines, in each the channels in file order, `width` samples of each. */
export interface BlockShape {
	readonly width: number;
	readonly height: number;
	readonly channels: readonly ExrChannel[];
}

/** Bytes of one sample of a channel. */
export function sampleBytes(channel: ExrChannel): 2 | 4 {
	return channel.type === 1 ? 2 : 4;
}

/** Bytes of one line. */
export function lineBytes({ width, channels }: Pick<BlockShape, 'width' | 'channels'>): number {
	return width * channels.reduce((sum, c) => sum + sampleBytes(c), 0);
}

/** Bytes of an expanded block. */
export function shapeBytes(shape: BlockShape): number {
	return shape.height * lineBytes(shape);
}
