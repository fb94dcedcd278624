import { expect, test } from '@jest/globals';
import { disturbances } from '../../../drill/case.ts';
import { allCases } from '../../../drill/cases.ts';
import { readOptions, usage } from '../../../drill/options.ts';

const idsOf = (...args: string[]): string[] => readOptions(args, {}).cases.map(({ id }) => id);

test('every case unless said, with a seed of its own', () => {
  const options = readOptions([], {});
  expect(options).toMatchObject({ help: false, list: false, abreast: 4, share: 1 });
  expect(options.cases).toHaveLength(allCases().length);
  expect(Number.isInteger(options.seed)).toBe(true);
  expect(readOptions(['--list', '--abreast', '2', '--share', '8'], {})).toMatchObject({
    ...{ list: true, abreast: 2, share: 8 },
  });
});

test('the same seed makes the same choice in the same order, and another one another', () => {
  expect(idsOf('--seed', '7', '--cases', '20')).toEqual(idsOf('--seed', '7', '--cases', '20'));
  expect(idsOf('--seed', '7', '--cases', '20')).not.toEqual(idsOf('--seed', '8', '--cases', '20'));
  expect(idsOf('--seed', '7')).toHaveLength(allCases().length);
});

test('patterns are looked for in ids, and a star is anything within one part of them', () => {
  expect(idsOf('--only', 'cutover/flag/after')).toEqual(['cutover/flag/after']);
  expect(idsOf('--only', 'plan/*/after').sort()).toEqual([
    'plan/config-check/after',
    'plan/inspect-pull-request/after',
    'plan/survey/after',
  ]);
  expect(() => idsOf('--only', 'cutover/*after')).toThrow('No case has');
  expect(new Set(idsOf('--only', 'plan/none,undo-rm-11/none', '--only', 'cutover/none'))).toEqual(
    new Set(['plan/none', 'undo-rm-11/none', 'cutover/none']),
  );
});

test('the usage names every disturbance', () => {
  for (const name of Object.keys(disturbances)) expect(usage).toMatch(new RegExp(`^  ${name} `, 'm'));
});

test.each([
  [['--only', 'nothing-like-it'], {}, /^No case has nothing-like-it in its id\. --list prints them\.$/],
  [['--only', ''], {}, /^No case has "" in its id/],
  [['--cases', '0'], {}, /^--cases wants a whole number from 1 to \d+, and not 0\.$/],
  [['--only', 'plan/none', '--cases', '2'], {}, /^--cases wants a whole number from 1 to 1, and not 2\.$/],
  [['--seed', 'x'], {}, /^--seed wants a whole number/],
  [['--seed', '-1'], {}, /'--seed' argument is ambiguous/],
  [['--abreast', '17'], {}, /^--abreast wants a whole number from 1 to 16/],
  [['--share', '1.5'], {}, /^--share wants a whole number/],
  [['--fast'], {}, /^Unknown option '--fast'\.$/],
  [['plan'], {}, /^Unexpected argument 'plan'\./],
  [[], { npm_config_seed: '7' }, /^npm kept --seed for itself\. Write: npm run drill -- --seed$/],
])('%j is refused with the reason', (args, env, reason) => {
  expect(() => readOptions(args, env)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(reason) }),
  );
});
