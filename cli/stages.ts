/** `--list-stages`: every stage with its parameters, units, ranges and defaults, from the same tables the editor uses. */

import type { Param, StageMeta } from '../src/contracts/stage.ts';

function legal(param: Param): string {
	switch (param.type) {
		case 'number':
			return `${param.min}–${param.max}${param.auto === true ? ' or auto' : ''}`;
		case 'enum':
			return param.values.map((v) => v.value).join(' | ');
		case 'boolean':
			return 'true | false';
		case 'text':
			return param.expected;
	}
}

/** The text for all stages, in their default order. */
export function describeStages(metas: readonly StageMeta[]): string {
	return [...metas]
		.sort((a, b) => a.order - b.order)
		.map((meta) => {
			const rows = Object.entries(meta.params).map(([name, param]) => {
				const unit = param.unit === '' ? '' : ` ${param.unit}`;
				const fallback = param.default === '' ? 'not used' : String(param.default);
				return `  ${name.padEnd(14)} ${legal(param)}${unit} (default ${fallback})\n${' '.repeat(17)}${param.doc}`;
			});
			return [`${meta.id} — ${meta.doc}`, ...(rows.length > 0 ? rows : ['  (no parameters)'])].join('\n');
		})
		.join('\n\n');
}
