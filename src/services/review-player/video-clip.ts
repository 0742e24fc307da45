/**
 * A clip decoded by a `<video>` element, for browsers without WebCodecs or without the clip's codec there: seeked to the
 * middle of each frame's time and drawn once the element says that this frame, and no other, is presented. Slower than
 * WebCodecs, and as exact.
 */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type ClipIndex, indexAt, middleOf } from './clip-index.ts';
import type { FrameSource, ReadyFrame } from './source.ts';

/** Longest wait for an element's first picture or for a seek, ms. */
const PATIENCE = 20_000;
/** Time after which an element that loads nothing is told to play, ms. */
const NUDGE = 2500;
const ignore = (): void => undefined;
/** How long a frame callback is waited for after `seeked`: browsers without one for this frame draw what `seeked` promises. */
const CALLBACK_GRACE = 400;

function once(video: HTMLVideoElement, event: string, failed: () => EmulsionError, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const end = new AbortController();
		const settle = (act: () => void): void => {
			end.abort();
			clearTimeout(timer);
			act();
		};
		const timer = setTimeout(() => settle(() => reject(failed())), PATIENCE);
		const { signal: listening } = end;
		video.addEventListener(event, () => settle(resolve), { signal: listening });
		video.addEventListener('error', () => settle(() => reject(failed())), { signal: listening });
		const stop = (): void => settle(() => reject(new EmulsionError('aborted', 'The clip was closed.')));
		if (signal.aborted) stop();
		else signal.addEventListener('abort', stop, { signal: listening });
	});
}

/** See the file's comment. It owns the index. */
export class VideoClip implements FrameSource {
	readonly engine = 'video';
	readonly frames: number;
	readonly #index: ClipIndex;
	readonly #video: HTMLVideoElement;
	readonly #url: string;
	readonly #end = new AbortController();
	#shown: number | undefined;

	private constructor(index: ClipIndex, video: HTMLVideoElement, url: string) {
		this.#index = index;
		this.#video = video;
		this.#url = url;
		this.frames = index.timestamps.length;
	}

	/** @throws EmulsionError `unsupported-format`: this browser does not play the clip. */
	static async open(clip: Blob, index: ClipIndex, codec: string): Promise<VideoClip> {
		const video = document.createElement('video');
		video.muted = true;
		video.playsInline = true;
		video.preload = 'auto';
		video.disablePictureInPicture = true;
		video.setAttribute('aria-hidden', 'true');
		video.tabIndex = -1;
		video.className = 'review-decoder';
		const url = URL.createObjectURL(clip);
		const opened = new VideoClip(index, video, url);
		const failed = (): EmulsionError =>
			new EmulsionError('unsupported-format', phrase('clip-codec', { codec: codec.slice(0, 64) }), {
				cause: video.error ?? undefined,
			});
		let nudge: ReturnType<typeof setTimeout> | undefined;
		try {
			const loaded = once(video, 'loadeddata', failed, opened.#end.signal);
			video.src = url;
			// Elements outside of the document are not decoded on every phone.
			document.body.append(video);
			video.load();
			// Phones that save power fetch nothing before something plays; without sound that needs no permission.
			nudge = setTimeout(() => void video.play().then(() => video.pause(), ignore), NUDGE);
			await loaded;
			video.pause();
			return opened;
		} catch (error) {
			opened.close();
			throw error;
		} finally {
			clearTimeout(nudge);
		}
	}

	async prepare(index: number): Promise<ReadyFrame> {
		if (this.#shown !== index) {
			this.#shown = undefined;
			const failed = (): EmulsionError => new EmulsionError('input-unreadable', phrase('clip-frame', { frame: index }));
			const seeked = once(this.#video, 'seeked', failed, this.#end.signal);
			const presented = this.#presented(index);
			this.#video.currentTime = middleOf(this.#index, index);
			await seeked;
			await presented(CALLBACK_GRACE);
			this.#shown = index;
		}
		const { videoWidth: width, videoHeight: height } = this.#video;
		return {
			width,
			height,
			draw: (context) => context.drawImage(this.#video, 0, 0, width, height),
			close: () => undefined,
		};
	}

	close(): void {
		this.#end.abort();
		this.#video.remove();
		this.#video.removeAttribute('src');
		this.#video.load();
		URL.revokeObjectURL(this.#url);
		this.#index.close();
	}

	/** Listens for the frame's presentation; the result waits for it, so long after `seeked`. */
	#presented(index: number): (grace: number) => Promise<void> {
		const video = this.#video;
		// `seeked` comes before the picture does: without callbacks one of some dozens of frames was drawn as the one before.
		if (!('requestVideoFrameCallback' in video)) return painted;
		let arrived: () => void = () => undefined;
		const arrival = new Promise<void>((resolve) => (arrived = resolve));
		let handle = 0;
		const listen = (): void => {
			handle = video.requestVideoFrameCallback((_now, { mediaTime }) => {
				if (indexAt(this.#index.timestamps, mediaTime) === index) arrived();
				else listen();
			});
		};
		listen();
		return async (grace) => {
			let timer: ReturnType<typeof setTimeout> | undefined;
			const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, grace)));
			await Promise.race([arrival, late]);
			clearTimeout(timer);
			video.cancelVideoFrameCallback(handle);
		};
	}
}

/** Paints after which a picture that was sought is there, where no callback tells. */
const PAINTS = 3;

/** Waits for some paints, or so long where the page is not painted. */
async function painted(grace: number): Promise<void> {
	for (let i = 0; i < PAINTS; i++) {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, grace);
			requestAnimationFrame(() => {
				clearTimeout(timer);
				resolve();
			});
		});
	}
}
