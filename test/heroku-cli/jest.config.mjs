import { common } from '../../jest.config.mjs';

/** `npm run test:heroku-cli`: apart from `npm test`, since it needs the official CLI, which is no small download. */
export default {
  ...common,
  rootDir: '../..',
  roots: ['<rootDir>/test/heroku-cli'],
  maxWorkers: 2,
  testTimeout: 120_000,
  globalSetup: '<rootDir>/test/heroku-cli/global-setup.mjs',
  globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
};
