/** `npm run share -- backup DIR | restore DIR | maintain`: what whoever runs a share service does by hand. */

import { fileURLToPath } from 'node:url';
import { backup, restore } from './backup.ts';
import { shareConfig, type ShareConfig } from './share/config.ts';
import { jsonLog } from './share/log.ts';
import { maintain } from './share/maintenance.ts';
import { openParts } from './share/service.ts';

const HELP = `usage: npm run share -- COMMAND
  backup DIR   copy the stopped service's folder (EMULSION_SHARE_DIR) into the new folder DIR
  restore DIR  make the service's folder of a backup; there must be none
  maintain     one round of maintenance: delete expired reviews and blobs that nothing names
A service on DATABASE_URL and S3 is backed up by their own tools: docs/share-service.md.`;

function needFolder(config: ShareConfig): void {
	if (config.databaseUrl === undefined && config.s3 === undefined) return;
	throw new Error('DATABASE_URL or S3_ENDPOINT is set: back these up by their own tools (docs/share-service.md)');
}

async function main([command, folder, ...rest]: readonly string[]): Promise<void> {
	if (command === '--help' || command === '-h') return console.log(HELP);
	const config = shareConfig(process.env, fileURLToPath(new URL('..', import.meta.url)));
	if ((command === 'backup' || command === 'restore') && folder !== undefined && rest.length === 0) {
		needFolder(config);
		const report = command === 'backup' ? await backup(config.folder, folder) : await restore(folder, config.folder);
		return console.log(`${command}: ${report.files} files, ${report.bytes} bytes`);
	}
	if (command !== 'maintain' || folder !== undefined) throw new Error(`unknown command\n${HELP}`);
	const parts = await openParts(config, jsonLog(console.error, false));
	try {
		const report = await maintain(parts);
		if (!report) throw new Error('another instance is at it');
		console.log(
			`maintain: ${report.reviews} reviews, ${report.prefixes} folders of blobs and ${report.orphans} orphans deleted`,
		);
	} finally {
		await parts.database.close();
	}
}

try {
	await main(process.argv.slice(2));
} catch (error) {
	console.error(`Emulsion: ${(error as Error).message}`);
	process.exitCode = 1;
}
