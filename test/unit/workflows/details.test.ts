import { describe, expect, test } from '@jest/globals';
import { escapeMarkdown, renderDetails, renderReport } from '../../../workflows/details.ts';
import type { RunState } from '../../../workflows/state.ts';
import type { RunEvent } from '../../../workflows/transition.ts';
import { view, type Status } from '../../../workflows/view.ts';
import { events } from './events.ts';
import { samplePlan } from '../../workflow/sample-evidence.ts';
import {
  approved,
  done,
  failed,
  opened,
  passed,
  preflight,
  read,
  reading,
  sampleInput,
  started,
  walk,
  walkFor,
} from './walk.ts';

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
      evidence: walk(read, ...done('credential', { credential: text, state: text })),
      watch: walk(read, opened('launch'), watched([text])),
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
  walk(read, opened('launch'), watched([])),
];

/** A sample that the watch has taken, and what it found. */
function watched(problems: string[]): RunEvent {
  const watch = { since: 0, samples: 3, red: 1, lastAt: 60_000, healthy: problems.length === 0, problems, gapMs: 0 };
  return { ...events.sampled, watch };
}

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

test('a run that was to make a plan shows it to its end, in short', () => {
  const preview = {
    revisions: [],
    sql: { command: 'alembic', sha256: 'ab'.repeat(32), lines: 7 },
    noSql: null,
    privileges: ['+ GRANT a', '+ GRANT b', '- REVOKE c'],
    asTheyStand: [],
    vars: ['+ FLAG', '~ DATABASE_URL'],
    obstacles: ['grants would stop'],
  };
  const evidence = { ...samplePlan('go'), preview };
  const details = renderDetails(
    view(walkFor({ ...sampleInput, mode: 'plan' }, read, ...done('config-check'), ...done('survey', evidence))),
  );
  expect(details).toMatch(/^- \*\*SQL\*\* 7 lines, SHA\\-256 abababababab$/m);
  expect(details).toMatch(/^- \*\*privileges\*\* 2 statements would give, 1 would take$/m);
  expect(details).toMatch(/^- \*\*variables\*\* \\\+ FLAG, \\~ DATABASE\\_URL$/m);
  expect(details).toMatch(/^- \*\*hazard\*\* grants would stop$/m);
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
  expect(above).toContain(
    '\nLast refused, at 1970-01-01 00:00:00 UTC: `approve` from nobody, because no gate is open\n',
  );
});

test('every item has its line with its mark', () => {
  const details = renderDetails(view(walk(read, started('config-check'))));
  expect(details).toMatch(/^- ▶ `config-check` /m);
  expect(details).toMatch(/^- ☐ `inspect-pull-request` /m);
});

test('the head says where the run is, and since when', () => {
  const head = (state: RunState): string | undefined => renderDetails(view(state)).split('\n')[0];
  expect(head(walk(...preflight, opened('go')))).toBe(
    '**Cutover of `an-app`**, asked for by Rita at 1970-01-01 00:00:00 UTC: waiting, in preflight',
  );
  expect(head(walk(...preflight, ...passed('go'), ...done('confirm'), started('upgrade')))).toMatch(
    /: working, in RM-10$/,
  );
  // Whatever the way back has interrupted.
  expect(head(walk(...preflight, ...passed('go'), started('upgrade'), events.killed))).toMatch(
    /: working, in the way back$/,
  );
  expect(head(walk(read, events.ended))).toMatch(/: ended$/);
});

/** A step that began and ended at these times, in milliseconds since 1970. */
function lasting(startedAt: number, finishedAt: number | null): string {
  const begun = walk(read, ...(finishedAt === null ? [started('upgrade', 2)] : done('upgrade')));
  const upgrade = { ...begun.steps.upgrade, startedAt, finishedAt };
  const state = { ...walk(...preflight, ...passed('go')), at: begun.at } as RunState;
  const seen = { ...state, steps: { ...state.steps, upgrade } } as RunState;
  const line = renderDetails(view(seen)).split('\n');
  return line.find((one) => one.includes('`upgrade`')) ?? '';
}

test('each step has its times, what it saw, and how often it was tried', () => {
  const evening = Date.UTC(2026, 11, 1, 22, 59, 7);
  expect(lasting(evening, evening + 61_000)).toMatch(
    /: acted, at 0002, 2 revisions applied \(2026-12-01 22:59:07 to 23:00:08 UTC\)$/,
  );
  // Over midnight the day is said again.
  expect(lasting(evening, evening + 2 * 3_600_000)).toMatch(/\(2026-12-01 22:59:07 to 2026-12-02 00:59:07 UTC\)$/);
  expect(lasting(evening, null)).toMatch(/, attempt 2 \(since 2026-12-01 22:59:07 UTC\)$/);
});

test('a gate has who approved it and when; what is ahead has no time', () => {
  const details = renderDetails(view(walk(...preflight, ...passed('go'))));
  expect(details).toMatch(/^- ☑ `go` .*: approved by Ada \(1970-01-01 00:00:01 to 00:00:01 UTC\)$/m);
  expect(details).toMatch(/^- ☐ `upgrade` [^(]*$/m);
});

test('where the kill switch is stands there until the launch, with the message and who may send it', () => {
  const line =
    '**Kill switch**, until the launch: the signal or update `killSwitch` with `{"by":"<your name>","reason":"<why>"}`, ' +
    'from Ada, Bo, Cy, Rita, Kim.';
  for (const state of [walk(read), walk(...preflight, opened('go')), walk(read, started('smoke'), failed('smoke'))]) {
    expect(renderDetails(view(state)).split('\n')).toContain(line);
  }
  const without = {
    'the launch': walk(read, events.sealing),
    'a kill switch': walk(read, events.killed),
    'the end': walk(read, events.ended),
    'a target that does not say how': walk(reading({ hasRollback: false })),
    'a plan': walkFor({ app: 'an-app', requestedBy: 'Rita', mode: 'plan' }, read),
  };
  for (const state of Object.values(without)) expect(renderDetails(view(state))).not.toContain('Kill switch');
});

test('the watch is told with its samples, and how the last one was', () => {
  const details = (problems: string[]): string => renderDetails(view(walk(read, opened('launch'), watched(problems))));
  const counts = '**Watch** since 1970-01-01 00:00:00 UTC: 3 samples, 1 of them red; at 1970-01-01 00:01:00';
  expect(details([])).toContain(`${counts} healthy`);
  expect(details(['no answer', 'drift'])).toContain(`${counts} no answer; drift`);
});

test('the last refused message is told, with why and when', () => {
  const refused = { type: 'messageRefused', message: 'approve', by: 'Eve', why: 'no gate is open' } as const;
  expect(renderDetails(view(walk(read, refused)))).toContain(
    'Last refused, at 1970-01-01 00:00:01 UTC: `approve` from Eve, because no gate is open',
  );
});

test('the comment on an issue has what was done, and who approved it', () => {
  const report = renderReport(view(walk(read, ...done('config-check'), started('inspect-pull-request'))));
  expect(report).toMatch(/^Cutover of `an-app`, asked for by Rita$/m);
  expect(report).toMatch(/^- ☑ `config-check` .*: observed$/m);
  expect(report).not.toContain('inspect-pull-request');
});
