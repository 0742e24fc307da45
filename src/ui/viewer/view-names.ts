/** What the viewer can show: the picture, provenance, and what the enabled stages can show of their work. */

import type { Workspace } from '../../state/workspace.svelte.ts';

/** A view and its name in the restorer's language. */
export interface ViewName {
	/** See `ViewState.view`. */
	readonly value: string;
	readonly label: string;
}

/** All views of the reel on screen. */
export function viewNames({ project, i18n }: Workspace): readonly ViewName[] {
	const stages = (project.reel?.recipe.stages ?? []).filter((s) => s.enabled);
	return [
		{ value: 'result', label: i18n.t('view.result') },
		{ value: 'provenance', label: i18n.t('view.provenance') },
		...stages.flatMap((s) => {
			const meta = project.metas.find((m) => m.id === s.stage);
			const name = meta ? i18n.stageLabel(meta) : s.stage;
			return (meta?.views ?? []).map((view) => ({
				value: `${s.id}/${view}`,
				label: `${name}: ${i18n.lookup(`view.${view}`) ?? view}`,
			}));
		}),
	];
}
