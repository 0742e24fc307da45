/**
 * The editor in 简体中文, walked through from its first screen to an export's report. Every text and every label that the page
 * ever shows is noted as it appears; none may hold a Latin word that is not a name, a unit, a key or code.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, type Scratch, scratch } from '../helpers/cli.ts';
import { type E2e, type EditorPage, idle, startE2e } from '../helpers/e2e.ts';

let e2e: E2e;
let tmp: Scratch;

beforeAll(async () => {
	tmp = scratch();
	const picture = 'testsrc2=size=64x48:rate=24,trim=end_frame=6,format=gbrp,noise=alls=20:allf=t';
	const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=0.25'];
	ffmpeg(
		...['-f', 'lavfi', '-i', picture],
		...tone,
		...['-c:v', 'ffv1', '-color_trc', 'iec61966-2-1'],
		tmp.path('film.mkv'),
	);
	ffmpeg('-f', 'lavfi', '-i', picture, '-vf', 'setfield=tff,setsar=16/15', ...FIELDS, tmp.path('fields.mpg'));
	ffmpeg('-f', 'lavfi', '-i', picture, '-pix_fmt', 'rgb48le', '-start_number', '86400', tmp.path('reel.%06d.tif'));
	ffmpeg(
		'-f',
		'lavfi',
		'-i',
		'color=white:size=64x48:rate=24,trim=end_frame=3,format=gray',
		'-c:v',
		'ffv1',
		tmp.path('short.mkv'),
	);
	ffmpeg('-f', 'lavfi', '-i', 'color=white:size=64x48,format=gray', '-frames:v', '1', tmp.path('still.png'));
	ffmpeg(...tone, tmp.path('sound.wav'));
	writeFileSync(tmp.path('empty.mov'), '');
	writeFileSync(tmp.path('noise.mov'), Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i) % 251)));
	writeFileSync(tmp.path('cut.mkv'), readFileSync(tmp.path('film.mkv')).subarray(0, 20_000));
	e2e = await startE2e();
});
afterAll(async () => {
	await e2e.close();
	tmp.remove();
});

const FIELDS = ['-c:v', 'mpeg2video', '-flags', '+ilme+ildct', '-pix_fmt', 'yuv420p'];

/** Notes every text node and every label that the document ever holds; runs before the page's own scripts. */
const NOTE = `(${() => {
	const seen = new Set<string>();
	Object.assign(globalThis, { seenTexts: seen });
	const LABELS = ['title', 'aria-label', 'placeholder', 'aria-valuetext', 'alt'];
	// Details of an error are for a bug report: they stay in English, behind their summary. A language says its own name.
	const isExempt = (element: Element | null): boolean =>
		element?.closest('script, style, title, pre, select.language') != null;
	const noteAttributes = (element: Element): void => {
		if (isExempt(element)) return;
		for (const name of LABELS) seen.add(element.getAttribute(name) ?? '');
		if (element instanceof HTMLInputElement && /text|number/.test(element.type)) seen.add(element.value);
	};
	const note = (node: Node): void => {
		if (node instanceof Text) {
			if (!isExempt(node.parentElement)) seen.add(node.data);
			return;
		}
		if (node instanceof Element) noteAttributes(node);
		node.childNodes.forEach(note);
	};
	new MutationObserver((changes) => {
		for (const { target, addedNodes, type } of changes) {
			if (type === 'childList') addedNodes.forEach(note);
			else note(target);
		}
	}).observe(document, {
		...{ subtree: true, childList: true, characterData: true },
		attributeFilter: [...LABELS, 'value'],
	});
}})()`;

/** Names of programs, formats, codecs, models, transfers and parts of browsers. */
const NAMES =
	/\b(?:Emulsion|CPU|GPU|google|swiftshader|wasm|WebGPU|WebCodecs|VideoDecoder|VideoEncoder|OffscreenCanvas|IndexedDB|File System Access|Chromium|Edge|Chrome|Firefox|Safari|SharedArrayBuffer|COOP|COEP|ffmpeg|onnxruntime|FFDNet|RIFE|SPAN|Real-ESRGAN|Lanczos|MOV|MP4|MKV|MXF|AVI|WebM|QuickTime|Matroska|ProRes|HQ|DNxHR|FFV1|H\.264|HEVC|VP9|AV1|MPEG-2|Main|DV|DPX|TIFF|tiff|PNG|EXR|OpenEXR|Cineon|AAC|CRF|SHA|EDL|FCM|JSON|HD|SD|HDR|NTSC|PAL|BT|SMPTE|DCI|Display|sRGB|RGB|YCgCo|CbCr|HLG|PQ|ST|HHMMSSFF|MPEG-PS|PCM|AC-3|Layer|Vorbis|Opus)\b/g;
const UNITS = /\b(?:fps|kHz|ms|px|dB|kB|MB|GB|MiB)\b/g;
const KEYS = /\b(?:Ctrl|Shift|Space|Home|End)\b/g;
/** Files, addresses, recipe paths and values, ids of stages and mattes, sums: what people and programs named. */
const CODE = [
	/https?:\/\/[\w.:/-]+|\/[\w./-]+/g,
	/[\w-]+(?:\.\d+)?\.(?:mkv|mpg|mov|tif|png|wav|json|edl|emulsion|mp4|webm|dpx|exr|tiff)\b/g,
	/\.(?:mkv|mov|mp4|webm|png|tiff|dpx|exr)\b/g,
	/\b(?:stages|recipe|reels|project|shots|rate|factor|size)(?:\[\d+\])?(?:\.\w+)*(?=：)/g,
	/\b(?:degrain|dust-bust|scratch|upscale|interpolate|identity)(?:-\d+)?\b/g,
	/\b(?:film-restored|still|film|fields|HH:MM:SS:FF)\b/g,
	/\b[0-9a-f]{16,64}\b/g,
	/\bWIDTHxHEIGHT|1920x1080|1080p|4k\b/g,
];
/** What others said or named, as quoted. */
const QUOTED = /“[^”]*”|"[^"]*"/g;

async function foreign(page: Page): Promise<string[]> {
	const texts = await page.evaluate(() => [...(globalThis as unknown as { seenTexts: Set<string> }).seenTexts]);
	// A second tab, looked at as soon as it says what it is, has shown about 80.
	expect(texts.length).toBeGreaterThan(50);
	return texts.filter((text) => {
		const rest = [QUOTED, ...CODE, NAMES, UNITS, KEYS].reduce((left, pattern) => left.replace(pattern, ' '), text);
		return /[A-Za-z]{2,}/.test(rest);
	});
}

async function openChinese(): Promise<EditorPage> {
	const context = await e2e.browser.newContext({
		...{ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', acceptDownloads: true },
	});
	return e2e.open({ context, init: NOTE });
}

const choose = (page: Page, ...names: string[]): Promise<void> =>
	page.getByTestId('open').setInputFiles(names.map((name) => tmp.path(name)));
const dismissAll = async (page: Page): Promise<void> => {
	const buttons = page.getByRole('button', { name: '忽略' });
	while ((await buttons.count()) > 0) await buttons.first().click();
};

async function refused(page: Page, names: readonly string[], what: string): Promise<void> {
	await choose(page, ...names);
	const alert = page.getByRole('alert').filter({ hasText: what }).first();
	await alert.waitFor();
	await dismissAll(page);
}

describe('the editor in 简体中文', () => {
	it('speaks it from the first screen to the report of an export', async () => {
		const { page, context, problems } = await openChinese();
		await page.getByRole('heading', { name: '修旧如旧' }).waitFor();
		await page.getByRole('button', { name: '文件', exact: true }).click();
		await page.keyboard.press('Escape');
		for (const dialog of ['键盘帮助', 'CPU（wasm）']) {
			await page.getByRole('button', { name: dialog }).click();
			await page.getByRole('dialog').waitFor();
			await page.keyboard.press('Escape');
		}

		// Sources: what is odd about them, and what is asked.
		await choose(page, 'fields.mpg');
		await page.getByText('隔行，顶场优先。').first().waitFor();
		await idle(page);
		await choose(page, ...Array.from({ length: 6 }, (_, i) => `reel.0864${String(i).padStart(2, '0')}.tif`));
		await page.getByRole('radio', { name: /Cineon 对数/ }).check();
		await page.getByRole('button', { name: '使用此传递特性' }).click();
		await page.getByText('扫描序列').first().waitFor();
		await idle(page);
		await choose(page, 'film.mkv');
		await page.getByText('64 × 48').first().waitFor();
		await idle(page);

		// Stages: every card, every refusal of a value.
		for (const stage of ['恒等', '降颗粒', '放大', '插帧']) {
			await page.getByRole('button', { name: '添加工序', exact: true }).click();
			await page.getByRole('menuitem', { name: stage, exact: true }).click();
			const card = page.getByRole('article', { name: stage });
			await card.locator('.body').waitFor();
			for (const field of await card.locator('.body .field').all()) await field.hover();
			for (const box of await card.locator('.body input[type=text]:not(:disabled)').all()) {
				await box.fill('x');
				await box.press('Enter');
			}
		}
		await page.getByText('应为 帧率').first().waitFor();
		await page.getByRole('button', { name: '移除恒等' }).click();
		await page.getByRole('button', { name: '移除插帧' }).click();
		await page.getByRole('button', { name: '移除放大' }).click();

		// Mattes: one that fits, one that does not, a region.
		for (const [file, shown] of [
			['short.mkv', '有 3 帧'],
			['still.png', '静止画面'],
		] as const) {
			const choosing = page.waitForEvent('filechooser');
			await page.getByRole('button', { name: '添加遮罩…', exact: true }).click();
			await (await choosing).setFiles(tmp.path(file));
			await page.getByText(shown).first().waitFor();
		}
		await page.getByRole('button', { name: '降颗粒', exact: true }).click();
		await page.getByLabel('区域', { exact: true }).selectOption({ index: 1 });
		await page.getByRole('button', { name: '移除遮罩 still' }).click();
		await page.getByRole('alert').filter({ hasText: '是 degrain' }).waitFor();
		await dismissAll(page);
		for (const mode of ['源', '结果', '划像']) await page.getByRole('radio', { name: mode, exact: true }).click();
		await page.keyboard.press('r');
		await idle(page);

		// Exports: every container's choices, one refusal, one report with conversions.
		await page.getByRole('button', { name: '导出…' }).click();
		const dialog = page.getByRole('dialog');
		for (const container of ['mp4', 'mov', 'mkv', 'png', 'dpx', 'exr', 'webm']) {
			await dialog.getByLabel('封装').selectOption(container);
		}
		const download = page.waitForEvent('download', { timeout: 120_000 });
		await dialog.getByRole('button', { name: '导出', exact: true }).click();
		await download;
		await dialog.getByTestId('invariants').waitFor();
		expect(await dialog.getByText(/RGB 8 位 → 4:2:0 8 位/).count()).toBe(1);
		await dialog.getByText(/色度以 4:2:0 存储/).waitFor();
		await page.keyboard.press('Escape');
		expect(await foreign(page)).toEqual([]);
		expect(problems).toEqual([]);
		await context.close();
	});

	it('says in it what cannot be opened, and why', async () => {
		const { page, context, problems } = await openChinese();
		await refused(page, ['empty.mov'], '是空的');
		await refused(page, ['noise.mov'], '不是可读取的影片文件');
		await refused(page, ['sound.wav'], '只有声音');
		await refused(page, ['film.mkv', 'fields.mpg'], '实为 2 个文件');
		await choose(page, 'cut.mkv');
		await page.getByText('文件截断').first().waitFor();
		await idle(page);
		const recipe = { version: 1, stages: [{ stage: 'degrain', params: { sigma: 99, luma: 2 } }] };
		tmp.json('wrong.json', recipe);
		await refused(page, ['wrong.json'], 'stages[0].params.luma：应为 0–1，实为 2');
		writeFileSync(tmp.path('wrong.edl'), '001 AX V C 00:00:00:00 00:00:00:99 00:00:00:00 00:00:00:02\n');
		await refused(page, ['wrong.edl'], 'EDL 第 1 行');
		tmp.json('wrong.emulsion', { kind: 'emulsion-project', version: 99 });
		await refused(page, ['wrong.emulsion'], '请用较新的 Emulsion 打开');
		mkdirSync(tmp.path('folder'), { recursive: true });
		await page.getByRole('button', { name: '文件', exact: true }).click();
		await page.getByRole('menuitem', { name: '打开地址…' }).click();
		await page.getByRole('textbox', { name: /地址/ }).fill('https://example.org/film.mov');
		await page.getByRole('button', { name: '打开', exact: true }).click();
		await page.getByRole('alert').filter({ hasText: '只能打开' }).waitFor();
		await dismissAll(page);
		tmp.json('ghost.json', { version: 1, stages: [{ stage: 'degrain', region: 'ghost' }] });
		await choose(page, 'ghost.json');
		await page.getByRole('alert').filter({ hasText: '该片卷没有此遮罩' }).first().waitFor();

		// A second tab says that the first holds the project.
		const other = await e2e.open({ context, init: NOTE });
		await other.page.getByText('另一个标签页').first().waitFor();
		expect(await foreign(other.page)).toEqual([]);
		expect(await foreign(page)).toEqual([]);
		expect(problems).toEqual([]);
		await context.close();
	});
});
