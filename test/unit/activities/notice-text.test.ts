import { describe, expect, test } from '@jest/globals';
import { noticeText } from '../../../activities/notice-text.ts';
import type { Notice } from '../../../workflows/notice.ts';

const asked: NonNullable<Notice['asked']> = {
  what: 'approval of the gate go',
  signal: 'approve',
  message: { gate: 'go', by: '<your name>', plan: 'a1'.repeat(32) },
  choices: [],
  from: ['Ada', 'Bo'],
  needed: 2,
  changes: [],
  until: 0,
};
const notice: Notice = {
  id: 'run/1',
  event: 'gate-opened',
  at: 1,
  app: 'an-app',
  happened: 'The gate go is open.',
  asked,
};
const page = 'https://temporal.example/namespaces/default/workflows/cutover-an-app';

test('a question is told with the message, who may send it, and where', () => {
  expect(noticeText(notice, page).split('\n')).toEqual([
    '*an-app*: The gate go is open.',
    'Waiting for approval of the gate go, from 2 of Ada, Bo, until 1970-01-01T00:00:00.000Z. Send the signal or update `approve` with:',
    `\`\`\`{"gate":"go","by":"&lt;your name&gt;","plan":"${'a1'.repeat(32)}"}\`\`\``,
    `<${page}|Open the run>`,
  ]);
});

test('what differs and what may be chosen is told too; where nobody has said where the Web UI is, the run is named', () => {
  const parked = {
    ...asked,
    choices: ['retry', 'abort'],
    changes: ['release.version: 7, now 8'],
    until: null,
    needed: 1,
  };
  const text = noticeText({ ...notice, asked: parked }, null);
  expect(text).toContain('\nNot as it was asked before: release.version: 7, now 8\n');
  expect(text).toContain('from Ada, Bo. Send');
  expect(text).toContain('\nThe action may be retry, abort.\n');
  expect(text).toMatch(/\nSee the run cutover-an-app in Temporal's Web UI\.$/);
});

test('where nothing is asked, nothing but what happened is told', () => {
  expect(noticeText({ ...notice, asked: null }, page).split('\n')).toEqual([
    '*an-app*: The gate go is open.',
    `<${page}|Open the run>`,
  ]);
});

/** What people could write to be taken for the runbook, and what must not be left of it. */
const hostile: Record<string, [text: string, never: RegExp]> = {
  'a link': ['see <https://evil.example|Open the run>', /<https:\/\/evil/],
  'a mention of everybody': ['<!channel> wake up', /<!channel>/],
  'a mention of a person': ['<@U0123>', /<@/],
  'an entity': ['&lt;!channel&gt;', /&lt;!channel/],
  'a forged message': ['ok\n```{"gate":"go","by":"me"}```', /\n```\{"gate":"go","by":"me"|```\{"gate":"go","by":"me"/],
  'a code span': ['`temporal workflow terminate`', /`temporal/],
  'a new line': ['ok\n*other-app*: all is well', /\n\*other-app|\*other-app/],
  'a separator of lines': ['ok\u2028all is well', /\u2028/],
  'text that runs backwards': ['\u202eevorppa', /\u202e/],
};
describe.each(Object.entries(hostile))('%s', (_, [text, never]) => {
  test('is made harmless wherever people have written', () => {
    const said = { ...asked, what: text, from: [text], changes: [text] };
    expect(noticeText({ ...notice, happened: text, asked: said }, page)).not.toMatch(never);
  });
});

test('a long text is cut, and never the message to send', () => {
  const text = noticeText({ ...notice, happened: 'x'.repeat(5_000) }, page);
  expect(text.length).toBeLessThan(1_500);
  expect(text).toContain('x…');
  expect(text).toContain('a1'.repeat(32));
});
