/** Which lines are mended on a frame, by what the shot says and by what the restorer does; and the view that shows them. */

import type { Compute, Picture } from '../../contracts/compute.ts';
import { produce, using } from '../../gpu/op.ts';
import { type DecideParams, SHOW_VALUES, showOp } from './gpu.ts';
import { BRIGHT, columnAt, DARK, type Line, scoreOf } from './track.ts';

/** What decides. */
export interface LineChoice {
	/** 0…1; 0.5 takes what is more likely a scratch than not. */
	readonly sensitivity: number;
	readonly polarity: string;
	/** Columns at half height where a line surely is. */
	readonly lines: string;
	/** Columns at half height that are left alone. */
	readonly spare: string;
}

/** A line on a frame. */
export interface Placed {
	readonly polarity: number;
	readonly column: number;
	readonly lean: number;
	/** The least evidence that makes a pixel one of its own; undefined where the line is left alone. */
	readonly least: number | undefined;
}

/** Evidence above which a pixel in a line's corridor belongs to it: of a line that was found, of one that was named. */
const [TAKEN, NAMED] = [0.35, 0.15];
/** Columns named are those of a line up to so many pixels away. */
const SAME = 4;
/** Score that a step of all sensitivity moves the bar by. */
const SLOPE = 6;
/** Pixels to each side that a line may have wandered from where it was looked for. */
const WANDERED = 4;

/** Pixels from a line's column within which its pixels lie. */
export const corridorOf = (widest: number): number => WANDERED + widest / 2;

/** Columns from a text of numbers. */
export function columnsOf(text: string): number[] {
	return text.split(/[ ,]+/u).filter(Boolean).map(Number);
}

/** All candidates on a frame, and which are mended. `gap` frames beyond where it was seen a line may be there. */
export function linesAt(lines: readonly Line[], frame: number, gap: number, choice: LineChoice): Placed[] {
	const named = columnsOf(choice.lines);
	const spared = columnsOf(choice.spare);
	const near = (columns: readonly number[], column: number): boolean =>
		columns.some((other) => Math.abs(other - column) <= SAME);
	const wanted = (polarity: number): boolean =>
		choice.polarity === 'both' || (choice.polarity === 'bright') === (polarity === BRIGHT);
	const found = lines.flatMap((line) => {
		const column = columnAt(line, frame, gap);
		if (column === undefined || near(named, column)) return [];
		const isTaken =
			scoreOf(line) > SLOPE * (0.5 - choice.sensitivity) && wanted(line.polarity) && !near(spared, column);
		return [{ polarity: line.polarity, column, lean: line.lean, least: isTaken ? TAKEN : undefined }];
	});
	const byHand = named.flatMap((column) =>
		[BRIGHT, DARK].filter(wanted).map((polarity) => {
			// Where a line was found there, its lean is known.
			const same = lines.find((line) => Math.abs((columnAt(line, frame, gap) ?? Infinity) - column) <= SAME);
			return { polarity, column, lean: same?.lean ?? 0, least: NAMED };
		}),
	);
	return [...found, ...byHand];
}

/** The table of `decideOp`: those that are mended. */
export function placedColumns(placed: readonly Placed[]): number[] {
	return placed.flatMap(({ polarity, column, lean, least }) =>
		least === undefined ? [] : [polarity, column, lean, least],
	);
}

/** Rails of a bright line, of a dark one, and of one that is left alone. */
const [BRIGHT_RAIL, DARK_RAIL, OWN_RAIL] = [
	[1, 0.8, 0.1],
	[0.2, 0.7, 1],
	[0.9, 0.2, 0.2],
] as const;

/** The frame, dimmed, with rails beside the columns that were found. The caller owns it. */
export function shown(compute: Compute, frame: Picture, placed: readonly Placed[], widest: number): Picture {
	const { width, height } = frame;
	const rails = placed.flatMap(({ polarity, column, lean, least }) => {
		const color = least === undefined ? OWN_RAIL : polarity === BRIGHT ? BRIGHT_RAIL : DARK_RAIL;
		return [column, lean, ...color];
	});
	const table = compute.upload(Float32Array.from(rails.length > 0 ? rails : [0]));
	return using([table], () =>
		produce(compute, width, height, 3, (output) => {
			const params = { width, height, count: rails.length / SHOW_VALUES, corridor: corridorOf(widest) };
			compute.run(showOp, [frame, table], [output], { ...params, thick: Math.max(1, height / 540) });
		}),
	);
}

/** Geometry of `decideOp` for a table of {@link placedColumns}. */
export function decideParams(
	{ width, height }: Picture,
	columns: readonly number[],
	values: number,
	{ grow, widest }: { readonly grow: number; readonly widest: number },
): DecideParams {
	return { width, height, count: columns.length / values, grow, corridor: corridorOf(widest) };
}
