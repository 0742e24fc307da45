/** What tests of worker code need of the worker's types: the DOM library leaves out what only workers have. */

interface FileSystemSyncAccessHandle {
	close(): void;
	flush(): void;
	getSize(): number;
	read(buffer: AllowSharedBufferSource, options?: { at?: number }): number;
	truncate(size: number): void;
	write(buffer: AllowSharedBufferSource, options?: { at?: number }): number;
}

interface FileSystemFileHandle {
	createSyncAccessHandle(): Promise<FileSystemSyncAccessHandle>;
}
