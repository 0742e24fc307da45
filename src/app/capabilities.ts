/** What this browser can do, found by trying; each lack is data for the editor, never an exception. */

import { phrase, type Text } from '../core/phrases.ts';
import type { Capability } from '../state/capability.ts';

async function found(check: () => Promise<Text> | Text): Promise<{ available: boolean; detail: Text }> {
	try {
		return { available: true, detail: await check() };
	} catch (thrown) {
		return { available: false, detail: thrown instanceof Error ? thrown.message : String(thrown) };
	}
}

function lacking(what: string): never {
	throw new Error(what);
}

async function webgpu(): Promise<string> {
	const gpu = (navigator as { gpu?: GPU }).gpu ?? lacking('navigator.gpu is missing');
	const adapter = (await gpu.requestAdapter()) ?? lacking('no adapter was offered');
	const { vendor, architecture, description } = adapter.info;
	return [description || vendor, architecture].filter((part) => part !== '').join(', ');
}

function webcodecs(): string {
	return 'VideoDecoder' in window && 'VideoEncoder' in window
		? 'VideoDecoder, VideoEncoder'
		: lacking('VideoDecoder is missing');
}

function sharedMemory(): Text {
	if (!crossOriginIsolated || !('SharedArrayBuffer' in window)) lacking('the page is not cross-origin isolated');
	const threads = navigator.hardwareConcurrency;
	return phrase(threads === 1 ? 'thread' : 'threads', { threads });
}

async function privateFiles(): Promise<string> {
	const root = await navigator.storage.getDirectory();
	await root.getDirectoryHandle('capability', { create: true });
	await root.removeEntry('capability');
	const { quota } = await navigator.storage.estimate();
	return quota === undefined ? '' : `${(quota / 1e9).toFixed(1)} GB`;
}

function database(): Promise<string> {
	return new Promise((resolve, reject) => {
		const request = indexedDB.open('emulsion-capability');
		request.onsuccess = () => {
			request.result.close();
			resolve('IndexedDB');
		};
		request.onerror = () => reject(request.error ?? new Error('refused'));
	});
}

function filePickers(): string {
	return 'showDirectoryPicker' in window && 'showSaveFilePicker' in window
		? 'File System Access'
		: lacking('showDirectoryPicker is missing');
}

function offscreenCanvas(): string {
	return 'transferControlToOffscreen' in HTMLCanvasElement.prototype
		? 'OffscreenCanvas'
		: lacking('OffscreenCanvas is missing');
}

/** Tries everything at once. Never rejects. */
export async function checkCapabilities(): Promise<readonly Capability[]> {
	const checks = [
		['offscreen-canvas', true, offscreenCanvas],
		['webgpu', false, webgpu],
		['webcodecs', false, webcodecs],
		['shared-memory', false, sharedMemory],
		['private-files', false, privateFiles],
		['database', false, database],
		['file-pickers', false, filePickers],
	] as const;
	return Promise.all(
		checks.map(async ([id, required, check]): Promise<Capability> => ({ id, required, ...(await found(check)) })),
	);
}
