/** Joins the log lines of ffmpeg's `showinfo` filter into one text a frame. */

/** A frame is one line `n: … pts: …`, lines of side data (left out), and one line `color_range: …`. */
export class ShowinfoLines {
	#open: string | undefined;

	/** Takes a log line: `undefined` when it is not showinfo's, '' when a frame is not complete yet, else the frame's text. */
	add(line: string): string | undefined {
		if (!line.includes('Parsed_showinfo') || line.includes('config in')) return undefined;
		if (/\] *n: *\d+ /.test(line)) this.#open = line;
		else if (line.includes('color_range:') && this.#open !== undefined) {
			const text = `${this.#open} ${line}`;
			this.#open = undefined;
			return text;
		}
		return '';
	}
}
