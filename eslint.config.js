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
	state: ['core', 'contracts', 'project', 'services'],
	ui: ['core', 'contracts', 'project', 'state', 'services'],
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
	scripts: ['core', 'project', 'contracts'],
};

const elements = [
	{ type: 'stage-meta', pattern: 'src/stages/*/meta.ts', mode: 'file' },
	{ type: 'stage-meta', pattern: 'src/stages/metas.ts', mode: 'file' },
	...Object.keys(MAY_IMPORT)
		.filter((f) => !['workers', 'cli', 'server', 'scripts'].includes(f))
		.map((type) => ({ type, pattern: `src/${type}` })),
	...['workers', 'cli', 'server', 'scripts'].map((type) => ({ type, pattern: type })),
];

const rules = Object.entries(MAY_IMPORT).map(([from, allow]) => ({ from, allow: [from, 'stage-meta', ...allow] }));

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
			'boundaries/ignore': ['**/*.test.ts', '**/*.testkit.ts', 'tests/**'],
			'import-x/extensions': ['.ts', '.svelte'],
			'import/resolver': {
				typescript: { project: ['tsconfig.dom.json', 'tsconfig.worker.json', 'tsconfig.node.json'] },
			},
			'import-x/resolver': {
				typescript: { project: ['tsconfig.dom.json', 'tsconfig.worker.json', 'tsconfig.node.json'] },
			},
		},
		rules: {
			'boundaries/element-types': [
				'error',
				{ default: 'disallow', rules: [...rules, { from: 'stage-meta', allow: ['core', 'contracts', 'stage-meta'] }] },
			],
			'import-x/no-cycle': 'error',
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
			'@typescript-eslint/no-non-null-assertion': 'error',
			'@typescript-eslint/no-dynamic-delete': 'off',
			'no-console': 'error',
		},
	},
	{ files: ['cli/**', 'scripts/**', 'server/**', 'tests/**'], rules: { 'no-console': 'off' } },
	{ files: ['**/*.test.ts', 'tests/**'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
