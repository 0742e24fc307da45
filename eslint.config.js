import boundaries from 'eslint-plugin-boundaries';
import importX from 'eslint-plugin-import-x';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

/** Which folder may import which: the arrows of docs/architecture.md, closed transitively. */
const MAY_IMPORT = {
	core: [],
	contracts: ['core'],
	project: ['core', 'contracts'],
	comms: ['core', 'contracts'],
	media: ['core', 'contracts'],
	gpu: ['core', 'contracts'],
	store: ['core', 'contracts'],
	models: ['core', 'contracts', 'gpu'],
	analysis: ['core', 'contracts', 'gpu', 'models'],
	stages: ['core', 'contracts', 'gpu', 'models', 'analysis'],
	pipeline: ['core', 'contracts', 'project', 'gpu', 'models', 'analysis', 'stages', 'store', 'media'],
	share: ['core', 'project'],
	services: ['core', 'contracts', 'comms', 'project', 'share', 'workers'],
	state: ['core', 'contracts', 'project', 'share', 'services'],
	ui: ['core', 'contracts', 'project', 'share', 'state', 'services'],
	app: ['core', 'contracts', 'comms', 'project', 'share', 'services', 'state', 'ui'],
	workers: [
		'core',
		'contracts',
		'comms',
		'project',
		'media',
		'gpu',
		'models',
		'store',
		'analysis',
		'stages',
		'pipeline',
	],
	cli: ['core', 'contracts', 'project', 'share', 'server', 'scripts'],
	server: ['core', 'contracts', 'project', 'share'],
	scripts: ['core', 'project', 'contracts', 'share', 'server', 'analysis'],
};

const TOP = ['workers', 'cli', 'server', 'scripts'];

const elements = Object.keys(MAY_IMPORT).map((type) => ({ type, pattern: TOP.includes(type) ? type : `src/${type}` }));

const policies = [
	...Object.entries(MAY_IMPORT).map(([from, types]) => ({
		from: { element: { type: from } },
		allow: { to: { element: { types: { anyOf: [from, ...types] } } } },
	})),
	// A stage's metadata is data: everybody may read it.
	{ allow: { to: { file: { categories: 'stage-meta' } } } },
];

export default tseslint.config(
	{ ignores: ['dist/', '.cache/', 'node_modules/', 'training/', 'public/'] },
	...tseslint.configs.strict,
	...svelte.configs['flat/recommended'],
	{
		files: ['**/*.svelte', '**/*.svelte.ts'],
		languageOptions: { parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'] } },
	},
	{
		plugins: { boundaries, 'import-x': importX },
		settings: {
			'boundaries/elements': elements,
			'boundaries/files': [{ category: 'stage-meta', pattern: ['src/stages/*/meta.ts', 'src/stages/metas.ts'] }],
			'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
			'boundaries/ignore': ['**/*.test.ts', '**/*.testkit.ts', 'tests/**'],
			'import-x/extensions': ['.ts'],
			'import/resolver': {
				typescript: { project: 'tsconfig.base.json' },
			},
			'import-x/resolver': {
				typescript: { project: 'tsconfig.base.json' },
			},
		},
		rules: {
			'boundaries/dependencies': ['error', { default: 'disallow', policies }],
			'import-x/no-cycle': 'error',
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
			// Pixel loops index typed arrays within bounds they computed; noUncheckedIndexedAccess makes each read `number | undefined`.
			'@typescript-eslint/no-non-null-assertion': 'off',
			'@typescript-eslint/no-dynamic-delete': 'off',
			'no-console': 'error',
		},
	},
	{ files: ['cli/**', 'scripts/**', 'server/**', 'tests/**'], rules: { 'no-console': 'off' } },
);
