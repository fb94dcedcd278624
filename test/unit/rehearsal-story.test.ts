import { describe, expect, test } from '@jest/globals';
import { createQuestions } from '../../rehearsal/start/questions.ts';
import { createStory } from '../../rehearsal/start/story.ts';
import { summaryLines } from '../../rehearsal/start/summary.ts';
import type { Plan } from '../../workflows/facts.ts';
import { planTexts } from '../../workflows/plan-text.ts';
import type { ItemStatus, Status, WaitingFor } from '../../workflows/view.ts';
import { createRecorder } from '../integration/recorder.ts';
import { samplePlan } from '../workflow/sample-evidence.ts';

const hostile = '\x1b[2J\x1b]0;owned\x07Mallory\r\n✔ approved\u202e';

const step = (id: string, rest: Partial<ItemStatus> = {}): ItemStatus => ({
  kind: 'step',
  id,
  phase: 'rm-10',
  title: `Do ${id}`,
  state: 'ahead',
  ...rest,
});
const done = (id: string, rest: Partial<ItemStatus> = {}): ItemStatus =>
  step(id, {
    state: 'done',
    attempt: 1,
    did: 'acted',
    evidence: { release: 5 },
    startedAt: 1_000,
    finishedAt: 3_500,
    ...rest,
  });
const parked = (attempt: number): ItemStatus =>
  step('upgrade', {
    state: 'parked',
    attempt,
    failure: { type: 'MigrationFailed', message: `attempt ${attempt} failed` },
  });
const gate = (rest: Partial<ItemStatus> = {}): ItemStatus => ({
  kind: 'gate',
  id: 'go',
  phase: 'preflight',
  title: 'Approve',
  state: 'waiting',
  startedAt: 1_000,
  ...rest,
});

function statusOf(items: readonly ItemStatus[], rest: Partial<Status> = {}): Status {
  return {
    app: 'some-app',
    requestedBy: 'Rita',
    stage: 'working',
    phase: 'rm-10',
    items,
    waitingFor: null,
    plans: { go: null, 'rm-11': null, launch: null, soak: null },
    procedure: 'cutover',
    wayBack: null,
    rotation: null,
    mayRollBack: [],
    killSwitch: null,
    watch: null,
    soak: null,
    drift: [],
    refusedMessages: [],
    journal: [],
    continued: 0,
    outcome: null,
    startedAt: 1_000,
    ...rest,
  };
}

function waiting(about: Partial<WaitingFor>): WaitingFor {
  const nobody = {
    what: '',
    signal: 'approve',
    message: {},
    choices: [],
    from: [],
    needed: 1,
    round: 1,
    changes: [],
  } as const;
  return { ...nobody, until: null, ...about };
}

/** What is told of these statuses, each shown as often as a run is looked at. */
function told(statuses: readonly Status[]): string[] {
  const { terminal, lines } = createRecorder(false);
  const story = createStory(terminal);
  for (const status of statuses) for (let look = 0; look < 3; look += 1) story.tell(status);
  return lines.filter((line) => line !== '');
}

describe('the story of a run', () => {
  test('tells each item once, under its phase', () => {
    const lines = told([
      statusOf([gate(), step('upgrade')]),
      statusOf([
        gate({ state: 'done', approvedBy: 'Ann', finishedAt: 2_000 }),
        step('upgrade', { state: 'running', attempt: 1 }),
      ]),
      statusOf([gate({ state: 'done', approvedBy: 'Ann', finishedAt: 2_000 }), done('upgrade')]),
    ]);
    expect(lines.map((line) => line.replace(/ +/g, ' ').trim())).toEqual([
      'Preflight',
      '▸ go waits for approval',
      '✔ go 1.0 s approved by Ann',
      'RM-10',
      '✔ upgrade 2.5 s done release 5',
    ]);
  });

  test('does not begin anew when the run continues as new at a gate', () => {
    const items = [done('smoke'), gate({ phase: 'rm-10' })];
    expect(told([statusOf(items), statusOf(items, { continued: 1 }), statusOf(items, { continued: 2 })])).toHaveLength(
      3,
    );
  });

  test('tells each attempt that was parked, and the end once', () => {
    const lines = told([
      statusOf([parked(1)]),
      statusOf([step('upgrade', { state: 'running', attempt: 2 })]),
      statusOf([parked(2)]),
      statusOf([step('upgrade', { state: 'running', attempt: 3 })]),
      statusOf([done('upgrade', { attempt: 3 })]),
    ]);
    expect(lines.map((line) => line.trim())).toEqual([
      'RM-10',
      expect.stringMatching(/^✘ upgrade +parked in attempt 1: MigrationFailed$/),
      'attempt 1 failed',
      expect.stringMatching(/^✘ upgrade +parked in attempt 2: MigrationFailed$/),
      'attempt 2 failed',
      expect.stringMatching(/^✔ upgrade .* done/),
    ]);
  });

  test('tells the sender of a message that did not count why', () => {
    const refused = { at: 5, message: 'approve', by: 'Bob', why: 'no gate is open' };
    const status = statusOf([done('smoke')], { refusedMessages: [refused] });
    expect(told([status]).at(-1)).toBe('  ✘ approve from Bob was refused: no gate is open');
  });
});

test('a question is asked once for each plan, also when the run continues as new', () => {
  const { terminal, lines } = createRecorder(false);
  const byHand = {
    start: () => [],
    approveSomeGate: () => [],
    merge: () => [],
    reading: () => [],
    answer: () => ['type this'],
  };
  const questions = createQuestions(terminal, byHand, true);
  const asks = (plan: string, continued = 0): Status => {
    const waitingFor = waiting({ what: 'approval', message: { gate: 'go', plan } });
    return statusOf([gate()], { waitingFor, continued });
  };
  for (const status of [asks('aaa'), asks('aaa'), asks('aaa', 1), asks('bbb')]) questions.show(status);
  expect(lines.filter((line) => line.includes('type this'))).toHaveLength(2);
});

test('nothing that people or services wrote reaches the terminal as more than text', () => {
  const plan = {
    digest: 'a'.repeat(64),
    facts: {
      database: { attachment: hostile, addon: hostile, plan: hostile, sharedWith: [hostile], promote: hostile },
      release: { version: 1, commit: hostile },
      releaseCommand: hostile,
      killSwitchBlocked: hostile,
      migrations: { heads: [], current: hostile, pending: [hostile], namingRole: [hostile] },
      matrixDigest: hostile,
      role: { credential: hostile, state: hostile, bound: false, flag: false },
      pullRequest: { number: 1, title: hostile },
    },
    observations: {
      tables: 1,
      rows: 1,
      dynos: [hostile],
      serverVersion: hostile,
      maintenance: false,
      connections: { used: 1, limit: 120 },
    },
  } as unknown as Plan;
  const status = statusOf(
    [
      done('survey', { evidence: plan }),
      gate({ state: 'waiting' }),
      gate({ id: 'rm-11', state: 'done', approvedBy: hostile, finishedAt: 2_000 }),
      done('smoke', { evidence: { [hostile]: hostile, list: [hostile, { title: hostile }] } }),
      step('flag', { state: 'parked', attempt: 1, failure: { type: hostile, message: hostile } }),
    ],
    {
      requestedBy: hostile,
      waitingFor: waiting({
        what: hostile,
        message: { gate: 'go', by: hostile },
        choices: [hostile],
        from: [hostile],
        changes: [hostile],
      }),
      plans: { go: plan, 'rm-11': plan, launch: plan, soak: null },
      refusedMessages: [{ at: 1, message: hostile, by: hostile, why: hostile }],
      outcome: { result: 'aborted', reason: hostile, by: hostile },
    },
  );
  const { terminal, lines } = createRecorder(false);
  const busy: string[] = [];
  createStory({ ...terminal, busy: (text) => void busy.push(text) }).tell(status);
  createQuestions(
    terminal,
    { start: () => [], approveSomeGate: () => [], merge: () => [], reading: () => [], answer: () => [hostile] },
    true,
  ).show(status);
  const outside = { ok: false, text: hostile };
  for (const line of summaryLines({ status, closedAs: 'RUNNING', historyEvents: 1, outside }, terminal.colors))
    terminal.line(line);

  expect(lines.join('').split('Mallory').length).toBeGreaterThan(20);
  for (const line of [...lines, ...busy]) expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
});

describe('what the kill switch costs', () => {
  const planWith = (killSwitchBlocked: string | null, killSwitch: unknown): Plan => {
    const plan = samplePlan('go');
    return {
      ...plan,
      facts: { ...plan.facts, killSwitchBlocked },
      observations: { ...plan.observations, killSwitch },
    } as Plan;
  };

  test.each([
    [null, { seconds: 21, on: '2026-11-26' }, /took 21 s until the app served again, in the rehearsal of 2026-11-26/],
    [null, null, /was not rehearsed/],
    ['a release migrates', { seconds: 21, on: '2026-11-26' }, /will not work: a release migrates/],
  ])('stands in the plan: blocked by %s, rehearsed %j', (blocked, rehearsed, told) => {
    expect(new Map(planTexts(planWith(blocked, rehearsed))).get('way back')).toMatch(told);
  });

  test('is told at the end of its rehearsal, as the target file takes it', () => {
    const evidence = { link: '', checks: 1, servingAt: '2026-11-26T08:37:26.334Z', secondsSinceKilled: 20.2 };
    const status = statusOf([done('verify-serving', { evidence })]);
    const { terminal } = createRecorder(false);
    const lines = summaryLines(
      { status, closedAs: 'COMPLETED', historyEvents: 1, outside: { ok: true, text: '' } },
      terminal.colors,
    );
    expect(lines.join('\n')).toContain(
      'served again: 20.2 s; in the target file, "rollback.rehearsed": {"seconds":21,"on":"2026-11-26"}',
    );
  });
});
