/** `npm run review -- make` and `results`: films to a review that is opened again as its voters and its owner open it. */

import { openAsBlob, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReviewArgs, type MakeArgs } from '../../cli/review/args.ts';
import { type MadeReview, makeReview } from '../../cli/review/make.ts';
import { describeResults, readResults } from '../../cli/review/results.ts';
import { reviews } from '../../server/database/schema.ts';
import { startBackend, startService } from '../../server/share/share.testkit.ts';
import { orderFor } from '../../src/share/ballot.ts';
import { toBase64Url, utf8 } from '../../src/share/bytes.ts';
import { ServiceClient } from '../../src/share/client.ts';
import { JudgeRecordSchema } from '../../src/share/judge/record.ts';
import { parseLink } from '../../src/share/links.ts';
import { partsOf } from '../../src/share/objects.ts';
import { type OpenReview, openReview } from '../../src/share/open.ts';
import type { KeptReturns } from '../../src/share/returns.ts';
import { openPackage } from '../../src/share/package.ts';
import { PackageBackend } from '../../src/share/package-backend.ts';
import { sealTo } from '../../src/share/sealed.ts';
import { cli, failureOf, ffmpeg, ffprobe, Lab, nativePlanes, psnr, scratch } from '../helpers/cli.ts';

const files = scratch();
let lab: Lab;
const silent = { line: () => undefined, event: () => undefined };
const never = new AbortController().signal;

/** A small film, without loss, with its own name in its metadata. */
function film(name: string, filter: string, frames = 24, rate = 24): string {
	const path = files.path(name);
	ffmpeg(
		...['-f', 'lavfi', '-i', `testsrc2=size=64x48:rate=${rate},trim=end_frame=${frames},${filter}`],
		...['-metadata', `title=${name}`, '-metadata:s:v', 'timecode=01:00:00:00'],
		...['-pix_fmt', 'yuv420p', '-c:v', 'ffv1', '-level', '3', path],
	);
	return path;
}

function make(...argv: string[]): Promise<MadeReview> {
	const args = parseReviewArgs(['make', '--backend', 'wasm', ...argv]) as MakeArgs;
	return makeReview(args, lab.renderReview, silent, never);
}

/** Votes of one device, kept in memory. */
class Device {
	kept: KeptReturns | undefined;
	readonly secret = crypto.getRandomValues(new Uint8Array(32));

	async open(path: string, url: string): Promise<{ review: OpenReview; backend: PackageBackend }> {
		const blob = await openAsBlob(path);
		const file = await openPackage('p', blob.size, partsOf(blob));
		const { secret } = parseLink(url).address;
		const store = {
			load: () => Promise.resolve(this.kept),
			save: (_review: string, kept: KeptReturns) => {
				this.kept = kept;
				return Promise.resolve();
			},
		};
		const backend = await PackageBackend.of(file, secret!, store, { of: () => Promise.resolve(this.secret) });
		return { backend, review: await openReview(backend, secret!) };
	}
}

const linkOf = (made: MadeReview, role: string): string => made.links.find((l) => l.role === role)!.url;

let a: string;
let b: string;
let blind: MadeReview;

beforeAll(async () => {
	a = film('Marker-One.mkv', 'noise=alls=20:allf=t');
	b = film('Marker-Two.mkv', 'hue=s=0.8');
	lab = await Lab.open();
	blind = await make(
		...['--versions', a, b, '--names', 'Marker-First', 'Marker-Second', '--blind', '--pairs', '4'],
		...['--shots', '0:19,19:24', '-o', files.path('blind.emreview'), '--site', 'https://films.example/app/'],
	);
});
afterAll(async () => {
	await lab?.close();
	files.remove();
});

describe('a blind review in a file', () => {
	it('has clips of exactly the shots’ frames, close to the versions, with keyframes close together', async () => {
		const { review } = await new Device().open(files.path('blind.emreview'), linkOf(blind, 'owner'));
		const { manifest, secrets } = review;
		expect(manifest.shots.map((s) => [s.frames, s.sourceFrame, s.width, s.height])).toEqual([
			[19, 0, 64, 48],
			[5, 19, 64, 48],
		]);
		expect(manifest.shots[0]).toMatchObject({ rate: { num: 24, den: 1 }, pixelAspect: { num: 1, den: 1 } });
		const version = new Map(secrets!.clips.map((c) => [c.object, c.version]));
		const label = new Map(secrets!.versions.map(({ id, label: name }) => [id, name]));
		for (const shot of manifest.shots) {
			for (const clip of shot.clips) {
				const path = files.path('clip.mp4');
				writeFileSync(path, new Uint8Array(await (await review.asset(clip)).arrayBuffer()));
				const source = label.get(version.get(clip.object)!) === 'Marker-First' ? a : b;
				const [from, to] = [shot.sourceFrame, shot.sourceFrame + shot.frames].map((n) => (n * 64 * 48 * 3) / 2);
				expect(psnr(nativePlanes(path), nativePlanes(source, 'yuv420p').subarray(from, to), 255)).toBeGreaterThan(
					source === a ? 37 : 43,
				);
				const { packets } = ffprobe<{ packets: { flags: string }[] }>(path, '-show_packets');
				expect(packets).toHaveLength(shot.frames);
				const keys = packets.flatMap(({ flags }, i) => (flags.startsWith('K') ? [i] : []));
				expect(keys[0]).toBe(0);
				expect(keys.length).toBeGreaterThanOrEqual(Math.ceil(shot.frames / 12));
				const { streams } = ffprobe<{ streams: { codec_type: string }[] }>(path, '-show_streams');
				expect(streams.map((s) => s.codec_type)).toEqual(['video']);
				expect(clip.stills.map(({ frame }) => frame)).toEqual([0, (shot.frames - 1) / 2, shot.frames - 1]);
			}
		}
	});

	it('has the stills that the export would give', async () => {
		const { review } = await new Device().open(files.path('blind.emreview'), linkOf(blind, 'owner'));
		const { manifest, secrets } = review;
		const ours = secrets!.versions.find(({ label }) => label === 'Marker-First')!.id;
		const objects = new Set(secrets!.clips.filter(({ version }) => version === ours).map(({ object }) => object));
		const still = manifest.shots[0]!.clips.find(({ object }) => objects.has(object))!.stills[1]!;
		writeFileSync(files.path('still.png'), new Uint8Array(await (await review.asset(still)).arrayBuffer()));
		await lab.run([a, '-o', files.path('export.png'), '--range', '9:10']);
		const [given, wanted] = ['still.png', 'export.png'].map((name) => nativePlanes(files.path(name), 'rgb24'));
		// The export dithers, the still rounds.
		expect(psnr(given!, wanted!, 255)).toBeGreaterThan(48);
	});

	it('tells voters nothing of the versions: no name in any byte they can open, all files of one length', async () => {
		const { review } = await new Device().open(files.path('blind.emreview'), linkOf(blind, 'voter'));
		const { manifest } = review;
		expect(review.secrets).toBeUndefined();
		const clips = [...manifest.shots.flatMap((s) => s.clips), ...manifest.presentations.flatMap((p) => [p.a, p.b])];
		const assets = clips.flatMap((clip) => [clip, ...clip.stills, ...(clip.crop?.frames ?? [])]);
		const seen = [JSON.stringify(manifest), readFileSync(files.path('blind.emreview'), 'latin1')];
		const sizes = new Map<string, Set<number>>();
		for (const { id, clips: listed } of manifest.shots) {
			const own = [...listed, ...manifest.presentations.filter((p) => p.shot === id).flatMap((p) => [p.a, p.b])];
			sizes.set(id, new Set(own.map((c) => c.bytes)));
		}
		for (const asset of assets)
			seen.push(Buffer.from(await (await review.asset(asset)).arrayBuffer()).toString('latin1'));
		expect([...sizes.values()].map((s) => s.size)).toEqual([1, 1]);
		for (const word of ['Marker', 'One.mkv', 'Two.mkv', 'First', 'Second', 'Emulsion', '01:00:00', files.dir]) {
			expect(seen.filter((text) => text.includes(word)).length, word).toBe(0);
		}
		expect(new Set(clips.map((c) => c.codec)).size).toBe(1);
		expect(new Set(assets.map((asset) => asset.object)).size).toBe(assets.length);
	});

	it('gives links for the app at its address, the owner’s first', () => {
		expect(blind.links.map(({ role, once }) => [role, once])).toEqual([
			['owner', false],
			['commenter', false],
			['viewer', false],
			['voter', false],
		]);
		expect(blind.links[0]!.url).toMatch(
			/^https:\/\/films\.example\/app\/#\/review\?package=blind\.emreview&link=.{43}$/,
		);
	});

	it('counts votes that come back as files, and says that nothing is shown yet', async () => {
		const owner = linkOf(blind, 'owner');
		const read = (...votes: string[]) =>
			readResults({ command: 'results', link: owner, package: files.path('blind.emreview'), votes, json: false });
		expect((await read()).results).toMatchObject({ votes: 0, voters: 0, winner: null });
		const { review: opened } = await new Device().open(files.path('blind.emreview'), owner);
		const paths: string[] = [];
		for (const person of [0, 1, 2]) {
			const device = new Device();
			const { review, backend } = await device.open(files.path('blind.emreview'), linkOf(blind, 'voter'));
			const { presentations } = review.manifest;
			const first = opened.secrets!.versions[0]!.id;
			const versions = new Map(opened.secrets!.clips.map((c) => [c.object, c.version]));
			for (const [position, { index, swapped }] of (
				await orderFor((await backend.voter())!, presentations)
			).entries()) {
				const shown = presentations[index]!;
				const [left, right] = swapped ? [shown.b.object, shown.a.object] : [shown.a.object, shown.b.object];
				const prefers = versions.get(left) === first ? 'left' : 'right';
				const choice = versions.get(left) === versions.get(right) ? 'tie' : prefers;
				const why = await sealTo(review.manifest.ownerKey, utf8('alive\ngrain'), `${review.info.id}/${shown.id}`);
				const reason = person === 0 && position === 0 ? toBase64Url(why) : '';
				const vote = { choice, left, right, position, viewedMs: 5000, plays: 1, reason, revision: 0 } as const;
				await backend.putVote(shown.id, vote);
			}
			paths.push(files.path(`votes-${person}.json`));
			writeFileSync(paths.at(-1)!, await backend.returnFile(review.manifest.ownerKey));
		}
		const result = await read(...paths, paths[0]!);
		expect(result.results).toMatchObject({ votes: 18, voters: 3, counted: 12, winner: null });
		expect(result.results.controls).toEqual({ asked: 6, failed: 0 });
		expect(result.results.pairs[0]).toMatchObject({ aWins: 12, bWins: 0, persons: { a: 3, b: 0 }, verdict: 'none' });
		expect(result.files).toEqual({ foreign: 0, superseded: 6 });
		expect(describeResults(result)).toContain('Marker-First 12 : 0 Marker-Second');
		expect(describeResults(result)).toContain('no difference shown yet');
		expect(describeResults(result)).toMatch(/^reason \((Marker-First|no difference)\): alive \/ grain$/m);
		expect(describeResults(await read())).toContain('Marker-First : Marker-Second: no votes yet');
		await expect(read(owner)).rejects.toMatchObject({ code: 'input-unreadable' });
		const voter = { command: 'results', link: linkOf(blind, 'voter'), package: files.path('blind.emreview') } as const;
		await expect(readResults({ ...voter, votes: [], json: false })).rejects.toMatchObject({ code: 'usage' });
	});
});

describe('what cannot be compared', () => {
	it('is refused before anything is rendered', async () => {
		const short = film('short.mkv', 'null', 20);
		const fast = film('fast.mkv', 'null', 24, 25);
		const large = film('large.mkv', 'scale=96:72');
		const out = files.path('never.emreview');
		const lengths = await failureOf(make('--versions', a, short, '-o', out));
		expect(lengths).toMatchObject({ code: 'usage', said: { code: 'making-length' } });
		expect(await failureOf(make('--versions', a, fast, '-o', out))).toMatchObject({ said: { code: 'making-rate' } });
		const sizes = await failureOf(make('--versions', a, large, '-o', out));
		expect(sizes.message).toContain('large.mkv is 96×72');
		const outside = await failureOf(make('--versions', a, b, '--shots', '0:25', '-o', out));
		expect(outside).toMatchObject({ said: { code: 'making-range' } });
		expect(files.names()).not.toContain('never.emreview');
		expect(await failureOf(make('--versions', a, b, '-o', files.path('blind.emreview')))).toMatchObject({
			code: 'usage',
		});
	});
});

describe('grain that the codec eats', () => {
	it('is found, and asked on lossless crops of one place; the owner has the figures, and those of the judge', async () => {
		const noisy = film('grainy.mkv', 'scale=256:192,gblur=6,noise=alls=25:allf=t', 8);
		const less = film('less.mkv', 'scale=256:192,gblur=6,noise=alls=12:allf=t', 8);
		const path = files.path('grain.emreview');
		const made = await make(
			...['--versions', noisy, less, '--blind', '--pairs', '1', '--stills', '0', '--shots', '0:8'],
			...['--quality', '40', '--source', '1', '--truth', 'grainy.mkv', '-o', path],
		);
		const { review } = await new Device().open(path, linkOf(made, 'owner'));
		const [pair] = review.manifest.presentations;
		expect(pair!.onCrops).toBe(true);
		const { a: left, b: right } = pair!;
		const place = ({ crop }: typeof left) => [crop!.x, crop!.y, crop!.width, crop!.height, crop!.frames.length];
		expect(place(left)).toEqual(place(right));
		expect(left.crop!.frames).toHaveLength(8);
		expect(left.crop!.frames.map((f) => f.bytes)).toEqual(right.crop!.frames.map((f) => f.bytes));
		// The less of both, so that it tells neither from the other.
		expect(left.grainKept).toBe(right.grainKept);
		const { secrets } = review;
		const own = secrets!.clips.find(({ object }) => object === left.object)!;
		expect(own.grainKept).toBeLessThan(0.9);
		const record = v.parse(JudgeRecordSchema, secrets!.quality);
		expect(record.clips.map(({ version }) => version)).toEqual(secrets!.versions.map(({ id }) => id));
		const [truth, other] = record.clips.map(({ metrics }) => metrics);
		expect(truth!.values.noise).toBeGreaterThan(0);
		// One version is the truth: the other is measured against its film, frame for frame, and the truth against nothing.
		expect([truth!.values.ssim, truth!.values.psnr]).toEqual([null, null]);
		const isOther = ({ object }: { readonly object: string }): boolean =>
			secrets!.clips.some((clip) => clip.object === object && clip.version === secrets!.versions[1]!.id);
		const sent = review.manifest.shots[0]!.clips.find(isOther)!;
		writeFileSync(files.path('other.mp4'), new Uint8Array(await (await review.asset(sent)).arrayBuffer()));
		const lumas = [files.path('other.mp4'), noisy].map((name) => {
			const planes = nativePlanes(name, 'yuv420p');
			const frame = (256 * 192 * 3) / 2;
			return Buffer.concat(Array.from({ length: 8 }, (_v, i) => planes.subarray(i * frame, i * frame + 256 * 192)));
		});
		expect(Math.abs(other!.values.psnr! - psnr(lumas[0]!, lumas[1]!, 219))).toBeLessThan(0.5);
		expect(other!.values.ssim).toBeGreaterThan(0);
		expect(other!.values.ssim).toBeLessThan(0.95);
		// One version is the source: its grain is what the grain of the others is compared with.
		expect(secrets!.versions.map(({ source: isSource }) => isSource)).toEqual([true, false]);
		expect(record.sources.map(({ grain }) => grain)).toEqual([truth!.grain]);
		expect(truth!.grain!.sigma[0]).toBeGreaterThan(0);
		// The crop is the version's own picture, without loss.
		const source = secrets!.versions.find(({ id }) => id === own.version)!.label === 'grainy.mkv' ? noisy : less;
		writeFileSync(
			files.path('crop.png'),
			new Uint8Array(await (await review.asset(left.crop!.frames[3]!)).arrayBuffer()),
		);
		await lab.run([source, '-o', files.path('whole.png'), '--range', '3:4']);
		const { x, y, width, height } = left.crop!;
		const cut = ['-vf', `crop=${width}:${height}:${x}:${y}`, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
		const wanted = ffmpeg('-i', files.path('whole.png'), ...cut);
		expect(psnr(nativePlanes(files.path('crop.png'), 'rgb24'), wanted, 255)).toBeGreaterThan(48);
	});
});

describe('an open review', () => {
	it.each([
		['vp9', 'vp09.00.51.08'],
		['av1', /^av01\.0\.\d\dM\.08$/],
	])('in %s names its versions; clips are WebM of one version each', async (codec, wanted) => {
		const path = files.path(`${codec}.emreview`);
		const made = await make('--versions', a, b, '--codec', codec, '--shots', '0:14', '--stills', '0', '-o', path);
		const { review } = await new Device().open(path, linkOf(made, 'viewer'));
		expect(review.manifest.versions.map(({ label }) => label)).toEqual(['Marker-One.mkv', 'Marker-Two.mkv']);
		const [clip] = review.manifest.shots[0]!.clips;
		expect(clip).toMatchObject({ mime: 'video/webm', stills: [] });
		expect(clip!.codec).toMatch(wanted);
		const film = files.path(`${codec}.webm`);
		writeFileSync(film, new Uint8Array(await (await review.asset(clip!)).arrayBuffer()));
		const decoded = nativePlanes(film, 'yuv420p');
		expect(psnr(decoded, nativePlanes(a, 'yuv420p').subarray(0, decoded.length), 255)).toBeGreaterThan(34);
		expect(decoded.length).toBe((14 * 64 * 48 * 3) / 2);
	});
});

describe('a review on a running service', () => {
	it('is sent, opened by its links and read by its owner; one that is too large leaves nothing there', async () => {
		const backend = await startBackend('PGlite and a folder');
		const service = await startService(await backend.config());
		try {
			const secret = files.path('passphrase');
			writeFileSync(secret, 'correct horse\n');
			const argv = ['--versions', a, b, '--blind', '--shots', '0:6', '--stills', '1', '--no-judge', '--voters', '2'];
			const made = await make(...argv, '--passphrase-file', secret, '--server', service.origin);
			expect(made.links.map(({ role, once }) => [role, once])).toEqual([
				['owner', false],
				['commenter', false],
				['viewer', false],
				['voter', true],
				['voter', true],
			]);
			const { origin, address } = parseLink(made.links[4]!.url);
			const devices = { of: () => Promise.reject(new Error('a one-time link needs no device')) };
			const voter = await ServiceClient.of(origin!, address.secret!, devices);
			await expect(openReview(voter, address.secret!)).rejects.toMatchObject({ code: 'passphrase-needed' });
			const review = await openReview(voter, address.secret!, { passphrase: 'correct horse' });
			const [pair] = review.manifest.presentations;
			const clip = files.path('sent.mp4');
			writeFileSync(clip, new Uint8Array(await (await review.asset(pair!.a)).arrayBuffer()));
			expect(nativePlanes(clip, 'yuv420p').length).toBe((6 * 64 * 48 * 3) / 2);
			const vote = { choice: 'tie', position: 0, viewedMs: 5000, plays: 1, reason: '', revision: 0 } as const;
			await voter.putVote(pair!.id, { ...vote, left: pair!.a.object, right: pair!.b.object }, 'first-vote');
			const asked = { command: 'results', package: undefined, votes: [], json: true } as const;
			const read = await readResults({ ...asked, link: made.links[0]!.url });
			expect(read.results).toMatchObject({ votes: 1, voters: 1, onceVoters: 1, counted: 1 });
			const count = () => service.parts.database.orm.$count(reviews);
			expect(await count()).toBe(1);
			(service.parts.policy as { quota: number }).quota = 1000;
			const refused = await failureOf(make(...argv, '--server', service.origin));
			expect(refused).toMatchObject({ code: 'share-quota' });
			expect(await count()).toBe(1);
		} finally {
			await service.close();
			await backend.stop();
		}
	});
});

describe('npm run review', () => {
	it('answers help and wrong usage as the restore command does', async () => {
		const run = (args: string[]) => cli(args, {}, 'node', 'review');
		const [help, wrong] = [await run(['--help']), await run(['results'])];
		expect([help.code, wrong.code]).toEqual([0, 2]);
		expect(help.out).toContain('--versions FILES');
		expect(wrong.err).toContain('link is missing');
	});

	it('makes a review and reads its results as a process: links on standard output, nothing else there', async () => {
		const run = (args: string[]) => cli(args, {}, 'npm', 'review');
		const path = files.path('process.emreview');
		const films = ['--versions', a, b, '--shots', '0:6', '--stills', '0', '--no-judge', '--backend', 'wasm'];
		const made = await run(['make', ...films, '-o', path, '--site', 'https://films.example/app/']);
		expect([made.code, made.code === 0 ? '' : made.err]).toEqual([0, '']);
		const [summary, ...links] = made.out.trim().split('\n');
		expect(summary).toContain(`${path}: 1 shot, 1 pair, ${statSync(path).size} bytes; `);
		expect(links.map((line) => line.split(/\s+/)[0])).toEqual(['owner', 'commenter', 'viewer', 'voter']);
		const owner = links[0]!.split(/\s+/)[1]!;
		expect(owner).toMatch(/^https:\/\/films\.example\/app\/#\/review\?package=process\.emreview&link=.{43}$/);
		const { review } = await new Device().open(path, links[3]!.split(/\s+/)[1]!);
		expect(review.manifest.presentations).toHaveLength(1);
		const results = await run(['results', owner, '--package', path, '--json']);
		expect([results.code, results.code === 0 ? '' : results.err]).toEqual([0, '']);
		expect(JSON.parse(results.out)).toMatchObject({ title: 'Review', results: { votes: 0, voters: 0, winner: null } });
	});
});
