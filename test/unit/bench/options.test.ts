import { expect, test } from '@jest/globals';
import { measurementIds, readOptions, usage } from '../../../bench/options.ts';

test('options are read', () => {
  expect(readOptions([], {})).toEqual({ help: false, only: [...measurementIds], quick: false, write: false });
  expect(readOptions(['--quick', '--write'], {})).toMatchObject({ quick: true, write: true });
  expect(readOptions(['--json', 'out.json'], { INIT_CWD: '/there' })).toMatchObject({ jsonFile: '/there/out.json' });
  expect(readOptions(['--from', '/a.json', '--write'], {})).toMatchObject({ from: '/a.json', write: true });
  expect(readOptions(['-h'], {})).toMatchObject({ help: true });
});

test('measurements are named in any order, once or often, and made in the order of the list', () => {
  expect(readOptions(['--only', 'start,history'], {}).only).toEqual(['history', 'start']);
  expect(readOptions(['--only', 'many', '--only', 'approval,many'], {}).only).toEqual(['approval', 'many']);
});

test('the usage names every measurement', () => {
  for (const id of measurementIds) expect(usage).toMatch(new RegExp(`^ {18}${id} `, 'm'));
});

test.each([
  [['--only', 'speed'], {}, /^There is no measurement speed\. Known: history, start, /],
  [['--only', ''], {}, /^There is no measurement ""\./],
  [['--only', 'start,'], {}, /^There is no measurement ""\./],
  [['--only'], {}, /'--only <value>' argument missing/],
  [['--json', ''], {}, /^--json wants the name of a file\.$/],
  [['--from', ''], {}, /^--from wants the name of a file\.$/],
  [['--from', 'f', '--quick'], {}, /^--from measures nothing/],
  [['--from', 'f', '--only', 'start'], {}, /^--from measures nothing/],
  [['--fast'], {}, /^Unknown option '--fast'\.$/],
  [['start'], {}, /^Unexpected argument 'start'\./],
  [['--quick=yes'], {}, /'--quick' does not take an argument/],
  [[], { npm_config_quick: 'true' }, /^npm kept --quick for itself\. Write: npm run bench -- --quick$/],
])('%j is refused with the reason', (args, env, reason) => {
  expect(() => readOptions(args, env)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(reason) }),
  );
});
