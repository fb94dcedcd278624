import { describe, expect, test } from '@jest/globals';
import { buildRecord } from '../../../audit/build.ts';
import { entryKinds, record as recordSchema, type AuditRecord } from '../../../audit/record-schema.ts';
import { recordOf } from '../../../audit/record-files.ts';
import { verifyRecord } from '../../../audit/verify.ts';
import { eventfulRun, runOf, savedChains, written } from './histories.ts';

const recordOfSaved = (behaviour: string): AuditRecord => {
  const found = Object.entries(savedChains).find(([name]) => name.endsWith(`/${behaviour}`));
  if (found === undefined) throw new Error(`no history of ${behaviour} is kept`);
  return buildRecord(found[1]);
};

describe('of every history that is kept', () => {
  test.each(Object.entries(savedChains))('%s: a record that holds', (_, runs) => {
    const { record, files } = recordOf(runs);
    expect(recordSchema.safeParse(JSON.parse(files['record.json'])).error).toBeUndefined();
    expect(verifyRecord(files)).toEqual([]);
    expect(record.summary.requestedBy).toMatchObject({ claimed: 'Rita', identity: 'test-worker' });
    expect(record.summary.status).not.toBe('running');
  });
});

test('a completed run: decisions with both identities, changes with their releases, all in place', () => {
  const { summary } = recordOfSaved('completed');
  expect(summary).toMatchObject({ status: 'completed', result: 'completed', unsettled: [], undone: [], refused: [] });
  expect(summary.decisions.map(({ what, who }) => [what, who.claimed, who.identity])).toEqual([
    ['approved', 'Ada', 'test-worker'],
    ['approved', 'Ada', 'test-worker'],
    ['approved', 'Ada', 'test-worker'],
  ]);
  expect(summary.inPlace.map(({ step }) => step)).toEqual(summary.changes.map(({ step }) => step));
  expect(summary.changes.find(({ step }) => step === 'restart')).toMatchObject({ release: 8 });
  expect(summary.steps.find(({ step }) => step === 'upgrade')).toMatchObject({
    title: 'Upgrade the schema to the head of the deployed slug',
    evidence: { to: '0002' },
    attempts: [{ outcome: 'completed', did: 'acted' }],
  });
  expect(summary.plans).toHaveLength(3);
});

test('an aborted run: who ended it, what stays in place and what is not settled', () => {
  const { summary } = recordOfSaved('aborted');
  expect(summary).toMatchObject({ status: 'completed', result: 'aborted', unsettled: ['grants'] });
  expect(summary.inPlace.map(({ step }) => step)).toEqual(expect.arrayContaining(['upgrade', 'bind-url']));
  expect(summary.inPlace.map(({ step }) => step)).not.toContain('grants');
  expect(summary.steps.find(({ step }) => step === 'grants')?.attempts).toMatchObject([
    { outcome: 'failed', failure: { type: 'GrantsDiffer' } },
  ]);
});

test('a refused run: why, and that nothing was changed', () => {
  const { summary } = recordOfSaved('refused');
  expect(summary).toMatchObject({ status: 'failed', changes: [], inPlace: [] });
  expect(summary.reason).toContain('DatabaseUrlSqlite');
});

test('a run that continued as new is one record without a line twice', () => {
  const { runs, entries, summary } = recordOfSaved('continued-as-new');
  expect(runs).toHaveLength(5);
  const lines = entries.filter(({ kind }) => kind === 'journal').map(({ data }) => data['seq']);
  expect(lines).toEqual(lines.map((_, index) => index + 1));
  expect(entries.filter(({ kind }) => kind === 'carried')).toEqual([]);
  expect(summary.steps.find(({ step }) => step === 'restart')?.attempts.map(({ outcome }) => outcome)).toEqual([
    'failed',
    'completed',
  ]);
});

test('retries within an attempt are counted, with what failed before', () => {
  const { entries, summary } = recordOfSaved('failed-in-passing');
  const [attempt] = summary.steps.find(({ step }) => step === 'survey')?.attempts ?? [];
  expect(attempt).toMatchObject({ tries: 3, outcome: 'completed' });
  expect(entries[(attempt?.entry ?? 0) - 1]?.data['failureBefore']).toMatchObject({ type: 'PlatformUnavailable' });
});

test('a refused message is told with its reason; a double is told as one that changed nothing', () => {
  const { summary } = recordOfSaved('refused-messages');
  expect(summary.refused).toHaveLength(4);
  expect(summary.unanswered).toHaveLength(1);
  expect(summary.decisions.map(({ what }) => what)).toEqual(['approved', 'approved', 'approved']);
});

describe('an eventful run', () => {
  const record = buildRecord([eventfulRun()]);
  const { entries, summary } = record;

  test('has an entry of every kind', () => {
    expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set(entryKinds));
  });

  test('binds each decision to its message, with what the server knew', () => {
    expect(summary.decisions).toMatchObject([
      {
        what: 'approved',
        gate: 'go',
        plan: 'ab'.repeat(32),
        who: { claimed: 'Ada', identity: '9@web', principal: 'jwt:ada@example.org' },
      },
      { what: 'killed', reason: 'errors everywhere', who: { claimed: 'Bo', identity: '9@web', principal: null } },
    ]);
    expect(summary.decisions.map(({ message }) => entries[(message ?? 0) - 1]?.name)).toEqual([
      'approve',
      'killSwitch',
    ]);
  });

  test('tells what was undone, and no longer counts it as in place', () => {
    expect(summary.changes.map(({ step, release }) => [step, release])).toEqual([
      ['flag', 9],
      ['flag-off', 10],
    ]);
    expect(summary.undone.map(({ step }) => step)).toEqual(['flag-off']);
    expect(summary.inPlace).toEqual([]);
  });

  test('does not count as in place what leaves nothing, such as a restart', () => {
    const run = runOf([
      written.started({ app: 'written', requestedBy: 'Rita' }),
      written.scheduled('restartDynos', { app: 'written', step: 'restart', attempt: 1, leaves: false }, 'Restart'),
      written.begun(2),
      written.done(2, 'acted', { release: 9 }),
    ]);
    const { summary } = recordOf([run]).record;
    expect(summary.changes.map(({ step, release }) => [step, release])).toEqual([['restart', 9]]);
    expect(summary.inPlace).toEqual([]);
  });

  test('says instants as people do, and nothing that a line has for its shape alone', () => {
    const run = runOf([
      written.started({ app: 'written', requestedBy: 'Rita' }),
      written.journal(1, 'gateOpened', 'gate go: open', {
        gate: 'go',
        digest: 'ab'.repeat(32),
        expiresAt: 1795724302522,
        changes: [],
      }),
      written.signal('approve', { gate: 'go', by: 'Ada', plan: 'ab'.repeat(6) }),
      written.journal(2, 'approved', 'gate go: approved by Ada', {
        gate: 'go',
        by: 'Ada',
        needed: 0,
        alone: false,
        backup: null,
      }),
    ]);
    const { 'record.md': md } = recordOf([run]).files;
    expect(md).toContain('expires at: 2026-11-26 20:18:22 UTC');
    expect(md).not.toMatch(/alone: |backup: |changes: |1795724302522/);
    expect(md.split('## What changed')[0]).not.toContain('needed: ');
  });

  test('tells what it does not know, and what came before it', () => {
    expect(entries.find(({ name }) => name === 'somethingNew')).toMatchObject({
      text: 'a line of a later release',
      data: { data: { sample: { healthy: true } } },
    });
    expect(entries.find(({ kind }) => kind === 'carried')).toMatchObject({ name: 'targetRead' });
    expect(record.continues).toBe('run-0');
    expect(summary).toMatchObject({ status: 'terminated', reason: 'enough', endedBy: { identity: '5@cli' } });
  });
});

describe('who sent what', () => {
  const start = written.started({ app: 'written', requestedBy: 'Rita' });
  const approval = { gate: 'go', by: 'Ada', plan: 'ab'.repeat(6) };
  const opened = written.journal(1, 'gateOpened', 'open', { gate: 'go', digest: 'ab'.repeat(32) });
  const senders = (...events: Parameters<typeof runOf>[0]): (string | null)[] => {
    const { entries } = buildRecord([runOf([start, opened, ...events])]);
    return entries
      .filter(({ kind, who }) => kind === 'journal' && who !== null)
      .map(({ who }) => who?.identity ?? null);
  };

  test('of two that say the same, the first counted and the second was refused', () => {
    expect(
      senders(
        written.signal('approve', approval, 'first'),
        written.signal('approve', approval, 'second'),
        written.journal(2, 'approved', '', { gate: 'go', by: 'Ada' }),
        written.journal(3, 'messageRefused', '', { message: 'approve', by: 'Ada', why: 'no gate is open' }),
      ),
    ).toEqual(['first', 'second']);
  });

  test('an approval is not laid at the door of whoever sent another one in between', () => {
    expect(
      senders(
        written.signal('approve', { ...approval, gate: 'rm-11' }, 'early'),
        written.signal('resolve', { step: 'flag', attempt: 1, by: 'Ada', action: 'retry', reason: 'x' }, 'other'),
        written.signal('approve', approval, 'right'),
        written.journal(2, 'approved', '', { gate: 'go', by: 'Ada' }),
      ),
    ).toEqual(['right']);
  });

  test('a message that came after the decision is not the one that it answers', () => {
    expect(
      senders(
        written.journal(2, 'approved', '', { gate: 'go', by: 'Ada' }),
        written.signal('approve', approval, 'late'),
      ),
    ).toEqual([null]);
  });

  test('an unreadable message is matched with its refusal', () => {
    expect(
      senders(
        written.signal('approve', 7, 'junk'),
        written.signal('approve', { by: '  ' }, 'blank'),
        written.journal(2, 'messageRefused', '', { message: 'approve', by: null, why: 'not as expected' }),
        written.journal(3, 'messageRefused', '', { message: 'approve', by: null, why: 'not as expected' }),
      ),
    ).toEqual(['junk', 'blank']);
  });

  test('what was found out about a sender later stands beside the decision', () => {
    const { summary } = buildRecord([
      runOf([
        start,
        opened,
        written.signal('approve', approval, '9@web'),
        written.journal(2, 'identified', '', { gate: 'go', by: 'Ada', identity: '9@web', principal: 'jwt:ada' }),
        written.journal(3, 'approved', '', { gate: 'go', by: 'Ada' }),
      ]),
    ]);
    expect(summary.decisions).toMatchObject([{ who: { claimed: 'Ada', identity: '9@web', principal: 'jwt:ada' } }]);
  });

  test('a cancellation is what ended a run that nobody with a name ended', () => {
    expect(
      senders(
        written.cancel('who-cancelled'),
        written.journal(2, 'ended', '', { outcome: { result: 'aborted', reason: 'cancelled', by: 'unnamed' } }),
      ),
    ).toEqual(['who-cancelled']);
  });
});

test('a step that was interrupted is not settled until an attempt ends well', () => {
  const events = [
    written.started({ app: 'written', requestedBy: 'Rita' }),
    written.scheduled('upgradeSchema', { step: 'upgrade', attempt: 1 }),
    written.begun(2),
  ];
  const running = buildRecord([runOf(events)]).summary;
  expect(running).toMatchObject({ status: 'running', endedAt: null, unsettled: ['upgrade'], inPlace: [] });
  const settled = buildRecord([runOf([...events, written.done(2, 'settled', { to: '2' })])]).summary;
  expect(settled).toMatchObject({ unsettled: [], inPlace: [{ step: 'upgrade', did: 'settled' }] });
});
