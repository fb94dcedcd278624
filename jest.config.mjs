/** Of every configuration. */
export const common = {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, swcrc: false },
    ],
  },
  injectGlobals: false,
  setupFilesAfterEnv: ['<rootDir>/test/setup/release-streams.mjs'],
};

/**
 * `npm test -- test/unit` narrows a run to a folder. Unit tests need nothing but Node; only when a test of another
 * folder is to run are Temporal and Python got ready, once for all of them.
 */
export default {
  maxWorkers: 2,
  testTimeout: 240_000,
  projects: [
    { ...common, displayName: 'unit', roots: ['<rootDir>/test/unit'] },
    {
      ...common,
      displayName: 'system',
      roots: ['<rootDir>/test'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/unit/',
        '<rootDir>/test/heroku-cli/',
        '<rootDir>/test/cluster/',
      ],
      globalSetup: '<rootDir>/test/setup/global-setup.mjs',
      globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
    },
  ],
};
