/** One process a folder: PGlite's files are ruined by two at once. */

import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseError } from './database.ts';

/** When a process began, where the system tells (Linux): a number given again to another process is told apart. Empty elsewhere. */
function beganAt(pid: number): string {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// After the command's name, which may contain anything, field 22 is the start time: proc(5).
		return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
	} catch {
		return '';
	}
}

function lives(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

function holderOf(file: string): number | undefined {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch {
		return undefined;
	}
	const [pid = '', began = ''] = text.split(' ');
	const number = Number(pid);
	return /^\d+$/.test(pid) && lives(number) && beganAt(number) === began ? number : undefined;
}

/**
 * Takes a folder for this process. The lock of a process that ended without giving it back counts no longer.
 * @returns Gives it back; may be called twice.
 * @throws DatabaseError: another process has it, or this one.
 */
export function takeFolder(folder: string): () => void {
	const file = join(folder, 'in-use');
	const mine = `${file}.${process.pid}`;
	writeFileSync(mine, `${process.pid} ${beganAt(process.pid)}`);
	try {
		for (let tries = 0; ; tries++) {
			try {
				// Atomic, unlike writing: nobody sees a lock without its holder.
				linkSync(mine, file);
				break;
			} catch (cause) {
				const holder = holderOf(file);
				if (holder !== undefined || tries === 3) {
					throw new DatabaseError(
						`${folder} is in use by process ${holder ?? '?'}: end it, or name another folder by EMULSION_SHARE_DIR.`,
						{ cause },
					);
				}
				rmSync(file, { force: true });
			}
		}
	} finally {
		rmSync(mine, { force: true });
	}
	let held = true;
	return () => {
		if (held) rmSync(file, { force: true });
		held = false;
	};
}
