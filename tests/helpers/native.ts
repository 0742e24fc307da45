/** Native ffmpeg for Chromium tests (through `native-commands.ts` on the node side). */

import { commands } from 'vitest/browser';

declare module 'vitest/browser' {
	interface BrowserCommands {
		nativeWrite(name: string, base64: string, append?: boolean): Promise<void>;
		nativeTake(name: string): Promise<string>;
		nativeRun(tool: 'ffmpeg' | 'ffprobe', args: string[]): Promise<string>;
	}
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

async function toBase64(blob: Blob): Promise<string> {
	const url = await new Promise<string>((resolve, reject) => {
		const reader = new FileReader();
		reader.onload = () => {
			resolve(String(reader.result));
		};
		reader.onerror = () => {
			reject(reader.error ?? new Error('unreadable'));
		};
		reader.readAsDataURL(blob);
	});
	return url.slice(url.indexOf(',') + 1);
}

/** Stores a file where the native tools run. */
export async function writeNative(name: string, blob: Blob): Promise<void> {
	const part = 8 << 20;
	for (let at = 0; at === 0 || at < blob.size; at += part) {
		await commands.nativeWrite(name, await toBase64(blob.slice(at, at + part)), at > 0);
	}
}

/** Standard output of a tool. Throws with its error text. */
export async function runNative(tool: 'ffmpeg' | 'ffprobe', args: string[]): Promise<Uint8Array<ArrayBuffer>> {
	return fromBase64(await commands.nativeRun(tool, args));
}

/** Standard output as text. */
export async function textOf(tool: 'ffmpeg' | 'ffprobe', args: string[]): Promise<string> {
	return new TextDecoder().decode(await runNative(tool, args));
}

/** JSON of ffprobe. */
export async function probeNative<T>(args: string[]): Promise<T> {
	return JSON.parse(await textOf('ffprobe', [...args, '-of', 'json'])) as T;
}
