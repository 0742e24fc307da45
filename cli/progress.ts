/** Progress on the terminal: a bar where there is one, plain lines otherwise. */

import type { ExportProgress } from '../src/contracts/workers.ts';

/** Something lines and bars are written to. */
export interface Terminal {
	readonly isTTY?: boolean | undefined;
	readonly columns?: number | undefined;
	write(text: string): unknown;
}

const LABELS: Readonly<Record<ExportProgress['phase'], string>> = {
	plan: 'planning',
	analyze: 'analyzing',
	render: 'restoring',
	mux: 'writing',
	verify: 'verifying',
};

/** `1:02:03` or `2:03`. */
export function formatSeconds(seconds: number): string {
	const total = Math.max(0, Math.round(seconds));
	const pad = (n: number): string => String(n).padStart(2, '0');
	const hours = Math.floor(total / 3600);
	const minutes = Math.floor((total % 3600) / 60);
	return hours > 0 ? `${hours}:${pad(minutes)}:${pad(total % 60)}` : `${minutes}:${pad(total % 60)}`;
}

/** One line of progress, without the bar. */
export function describeProgress(p: ExportProgress): string {
	const rate = p.framesPerSecond > 0 ? `  ${p.framesPerSecond.toFixed(2)} fps` : '';
	const left = p.remainingSeconds === null ? '' : `  ${formatSeconds(p.remainingSeconds)} left`;
	// Before the frames are counted there is nothing to say of them.
	const count = p.total > 0 ? ` ${p.done}/${p.total}` : '';
	return `${LABELS[p.phase]}${count}${rate}${left}`;
}

/** Writes progress to a terminal. */
export class ProgressWriter {
	readonly #out: Terminal;
	#last = '';
	#lastPercent = -1;

	constructor(out: Terminal) {
		this.#out = out;
	}

	/** Draws the bar anew, or prints a line at every tenth (plain output). */
	update(p: ExportProgress): void {
		const share = p.total > 0 ? Math.min(1, p.done / p.total) : 0;
		if (this.#out.isTTY !== true) {
			const tenth = Math.floor(share * 10);
			const key = `${p.phase}/${tenth}`;
			if (key !== this.#last) this.#out.write(`${describeProgress(p)}\n`);
			this.#last = key;
			return;
		}
		const text = ` ${String(Math.floor(share * 100)).padStart(3)} %  ${describeProgress(p)}`;
		// A terminal of unknown size says 0. The last column stays free: a full line wraps in some terminals, and cannot be redrawn.
		const columns = (this.#out.columns || 80) - 1;
		const width = Math.max(10, Math.min(40, columns - text.length - 2));
		const filled = Math.round(share * width);
		const line = `[${'='.repeat(filled)}${' '.repeat(width - filled)}]${text}`.slice(0, columns);
		if (line === this.#last && this.#lastPercent === share) return;
		this.#out.write(`\r\x1b[2K${line}`);
		this.#last = line;
		this.#lastPercent = share;
	}

	/** Prints a line; above the bar where one is drawn. */
	line(text: string): void {
		this.#out.write(this.#out.isTTY === true ? `\r\x1b[2K${text}\n${this.#last}` : `${text}\n`);
	}

	/** Ends the bar's line. */
	end(): void {
		if (this.#out.isTTY === true && this.#last !== '') this.#out.write('\n');
	}
}
