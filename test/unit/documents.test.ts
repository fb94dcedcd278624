import { describe, expect, test } from '@jest/globals';
import { commandsOf, filledIn } from '../integration/documents.ts';

const fenced = (...lines: string[]): string => ['Text.', '', '```sh', ...lines, '```', '', 'More.'].join('\n');
const commands = (text: string) => commandsOf({ file: 'a.md', text }).map(({ key, text: command }) => [key, command]);

describe('the commands of a document', () => {
  test('each is found as it is printed, over several lines too', () => {
    const start = ['temporal workflow start --type productionCutover \\', `  --input '{"app":"x","mode":"plan"}'`];
    const query = 'temporal workflow query --workflow-id x --type status';
    expect(commands(fenced('npm start', ...start, query))).toEqual([
      ['a.md: workflow start productionCutover plan', start.join('\n')],
      ['a.md: workflow query status', query],
    ]);
  });

  test.each([
    ['in the text', 'Type `temporal server start-dev`.'],
    ['in the text, with options', 'Type `temporal workflow describe --workflow-id x`.'],
    ['behind another command', fenced('cd x && temporal workflow describe --workflow-id x')],
    ['indented, in no block', '    echo x | temporal workflow signal --name y'],
  ])('one that stands %s is not passed over', (_where, text) => {
    expect(() => commands(text)).toThrow(/a\.md has 1 commands of Temporal's CLI and 0 of them/);
  });
});

test('a placeholder that nobody fills in is said', () => {
  const command = `temporal workflow signal --name approve --input '{"by":"<your name>","plan":"<digest of the plan>"}'`;
  expect(filledIn(command, { '<your name>': 'Ada', '<digest of the plan>': 'abc' })).toContain(
    `'{"by":"Ada","plan":"abc"}'`,
  );
  expect(() => filledIn(command, { '<your name>': 'Ada' })).toThrow(/nobody says what stands for <digest of the plan>/);
});
