/** Full screen: the browser's own, or, where it has none for this element (iPhone), the whole page. */

/** See the file's comment. */
export class FullScreen {
	#on = $state(false);
	#element: HTMLElement | undefined;

	get on(): boolean {
		return this.#on;
	}

	/** Binds to the element that fills the screen. */
	readonly attach = (element: HTMLElement): (() => void) => {
		this.#element = element;
		const changed = (): void => {
			this.#on = document.fullscreenElement === element;
		};
		document.addEventListener('fullscreenchange', changed);
		return () => document.removeEventListener('fullscreenchange', changed);
	};

	async toggle(): Promise<void> {
		if (document.fullscreenElement) {
			await document.exitFullscreen();
			return;
		}
		if (this.#on || !this.#element) {
			this.#on = false;
			return;
		}
		// Typed as always there; an iPhone has it for videos alone.
		const ask = this.#element.requestFullscreen as (() => Promise<void>) | undefined;
		try {
			if (!ask) throw new TypeError('no full screen');
			await ask.call(this.#element);
		} catch {
			this.#on = true;
		}
	}
}
