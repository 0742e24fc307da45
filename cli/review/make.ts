/** `npm run review -- make`: films to a review on a service or in a file. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { HeadlessEvent } from '../../src/contracts/headless.ts';
import type { HeadlessReviewJob } from '../../src/contracts/review.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { reviewLink } from '../../src/share/links.ts';
import { assembleReview, checkWishes, type MadeVersion, type ReviewWishes } from '../../src/share/making/assemble.ts';
import { USUAL_PAIRS } from '../../src/share/making/estimate.ts';
import { madeShots } from '../../src/share/making/rendered.ts';
import { type LinkWish, type ReviewToSend, Sending, type SendProgress, writePackage } from '../../src/share/publish.ts';
import { ensureBuild } from '../../scripts/build.ts';
import { ensureChromium } from '../../scripts/ensure.ts';
import { resolveInput } from '../input.ts';
import { counted } from '../words.ts';
import type { MakeArgs } from './args.ts';
import { filesIn, type Rendered, renderReview, type RenderOptions } from './render.ts';

/** Detected shots that are taken at most. */
const MOST_SHOTS = 12;
/** Both sides must have been in sight so long, ms; less where a shot is shorter. */
const MINIMUM_VIEW_MS = 3000;
const DAY_MS = 86_400_000;

/** What a run says meanwhile. */
export interface Talk {
	readonly line: (text: string) => void;
	readonly event: (event: HeadlessEvent) => void;
}

/** A review that was made, as `--json` prints it. */
export interface MadeReview {
	readonly review: string;
	/** Where it is: the service's address, or the file's path. */
	readonly at: string;
	/** ISO 8601. */
	readonly expires: string;
	readonly blind: boolean;
	readonly shots: readonly { readonly start: number; readonly end: number }[];
	readonly pairs: number;
	/** Bytes of the file; on a service of all clips and stills. */
	readonly bytes: number;
	/** The owner's is the first. */
	readonly links: readonly { readonly role: string; readonly once: boolean; readonly url: string }[];
}

function readPassphrase(path: string | undefined): string | undefined {
	if (path === undefined) return undefined;
	try {
		return readFileSync(path, 'utf8').split(/\r?\n/)[0] ?? '';
	} catch (cause) {
		const { code = 'error' } = cause as NodeJS.ErrnoException;
		throw new EmulsionError('usage', `--passphrase-file: ${path} cannot be read (${code})`, { cause });
	}
}

function linkWishes(args: MakeArgs): LinkWish[] {
	const passphrase = readPassphrase(args.passphraseFile);
	const more = passphrase === undefined ? {} : { passphrase };
	const voter = { role: 'voter', once: args.voters !== undefined, ...more } as const;
	const votes = args.pairs === 0 ? [] : Array.from({ length: args.voters ?? 1 }, (): LinkWish => voter);
	return [{ role: 'commenter', ...more }, { role: 'viewer', ...more }, ...votes];
}

/** Where OUTPUT goes; refuses what is there already. */
function checkOutput(output: string | undefined, overwrite: boolean): void {
	if (output === undefined || overwrite || !existsSync(output)) return;
	throw new EmulsionError('usage', `${output} exists already; choose another FILE, or say --overwrite`);
}

function sendMeter(talk: Talk): (progress: SendProgress) => void {
	let last = -1;
	return ({ sent, total, waiting }) => {
		const tenth = Math.floor((10 * sent) / Math.max(1, total));
		if (waiting) talk.line('the service does not answer; trying again');
		else if (tenth !== last) talk.line(`sending ${sent} of ${total} bytes`);
		last = tenth;
	};
}

async function writeFile(review: ReviewToSend, output: string, signal: AbortSignal): Promise<string> {
	const part = `${output}.part`;
	const file = await open(part, 'w').catch((cause: NodeJS.ErrnoException) => {
		throw new EmulsionError('usage', `${output} cannot be written (${cause.code ?? 'error'})`, { cause });
	});
	try {
		const id = await writePackage(
			review,
			async (bytes) => {
				for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
			},
			{ signal },
		);
		await file.sync();
		await file.close();
		await rename(part, output);
		return id;
	} catch (error) {
		await file.close().catch(() => undefined);
		await rm(part, { force: true });
		const { code } = error as NodeJS.ErrnoException;
		if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
		throw new EmulsionError('quota-exceeded', `${output}: the disk is full; free some space and run again.`, {
			retryable: true,
			cause: error,
		});
	}
}

async function send(review: ReviewToSend, server: string, talk: Talk, signal: AbortSignal): Promise<string> {
	const sending = new Sending(server, review);
	try {
		return (await sending.send({ signal, progress: sendMeter(talk) })).review;
	} catch (error) {
		// Half a review is of no use to anybody, and counts against the service's space.
		await sending.discard().catch(() => undefined);
		throw error;
	}
}

/** Renders by whatever runs the page: the command, or a test's open browser. */
export type Render = (
	options: Pick<RenderOptions, 'inputs' | 'job' | 'folder' | 'onEvent' | 'signal'>,
) => Promise<Rendered>;

function jobOf(args: MakeArgs, inputs: readonly ReturnType<typeof resolveInput>[]): Omit<HeadlessReviewJob, 'token'> {
	return {
		versions: inputs.map(({ kind, pattern }, i) => ({
			...{ name: args.names[i]!, kind },
			...(pattern === undefined ? {} : { pattern }),
		})),
		...(args.rate === undefined ? {} : { rate: args.rate }),
		...(args.transfer === undefined ? {} : { transfer: args.transfer }),
		...(args.shots === undefined ? {} : { shots: args.shots }),
		mostShots: MOST_SHOTS,
		settings: {
			codec: args.codec,
			stills: args.stills,
			judge: args.judge,
			...(args.source === undefined ? {} : { source: args.source }),
			...(args.truth === undefined ? {} : { truth: args.truth }),
			...(args.quality === undefined ? {} : { quality: args.quality }),
		},
		budget: { blind: args.blind, ...(args.pairs === undefined ? {} : { pairs: args.pairs }) },
		backend: args.backend,
	};
}

function wishesOf(args: MakeArgs, shots: number, shortestMs: number, links: readonly LinkWish[]): ReviewWishes {
	const couples = (args.versions.length * (args.versions.length - 1)) / 2;
	return {
		...{ title: args.title, question: args.question, blind: args.blind, tiesAllowed: args.ties, links },
		minimumViewMs: Math.min(MINIMUM_VIEW_MS, Math.floor(shortestMs)),
		pairs: args.pairs ?? Math.min(USUAL_PAIRS, couples * shots),
		expiresAt: Date.now() + args.days * DAY_MS,
		source: null,
	};
}

/** Makes a review with a given renderer. @throws EmulsionError; nothing stays where OUTPUT goes, or on the service. */
export async function makeReview(args: MakeArgs, render: Render, talk: Talk, signal: AbortSignal): Promise<MadeReview> {
	const inputs = args.versions.map((path) => resolveInput(path));
	checkOutput(args.output, args.overwrite);
	const versions: MadeVersion[] = args.names.map((label, i) => ({ label, recipe: null, source: i === args.source }));
	const links = linkWishes(args);
	// What is wrong with the wishes is said before anything is rendered.
	checkWishes(
		wishesOf(args, args.shots?.length ?? 1, MINIMUM_VIEW_MS, links),
		versions,
		args.shots?.length ?? 1,
		Date.now(),
	);
	const root = mkdtempSync(join(tmpdir(), 'emulsion-review-'));
	try {
		const folder = join(root, 'out');
		mkdirSync(folder);
		const rendered = await render({ inputs, job: jobOf(args, inputs), folder, onEvent: talk.event, signal });
		const shortest = Math.min(...rendered.shots.map(({ frames, rate }) => (1000 * frames * rate.den) / rate.num));
		const wishes = wishesOf(args, rendered.shots.length, shortest, links);
		const names = rendered.shots.map((_shot, i) => `Shot ${i + 1}`);
		const shots = await madeShots(rendered.shots, names, args.codec, rendered.numbering, filesIn(folder));
		const review = await assembleReview(wishes, versions, shots);
		const output = args.output === undefined ? undefined : resolve(args.output);
		const id =
			output === undefined ? await send(review, args.server!, talk, signal) : await writeFile(review, output, signal);
		return described(args, review, id, rendered);
	} finally {
		rmSync(root, { recursive: true, force: true, maxRetries: 5 });
	}
}

function described(args: MakeArgs, review: ReviewToSend, id: string, rendered: Rendered): MadeReview {
	const file = args.output === undefined ? undefined : basename(args.output);
	const url = (secret: Parameters<typeof reviewLink>[1]): string => {
		const base = args.server ?? args.site;
		// Without an address of the app there is the part that every address ends with.
		return base === undefined ? reviewLink('', secret, file).replace(/^\//, '') : reviewLink(base, secret, file);
	};
	return {
		review: id,
		at: args.server ?? resolve(args.output!),
		expires: new Date(review.expiresAt).toISOString(),
		blind: review.blind,
		shots: rendered.shots.map(({ range }) => range),
		pairs: review.manifest.presentations.length,
		bytes:
			args.output === undefined
				? review.assets.reduce((sum, { blob }) => sum + blob.size, 0)
				: statSync(resolve(args.output)).size,
		links: review.keys.links.map(({ role, once, secret }) => ({ role, once, url: url(secret) })),
	};
}

/** What a person reads of a review that was made: one line a link, the owner's first. */
export function describeMade(made: MadeReview): string {
	const wide = Math.max(...made.links.map(({ role }) => role.length));
	const links = made.links.map(({ role, url }) => `${role.padEnd(wide)}  ${url}`);
	const count = [counted(made.shots.length, 'shot'), counted(made.pairs, 'pair'), counted(made.bytes, 'byte')].join(
		', ',
	);
	return [`${made.at}: ${count}; until ${made.expires}`, ...links].join('\n');
}

/** The command: Chromium and the app are made ready where they are not. */
export async function make(args: MakeArgs, talk: Talk, signal: AbortSignal): Promise<MadeReview> {
	const chromium = ensureChromium(talk.line);
	const dist = await ensureBuild(talk.line);
	const profile = mkdtempSync(join(tmpdir(), 'emulsion-review-profile-'));
	try {
		return await makeReview(args, (options) => renderReview({ ...options, chromium, dist, profile }), talk, signal);
	} finally {
		rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
	}
}
