import { describe, expect, test } from '@jest/globals';
import { escapeMarkdown, renderDetails } from '../../../workflows/details.ts';
import { initialState, transition, type RunEvent, type RunState } from '../../../workflows/state.ts';
import { view } from '../../../workflows/view.ts';

const target = { digest: 'd1'.repeat(32), hasPullRequest: false, pullRequest: null, historyEventLimit: 10_000 };
const digest = 'a1'.repeat(32);

function walk(requestedBy: string, ...path: RunEvent[]): RunState {
  return path.reduce((state, event) => transition(state, event, 1), initialState({ app: 'an-app', requestedBy }, 1));
}
const started: RunEvent[] = [
  { type: 'targetRead', target },
  { type: 'stepStarted', step: 'config-check', attempt: 1 },
];

/** What people could write to be taken for the runbook, and what of it must not be left. */
const hostile: Record<string, { text: string; never: RegExp }> = {
  'a link': { text: '[approve here](https://evil.example)', never: /(?<!\\)\[approve here(?<!\\)\]/ },
  'an image': { text: '![x](https://evil.example/x.png)', never: /(?<!\\)!\[/ },
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
    const plain = linesOf(walk('Rita', ...started));
    const states = {
      requester: walk(text, ...started),
      failure: walk('Rita', ...started, {
        type: 'stepFailed',
        step: 'config-check',
        failure: { type: 'X', message: text },
      }),
      refusal: walk('Rita', ...started, { type: 'messageRefused', message: 'approve', by: text, why: text }),
      outcome: walk('Rita', ...started, { type: 'ended', outcome: { result: 'aborted', by: text, reason: text } }),
      approver: walk(
        'Rita',
        { type: 'targetRead', target },
        { type: 'gateOpened', gate: 'go', digest },
        { type: 'approved', gate: 'go', by: text },
      ),
    };
    for (const state of Object.values(states)) {
      for (const line of linesOf(state)) {
        // What the runbook says itself has marks of its own; the rest of a line is people's.
        if (plain.includes(line)) continue;
        expect(
          line
            .replace(/^- /, '')
            .replace(/\*\*[^*]*\*\*/, '')
            .replace(/`(approve|resolve|config-check|go)`/, ''),
        ).not.toMatch(never);
      }
    }
  });
});

/** The lines outside of the block that shows the message to send. */
function linesOf(state: RunState): string[] {
  return renderDetails(view(state))
    .replace(/```json\n.*\n```/, '')
    .split('\n');
}

test('ordinary names are left readable', () => {
  expect(escapeMarkdown('Zoë O’Neil, Ops')).toBe('Zoë O’Neil, Ops');
});

test('the message to send stands in a block of its own, ready to copy', () => {
  const details = renderDetails(
    view(walk('Rita', { type: 'targetRead', target }, { type: 'gateOpened', gate: 'go', digest })),
  );
  const block = /```json\n(.*)\n```/.exec(details)?.[1] ?? '';
  expect(JSON.parse(block)).toEqual({ gate: 'go', by: '<your name>', plan: digest });
});

test('every item has its line with its mark', () => {
  const details = renderDetails(view(walk('Rita', ...started)));
  expect(details).toMatch(/^- ▶ `config-check` /m);
  expect(details).toMatch(/^- ☐ `upgrade` /m);
});
