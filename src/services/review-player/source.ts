/**
 * What the review player shows: clips whose every frame can be asked for by number, whatever decodes them. The player
 * (`lockstep.ts`) asks each clip for the same number and paints when all have it.
 */

/** Who turns a clip into pictures: the browser's WebCodecs, a `<video>` element that is seeked, or lossless pictures. */
export type EngineName = 'webcodecs' | 'video' | 'stills';

/** A frame that is decoded and waits to be drawn. Close it when it was drawn, or is not wanted any more. */
export interface ReadyFrame {
	/** Pixels as stored, before the pixel aspect ratio. */
	readonly width: number;
	readonly height: number;
	/** Draws the whole frame onto (0, 0, width, height). Synchronous: what several clips draw in one task is one picture. */
	draw(context: CanvasRenderingContext2D): void;
	close(): void;
}

/** A clip. Calls of `prepare` follow one another; the player never has two at once. */
export interface FrameSource {
	readonly engine: EngineName;
	/** Frames it has, numbered from 0. */
	readonly frames: number;
	/** The frame of this number, and of no other. @throws EmulsionError where it cannot be decoded. */
	prepare(index: number): Promise<ReadyFrame>;
	/** Frees decoder, element and object URL; what is being prepared rejects or is closed by its caller. */
	close(): void;
}
