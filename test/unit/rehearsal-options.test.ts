import { expect, test } from '@jest/globals';
import { readOptions } from '../../rehearsal/start/options.ts';

test('options are read', () => {
  expect(readOptions([], {})).toEqual({ help: false, hold: false, idle: false, encrypt: false, plan: false });
  expect(readOptions(['--hold'], {})).toMatchObject({ hold: true, idle: false });
  expect(readOptions(['--encrypt'], {})).toMatchObject({ encrypt: true, hold: false });
  expect(readOptions(['--plan', '--scenario', 'from-essential-0'], {})).toMatchObject({
    plan: true,
    scenario: 'from-essential-0',
  });
  expect(readOptions(['--plan', '--sql', 'out.sql'], { INIT_CWD: '/there' })).toMatchObject({
    sqlFile: '/there/out.sql',
  });
  expect(readOptions(['-h'], {})).toMatchObject({ help: true });
});

test.each([
  [['--hold', '--idle'], {}, /exclude each other/],
  [['--hodl'], {}, /^Unknown option '--hodl'\.$/],
  [['hold'], {}, /^Unexpected argument 'hold'\./],
  [['--idle=yes'], {}, /'--idle' does not take an argument/],
  [['--plan', '--hold'], {}, /asks nobody/],
  [['--plan', '--idle'], {}, /exclude each other/],
  [['--plan', '--fingerprint', 'f'], {}, /run it without --plan/],
  [['--plan', '--scenario', 'kill-switch'], {}, /behind the plan\. With --plan: clean, from-essential-0, .*preboot\.$/],
  [['--sql', 'f'], {}, /^--sql goes with --plan/],
  [[], { npm_config_plan: 'true' }, /Write: npm start -- --plan$/],
  [[], { npm_config_hold: 'true' }, /^npm kept --hold for itself\. Write: npm start -- --hold$/],
])('%j is refused with the reason', (args, env, reason) => {
  expect(() => readOptions(args, env)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(reason) }),
  );
});
