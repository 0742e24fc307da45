/** Languages of the editor, as BCP 47 tags. */
export const LANGUAGES = ['en', 'zh-Hans'] as const;
/** See {@link LANGUAGES}. */
export type Language = (typeof LANGUAGES)[number];
/** Each language in its own words. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', 'zh-Hans': '简体中文' };
