import importX from 'eslint-plugin-import-x';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Which way the arrows go: `worker → activities → clients`, `worker → audit`; `rehearsal`, `bench`, `drill` and `test` see everything, nothing sees them. */
const UNSEEN = {
  regex: '^(\\.\\./)+(rehearsal|bench|drill|test)/',
  message: 'Only the rehearsal, the benchmark, the drill and the tests may import from there.',
};
const WAITING = ['condition', 'sleep', 'CancellationScope', 'continueAsNew', 'makeContinueAsNewFunc'];

const imports = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

const WORKFLOW_PATTERNS = [
  {
    regex: '^\\.\\./activities/',
    allowTypeImports: true,
    message: 'Workflow code may only import types of activities.',
  },
  {
    regex: '^(?!\\./|\\.\\./activities/|zod$|@temporalio/workflow$)',
    message: 'Workflow code imports its own folder, zod and @temporalio/workflow, and types of activities.',
  },
];

export default defineConfig(
  {
    ignores: [
      'node_modules/',
      'dist/',
      'coverage/',
      '**/.venv/',
      'test/histories/',
      'rehearsal/raptor/',
      'rehearsal/ledger/',
    ],
  },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver': { node: { extensions: ['.ts', '.mjs', '.js'] } },
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      ...imports(...WORKFLOW_PATTERNS, {
        regex: '^@temporalio/workflow$',
        importNames: WAITING,
        allowTypeImports: true,
        message: 'Only runbook.ts, gates.ts, watch.ts, notices.ts and life-cycle.ts wait, cancel and continue as new.',
      }),
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ThrowStatement > NewExpression[callee.name=/^(Error|TypeError|RangeError|SyntaxError)$/]',
          message: 'This would fail the workflow task and be retried for ever: throw an ApplicationFailure.',
        },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'Buffer', 'crypto', 'TextEncoder', 'TextDecoder', 'fetch', 'require', '__dirname'].map(
          (name) => ({
            name,
            message: 'The workflow sandbox does not have this, or it differs from run to run.',
          }),
        ),
      ],
    },
  },
  {
    files: ['workflows/{runbook,gates,watch,life-cycle,notices}.ts'],
    rules: imports(...WORKFLOW_PATTERNS),
  },
  {
    files: ['activities/**/*.ts'],
    rules: imports(UNSEEN, { regex: '^(\\.\\./)+worker/', message: 'Activities know nothing of the worker.' }),
  },
  {
    files: ['audit/**/*.ts'],
    rules: imports(UNSEEN, {
      // A record must be read years later, without the code that ran.
      regex: '^(\\.\\./)+(worker/(?!codec/(encryption|keys)\\.ts$)|activities/(?!canonical-json\\.ts$))',
      message: 'The audit knows histories, not what made them: it takes canonical JSON, and what opens a payload.',
    }),
  },
  {
    files: ['worker/**/*.ts'],
    rules: imports(UNSEEN),
  },
  {
    files: ['rehearsal/**/*.ts'],
    rules: imports({
      regex: '^(\\.\\./)+(bench|drill|test)/',
      message: 'The rehearsal knows nothing of who measures or tests it.',
    }),
  },
  {
    // What a server answered is looked at as it came.
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-explicit-any': 'off' },
  },
  {
    // They run before anything is installed.
    files: ['scripts/**/*.mjs'],
    rules: {
      'no-undef': 'error',
      'no-unused-vars': 'error',
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!node:|\\./)', message: 'Scripts use Node and each other only.' }] },
      ],
    },
    languageOptions: {
      globals: Object.fromEntries(
        ['console', 'process', 'performance', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'URL'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
);
