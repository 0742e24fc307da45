/** Entry of `npm run review`. */

import { EmulsionError, exitCode, toEmulsionError } from '../../src/core/errors.ts';
import { ProgressWriter } from '../progress.ts';
import { HELP, parseReviewArgs, type MakeArgs } from './args.ts';
import { describeMade, make, type Talk } from './make.ts';
import { describeResults, readResults } from './results.ts';

async function runMake(args: MakeArgs): Promise<void> {
	const progress = new ProgressWriter(process.stderr);
	const talk: Talk = {
		line: (text) => progress.line(text),
		event: (event) => (event.type === 'progress' ? progress.update(event.progress) : progress.line(event.message)),
	};
	const interrupt = new AbortController();
	const onSignal = (): void => interrupt.abort();
	process.on('SIGINT', onSignal);
	process.on('SIGTERM', onSignal);
	try {
		const made = await make(args, talk, interrupt.signal);
		progress.end();
		process.stdout.write(`${args.json ? JSON.stringify(made, null, 2) : describeMade(made)}\n`);
	} catch (error) {
		progress.end();
		throw interrupt.signal.aborted ? new EmulsionError('aborted', 'Interrupted.', { cause: error }) : error;
	} finally {
		process.off('SIGINT', onSignal);
		process.off('SIGTERM', onSignal);
	}
}

async function main(argv: readonly string[]): Promise<number> {
	try {
		const args = parseReviewArgs(argv);
		if (args.command === 'help') process.stdout.write(HELP);
		else if (args.command === 'make') await runMake(args);
		else {
			const results = await readResults(args);
			process.stdout.write(`${args.json ? JSON.stringify(results, null, 2) : describeResults(results)}\n`);
		}
		return 0;
	} catch (thrown) {
		const error = toEmulsionError(thrown);
		process.stderr.write(`emulsion: ${error.message}\n`);
		if (error.code === 'internal' && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
		return exitCode(error);
	}
}

process.exitCode = await main(process.argv.slice(2));
