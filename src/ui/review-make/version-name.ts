import type { I18n } from '../../state/i18n/i18n.svelte.ts';
import type { VersionChoice } from '../../state/review/making-settings.ts';

/** What a version that can be chosen is called in the reader's language. */
export function nameOfVersion({ id, name }: VersionChoice, i18n: I18n): string {
	return name ?? i18n.t(id === 'source' ? 'making.versionSource' : 'making.versionCurrent');
}
