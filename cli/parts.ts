/**
 * Finished frames of an interrupted sequence: they stay as `NAME.part` beside OUTPUT while `--work` remembers their sums, so that
 * the same command goes on from them. A command that differs removes them and begins anew.
 */

import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A finished frame. */
export interface Part {
	readonly bytes: number;
	readonly sha256: string;
}

interface Line extends Part {
	readonly name: string;
}

interface Head {
	readonly version: 1;
	readonly key: string;
	readonly dir: string;
}

function isLine(value: unknown): value is Line {
	const { name, bytes, sha256 } = value as Partial<Line>;
	return typeof name === 'string' && name === basename(name) && typeof bytes === 'number' && typeof sha256 === 'string';
}

function isHead(value: unknown): value is Head {
	const { version, key, dir } = (value ?? {}) as Partial<Head>;
	return version === 1 && typeof key === 'string' && typeof dir === 'string';
}

/** Objects of a file of one a line, up to a line that a killed run left half written. */
function readLines(path: string): unknown[] {
	const found: unknown[] = [];
	try {
		for (const line of readFileSync(path, 'utf8').split('\n')) {
			const value: unknown = line === '' ? undefined : JSON.parse(line);
			if (typeof value === 'object' && value !== null) found.push(value);
		}
	} catch {
		// None yet, or cut: what came before counts.
	}
	return found;
}

/** The frames that an earlier run of the same command finished, and those of this one. */
export class PartsLedger {
	readonly #path: string;
	readonly #parts = new Map<string, Part>();

	/**
	 * @param path where it is kept.
	 * @param command whatever decides the bytes of the frames: any value that JSON holds.
	 * @param dir folder of the frames.
	 */
	constructor(path: string, command: unknown, dir: string) {
		this.#path = path;
		const key = createHash('sha256').update(JSON.stringify(command)).digest('hex');
		const [head, ...rest] = readLines(path);
		const lines = rest.filter(isLine);
		const isSame = isHead(head) && head.key === key && head.dir === dir;
		if (isHead(head) && !isSame) for (const { name } of lines) rmSync(join(head.dir, `${name}.part`), { force: true });
		writeFileSync(path, `${JSON.stringify({ version: 1, key, dir } satisfies Head)}\n`);
		if (isSame) for (const { name, bytes, sha256 } of lines) this.add(name, { bytes, sha256 });
	}

	/** A frame that is finished. */
	get(name: string): Part | undefined {
		return this.#parts.get(name);
	}

	/** Remembers a frame that lies on the disk to its end. */
	add(name: string, part: Part): void {
		this.#parts.set(name, part);
		appendFileSync(this.#path, `${JSON.stringify({ name, ...part } satisfies Line)}\n`);
	}

	/** Forgets all frames: they have their names, or are gone. */
	clear(): void {
		this.#parts.clear();
		rmSync(this.#path, { force: true });
	}
}
