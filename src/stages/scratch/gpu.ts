/** Kernels of `scratch`: from evidence and columns to the pixels of lines, their opacity, and what lies below them. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { clamp, f32, groups, i32, lineGroups, produce, u32 } from '../../gpu/op.ts';
import alongWgsl from './along.wgsl?raw';
import bridgeWgsl from './bridge.wgsl?raw';
import cureWgsl from './cure.wgsl?raw';
import decideWgsl from './decide.wgsl?raw';
import markWgsl from './mark.wgsl?raw';
import showWgsl from './show.wgsl?raw';

const SIDE = 64;
const line = (area: number) => [u32(area), u32(lineGroups(area, SIDE)[0] * SIDE)] as const;

/** Parameters of {@link alongOp}. */
export interface AlongParams {
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	/** Rows above and below that count. */
	readonly rows: number;
}

/** Means over so many rows above and below, edges repeated. */
export const alongOp: Op<AlongParams> = {
	id: 'scratch/along',
	wgsl: alongWgsl,
	uniforms: ({ width, height, channels, rows }) => [u32(width), u32(height), u32(channels), i32(rows)],
	dispatch: ({ width, height, channels }) => groups(width, height, channels),
	cpu: ([input], [output], { width, height, channels, rows }) => {
		if (!input || !output) return;
		for (let c = 0; c < channels; c++) {
			for (let x = 0; x < width; x++) {
				const at = (y: number): number => input[(c * height + clamp(y, 0, height - 1)) * width + x]!;
				let sum = 0;
				for (let j = -rows; j <= rows; j++) sum += at(j);
				for (let y = 0; y < height; y++) {
					output[(c * height + y) * width + x] = sum / (2 * rows + 1);
					sum += at(y + rows + 1) - at(y - rows);
				}
			}
		}
	},
};

/** Means along the columns of a picture. The caller owns it. */
export function along(compute: Compute, picture: Picture, rows: number): Picture {
	const { width, height, channels } = picture;
	return produce(compute, width, height, channels, (output) => {
		compute.run(alongOp, [picture], [output], { width, height, channels, rows });
	});
}

interface Corridor {
	readonly width: number;
	readonly height: number;
	/** Row. */
	readonly y: number;
	/** Nearest and furthest pixel's distance from the line; `from` itself is out, unless it is 0. */
	readonly from: number;
	readonly to: number;
}

/** Calls back for each pixel of a row that lies so far from a line, whose column and lean stand in a table. */
function inCorridor(
	table: Float32Array,
	at: number,
	{ width, height, y, from, to }: Corridor,
	found: (x: number) => void,
): void {
	const single = Math.fround;
	const column = table[at]!;
	const shift = single(table[at + 1]! * single((y + 0.5) / height - 0.5));
	const middle = column + shift;
	for (let x = Math.max(0, Math.floor(middle - to) - 1); x <= Math.min(width - 1, Math.ceil(middle + to) + 1); x++) {
		const away = Math.abs(single(single(x - column) - shift));
		if (away <= to && (from === 0 || away > from)) found(x);
	}
}

/** Values a line in the table of {@link decideOp}: polarity (0 bright, 1 dark), column at half height, lean from top to bottom, least evidence. */
export const DECIDE_VALUES = 4;

/** Parameters of {@link decideOp}. */
export interface DecideParams {
	readonly width: number;
	readonly height: number;
	/** Lines in the table. */
	readonly count: number;
	/** Pixels added to each side. */
	readonly grow: number;
	/** Pixels from a line's column within which its pixels lie. */
	readonly corridor: number;
}

/** Inputs: evidence (2 channels, bright and dark), the table of lines; output: 1 on a bright line, −1 on a dark one, else 0. */
export const decideOp: Op<DecideParams> = {
	id: 'scratch/decide',
	wgsl: decideWgsl,
	uniforms: ({ width, height, count, grow, corridor }) => [
		u32(width),
		u32(height),
		u32(count),
		i32(grow),
		f32(corridor),
	],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([lines, table], [output], { width, height, count, grow, corridor }) => {
		if (!lines || !table || !output) return;
		output.fill(0, 0, width * height);
		const best = new Float32Array(width);
		for (let y = 0; y < height; y++) {
			best.fill(0);
			for (let k = 0; k < count; k++) {
				const isDark = table[DECIDE_VALUES * k]! > 0.5;
				const least = table[DECIDE_VALUES * k + 3]!;
				const row = (isDark ? width * height : 0) + y * width;
				inCorridor(table, DECIDE_VALUES * k + 1, { width, height, y, from: 0, to: corridor }, (x) => {
					let most = 0;
					for (let u = Math.max(0, x - grow); u <= Math.min(width - 1, x + grow); u++) {
						most = Math.max(most, lines[row + u]!);
					}
					if (most <= least || most <= best[x]!) return;
					best[x] = most;
					output[y * width + x] = isDark ? -1 : 1;
				});
			}
		}
	},
};

/** Code values of a bright and of a dark line itself. */
export interface LineLight {
	readonly bright: number;
	readonly dark: number;
}

/** Channels of what opacity is fitted from. */
export const BRIDGE_SUMS = 4;

/** Parameters of {@link bridgeOp}. */
export interface BridgeParams extends LineLight {
	readonly width: number;
	readonly height: number;
	/** Pixels to each side in which sound film is looked for. */
	readonly reach: number;
}

/**
 * Inputs: frame (3 channels), sign (1). Outputs: the frame with its lines bridged from the nearest sound pixels of the row (3); what
 * opacity is fitted from (4): (frame − bridged)·(line − bridged), (line − bridged)², (frame − bridged)² and 1, 0 off the lines.
 */
export const bridgeOp: Op<BridgeParams> = {
	id: 'scratch/bridge',
	wgsl: bridgeWgsl,
	uniforms: ({ width, height, reach, bright, dark }) => [u32(width), u32(height), i32(reach), f32(bright), f32(dark)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([frame, sign], [bridged, sums], { width, height, reach, bright, dark }) => {
		if (!frame || !sign || !bridged || !sums) return;
		const area = width * height;
		bridged.set(frame.subarray(0, 3 * area));
		sums.fill(0, 0, BRIDGE_SUMS * area);
		for (let i = 0; i < area; i++) {
			if (sign[i] === 0) continue;
			const x = i % width;
			let left = 1;
			while (left <= reach && x - left >= 0 && sign[i - left] !== 0) left++;
			let right = 1;
			while (right <= reach && x + right < width && sign[i + right] !== 0) right++;
			const hasLeft = left <= reach && x - left >= 0;
			const hasRight = right <= reach && x + right < width;
			const light = sign[i]! > 0 ? bright : dark;
			for (let at = i; at < 3 * area; at += area) {
				const [a, b] = [frame[at - left]!, frame[at + right]!];
				if (hasLeft && hasRight) bridged[at] = a + (b - a) * (left / (left + right));
				else if (hasLeft) bridged[at] = a;
				else if (hasRight) bridged[at] = b;
				const away = light - bridged[at]!;
				sums[i] = sums[i]! + (frame[at]! - bridged[at]!) * away;
				sums[area + i] = sums[area + i]! + away * away;
				sums[2 * area + i] = sums[2 * area + i]! + (frame[at]! - bridged[at]!) ** 2;
			}
			sums[3 * area + i] = 1;
		}
	},
};

/** Parameters of {@link cureOp}. */
export interface CureParams extends LineLight {
	readonly area: number;
	/** Opacity from which on the sides alone heal. */
	readonly opaque: number;
	/** How much below that they fade in. */
	readonly span: number;
	/** Rows that the sums are means of. */
	readonly rows: number;
	/** How many of its variances a fitted opacity loses, over itself: what does not stand above its own error is none. */
	readonly doubt: number;
}

/**
 * Inputs: frame, bridged (3 channels each), sign (1), the sums of {@link bridgeOp} averaged along the lines (4). Outputs: the healed frame (3),
 * off the lines the frame's very values; the share of the sides in it (1).
 */
export const cureOp: Op<CureParams> = {
	id: 'scratch/cure',
	wgsl: cureWgsl,
	uniforms: ({ area, bright, dark, opaque, span, rows, doubt }) => [
		...line(area),
		f32(bright),
		f32(dark),
		f32(opaque),
		f32(span),
		f32(rows),
		f32(doubt),
	],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([frame, bridged, sign, sums], [healed, share], { area, bright, dark, opaque, span, rows, doubt }) => {
		if (!frame || !bridged || !sign || !sums || !healed || !share) return;
		healed.set(frame.subarray(0, 3 * area));
		for (let i = 0; i < area; i++) {
			share[i] = 0;
			if (sign[i] === 0) continue;
			const [hidden, could, differs, present] = [0, 1, 2, 3].map((k) => sums[k * area + i]!) as [
				number,
				number,
				number,
				number,
			];
			const fitted = hidden / (could + 1e-4);
			const variance = Math.max(differs - fitted * hidden, 0) / (could + 1e-4) / Math.max(present * rows, 1);
			const hides = clamp(fitted * Math.max(1 - (doubt * variance) / (fitted * fitted + 1e-9), 0), 0, 1);
			const clear = clamp((opaque - hides) / span, 0, 1);
			const light = sign[i]! > 0 ? bright : dark;
			for (let at = i; at < 3 * area; at += area) {
				const wanted = (frame[at]! - hides * light) / Math.max(1 - hides, 0.1);
				const own = frame[at]!;
				// Film is no darker than black and no brighter than white, unless the frame was.
				const below = sign[i]! > 0 ? Math.max(wanted, Math.min(own, 0)) : Math.min(wanted, Math.max(own, 1));
				healed[at] = clear * below + (1 - clear) * bridged[at]!;
			}
			share[i] = 1 - clear;
		}
	},
};

/** Parameters of {@link markOp}. */
export interface MarkParams {
	readonly area: number;
	/** Provenance of what was mended. */
	readonly level: number;
}

/** Inputs: provenance, sign; output: the provenance, at least `level` on lines. */
export const markOp: Op<MarkParams> = {
	id: 'scratch/mark',
	wgsl: markWgsl,
	uniforms: ({ area, level }) => [...line(area), f32(level)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([before, sign], [output], { area, level }) => {
		if (!before || !sign || !output) return;
		for (let i = 0; i < area; i++) output[i] = Math.max(before[i]!, sign[i] === 0 ? 0 : level);
	},
};

/** Values a line in the table of {@link showOp}: column at half height, lean from top to bottom, red, green, blue. */
export const SHOW_VALUES = 5;

/** Parameters of {@link showOp}. */
export interface ShowParams {
	readonly width: number;
	readonly height: number;
	readonly count: number;
	/** Pixels from a column to its rails. */
	readonly corridor: number;
	/** Pixels across a rail. */
	readonly thick: number;
}

/** Inputs: frame (3 channels), the table of rails; output: the frame, dimmed, with a rail to each side of every column. */
export const showOp: Op<ShowParams> = {
	id: 'scratch/show',
	wgsl: showWgsl,
	uniforms: ({ width, height, count, corridor, thick }) => [
		u32(width),
		u32(height),
		u32(count),
		f32(corridor),
		f32(thick),
	],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([frame, rails], [output], { width, height, count, corridor, thick }) => {
		if (!frame || !rails || !output) return;
		const area = width * height;
		for (let i = 0; i < 3 * area; i++) output[i] = 0.75 * frame[i]!;
		const far = Math.fround(corridor + thick);
		for (let y = 0; y < height; y++) {
			for (let k = 0; k < count; k++) {
				const at = SHOW_VALUES * k;
				inCorridor(rails, at, { width, height, y, from: corridor, to: far }, (x) => {
					for (let c = 0; c < 3; c++) output[c * area + y * width + x] = rails[at + 2 + c]!;
				});
			}
		}
	},
};
