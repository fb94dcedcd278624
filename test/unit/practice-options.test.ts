import { expect, test } from '@jest/globals';
import { readOptions } from '../../rehearsal/practice/options.ts';

test('options are read', () => {
  expect(readOptions([], {})).toEqual({ help: false, merged: false, unattached: false, sqlite: false });
  expect(readOptions(['--env-file', 'platform.env', '--plan', 'essential-0', '--merged'], {})).toMatchObject({
    envFile: 'platform.env',
    plan: 'essential-0',
    merged: true,
  });
  expect(readOptions(['--scenario', 'from-essential-0'], {})).toMatchObject({ scenario: 'from-essential-0' });
});

test.each([
  [['--plan', 'standard'], {}, /^There is no plan standard\. Plans are called standard-0/],
  [['--scenario', 'bad-day'], {}, /^There is no scenario bad-day\. Known: clean, /],
  [['--scenario', 'preboot', '--sqlite'], {}, /--unattached and --sqlite do not go with it/],
  [['--hold'], {}, /^Unknown option '--hold'\.$/],
  [[], { npm_config_plan: 'essential-0' }, /^npm kept --plan for itself\. Write: npm run platform -- --plan$/],
  [[], { npm_config_env_file: 'F' }, /^npm kept --env-file for itself/],
])('%j is refused with the reason', (args, env, reason) => {
  expect(() => readOptions(args, env)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(reason) }),
  );
});
