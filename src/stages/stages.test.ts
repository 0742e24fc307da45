/** What the contract demands of every stage that is listed. */

import { describe, expect, it } from 'vitest';
import type { Param, StageMeta } from '../contracts/stage.ts';
import { STAGE_METAS } from './metas.ts';
import { loadStage } from './registry.ts';

const isAuto = (param: Param): boolean => param.type === 'number' && param.auto === true;

const automaticOf = ({ params }: StageMeta): string[] =>
	Object.entries(params).flatMap(([name, param]) => (isAuto(param) ? [name] : []));
const automatic = STAGE_METAS.filter((meta) => automaticOf(meta).length > 0);

describe.each(automatic.map((meta) => [meta.id, meta, automaticOf(meta)] as const))('%s', (id, meta, names) => {
	it('says what auto stands for', async () => {
		const stage = await loadStage(id);
		expect(stage.analyze).toBeDefined();
		const params = Object.fromEntries(
			Object.entries(meta.params).map(([name, param]) => [name, names.includes(name) ? 'auto' : param.default]),
		);
		// Any stage's artifact of a shot that shows nothing to be measured.
		const nothing = { sigma: 0, channels: [0, 0, 0], blur: { cause: 'sharp' }, noise: 0 };
		const values = stage.resolved?.(params as never, nothing);
		expect(Object.keys(values ?? {}).sort()).toEqual([...names].sort());
	});
});
