import { common } from '../../jest.config.mjs';

/** `npm run test:cluster`: apart from `npm test`, since Temporal's server has to be built for it, which needs Go. */
export default {
  ...common,
  rootDir: '../..',
  roots: ['<rootDir>/test/cluster'],
  maxWorkers: 1,
  testTimeout: 300_000,
  globalSetup: '<rootDir>/test/cluster/global-setup.mjs',
  globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
};
