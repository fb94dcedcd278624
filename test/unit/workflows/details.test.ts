import { describe, expect, test } from '@jest/globals';
import { escapeMarkdown, renderDetails, renderReport } from '../../../workflows/details.ts';
import type { RunState } from '../../../workflows/state.ts';
import type { RunEvent } from '../../../workflows/transition.ts';
import { view, type Status } from '../../../workflows/view.ts';
import { events } from './events.ts';
import { approved, done, failed, opened, passed, preflight, read, started, walk, walkFor } from './walk.ts';

/** What people could write to be taken for the runbook, and what of it must not be left. */
const hostile: Record<string, { text: string; never: RegExp }> = {
  'a link': { text: '[approve here](https://evil.example)', never: /(?<!\\)\[approve here(?<!\\)\]/ },
  'an image': { text: '![x](https://evil.example/x.png)', never: /(?<!\\)!\[/ },
  'a forged instruction': {
    text: 'ok.\n\n**Waiting for approval.** Send the signal `approve` with:\n\n```json\n{"gate":"go","by":"me"}\n```',
    never: /\n|```|(?<!\\)\*\*|(?<!\\)`/,
  },
  'a code block': { text: 'ok\n```json\n{"gate":"go"}\n```', never: /```/ },
  'a code span': { text: '`temporal workflow terminate`', never: /(?<!\\)`/ },
  'a heading': { text: '# APPROVED', never: /^# /m },
  'a new paragraph': { text: 'ok\n\n**Waiting for nothing.**', never: /\n/ },
  'bold text': { text: '**done**', never: /(?<!\\)\*/ },
  'an escaped escape': { text: '\\[x\\](y)', never: /(?<!\\)(\\\\)*\[/ },
  'a ticked item': { text: '- [x] go', never: /^- /m },
  'a table': { text: 'a | b', never: /(?<!\\)\|/ },
  HTML: { text: '<script>alert(1)</script><b onclick=x>', never: /[<>]/ },
  'an entity': { text: '&lt;b&gt;', never: /&lt;b/ },
  'terminal colours': { text: '\u001b[31mfailed\u001b[0m \u0007', never: /[\u0000-\u001f]/ },
  'a carriage return': { text: 'failed\rapproved', never: /\r/ },
  'text that runs backwards': { text: '\u202eevorppa', never: /\u202e/ },
  'a separator of lines': { text: 'ok\u2028# APPROVED', never: /\u2028/ },
};

describe.each(Object.entries(hostile))('%s', (_, { text, never }) => {
  test('is escaped', () => {
    expect(escapeMarkdown(text)).not.toMatch(never);
  });

  test("does no harm wherever the details show people's text", () => {
    const begun = [read, started('config-check')];
    const named = (...path: RunEvent[]): RunState => walkFor({ app: 'an-app', requestedBy: text }, ...path);
    const atGo = [...preflight, opened('go')];
    const states = {
      requester: named(...begun),
      failure: walk(...begun, { ...events.stepFailed, step: 'config-check', failure: { type: 'X', message: text } }),
      refusal: walk(...begun, { type: 'messageRefused', message: 'approve', by: text, why: text }),
      outcome: walk(...begun, { type: 'ended', outcome: { result: 'aborted', by: text, reason: text } }),
      approver: walk(...atGo, approved('go', { by: text, reason: text }), events.decided, events.gatePassed),
      rejection: walk(...atGo, { ...events.rejected, by: text, reason: text }),
      change: walk(read, opened('go', { changes: [text] })),
      'a freeze': walk(read, opened('window', { about: text })),
      'a kill switch': walk(read, { ...events.killed, by: text, reason: text }),
    };
    const plain = own.flatMap(linesOf);
    for (const state of Object.values(states)) {
      for (const line of linesOf(state)) {
        // What the runbook says itself has marks of its own; the rest of a line is people's.
        if (plain.includes(line)) continue;
        expect(
          line
            .replace(/^- /, '')
            .replace(/^\*\*(\\.|[^*\\])*\*\*/, '')
            .replace(/`[a-zA-Z0-9-]+`/g, ''),
        ).not.toMatch(never);
      }
    }
  });

  test('does no harm in the comment on an issue', () => {
    const state = walk(
      read,
      ...preflight.slice(1),
      opened('go'),
      approved('go', { by: text }),
      events.decided,
      events.gatePassed,
    );
    for (const line of renderReport(view(state))
      .split('\n')
      .filter((one) => one.includes('`go`'))) {
      expect(line.replace(/^- /, '').replace('`go`', '')).not.toMatch(never);
    }
  });
});

/** The same states without anything that people wrote. */
const own: RunState[] = [
  walk(read, started('config-check')),
  walk(...preflight, opened('go')),
  walk(...preflight, ...passed('go')),
  walk(read, opened('window')),
  walk(read, events.killed),
];

/** The lines outside of the block that shows the message to send. */
function linesOf(state: RunState): string[] {
  return renderDetails(view(state))
    .replace(/```json\n.*?\n```/s, '')
    .split('\n');
}

test('ordinary names are left readable', () => {
  expect(escapeMarkdown('Zoë O’Neil, Ops')).toBe('Zoë O’Neil, Ops');
});

test('the message to send stands in a block of its own, ready to copy, and who may send it below', () => {
  const details = renderDetails(
    view(walk(read, opened('go', { expiresAt: 0, changes: ['release.version: 7, now 8'] }))),
  );
  const block = /```json\n(.*?)\n```/s.exec(details)?.[1] ?? '';
  // In lines, as the Web UI's dialogue lays it out: else the dialogue moves when its box is left.
  expect(block).toBe(JSON.stringify({ gate: 'go', by: '<your name>', plan: 'a1'.repeat(32) }, null, 2));
  expect(details).toContain('Send the signal or update `approve` with:');
  expect(details).toContain('From Ada, Bo, Cy, Rita. Until 1970-01-01T00:00:00.000Z.');
  expect(details).toMatch(/What differs from the plan that was asked about before:\n- release.version: 7, now 8/);
});

test('the plan that is asked about stands below, with what an approver has to know', () => {
  const details = renderDetails(view(walk(...preflight, opened('go'))));
  expect(details).toMatch(/^- \*\*plan\*\* [0-9a-f]{12}$/m);
  expect(details).toMatch(/^- \*\*database\*\* /m);
  expect(details).toMatch(/^- \*\*way back\*\* /m);
  // Behind the gate it is not asked about any more.
  expect(renderDetails(view(walk(...preflight, ...passed('go'))))).not.toContain('**way back**');
});

test('what is parked is told with the choices that there are', () => {
  const details = renderDetails(view(walk(read, started('smoke'), failed('smoke'))));
  expect(details).toContain('**Waiting for a decision about the step smoke, attempt 1.**');
  expect(details).toContain('The action may be `retry`, `undo-rm-11`, `kill-switch`, `abort`.');
});

test('how the run ended, and what was refused last, stand above the checklist, which is longer than a screen', () => {
  const status = view(walk(read, started('config-check')));
  const outcome = { result: 'aborted', by: 'Ada', reason: 'not *today*' } as const;
  const refused = { message: 'approve', by: null, why: 'no gate is open', at: 0 };
  const details = renderDetails({
    ...status,
    outcome: { ...status.outcome, ...outcome } as Status['outcome'],
    refusedMessages: [refused],
  });
  const [above = ''] = details.split(/^- /m);
  expect(above).toContain('\n**aborted**: not \\*today\\*\n');
  expect(above).toContain('\nLast refused: `approve` from nobody, because no gate is open\n');
});

test('every item has its line with its mark', () => {
  const details = renderDetails(view(walk(read, started('config-check'))));
  expect(details).toMatch(/^- ▶ `config-check` /m);
  expect(details).toMatch(/^- ☐ `inspect-pull-request` /m);
});

test('the comment on an issue has what was done, and who approved it', () => {
  const report = renderReport(view(walk(read, ...done('config-check'), started('inspect-pull-request'))));
  expect(report).toMatch(/^Cutover of `an-app`, asked for by Rita$/m);
  expect(report).toMatch(/^- ☑ `config-check` .*: observed$/m);
  expect(report).not.toContain('inspect-pull-request');
});
