import { describe, expect, test } from '@jest/globals';
import type { Case } from '../../../drill/case.ts';
import { complaintsOf } from '../../../drill/results.ts';
import { gateOfWrite } from '../../../drill/gates.ts';
import { judge } from '../../../drill/invariants.ts';
import { listOf, stepsOf } from '../../../drill/lists.ts';
import type { Seen } from '../../../drill/seen.ts';
import { drilled } from '../../../drill/starts.ts';
import { gateBefore } from '../../../workflows/sop.ts';
import { steps } from '../../../workflows/steps.ts';

const one: Case = { id: 'cutover/flag/after', procedure: 'cutover', disturbance: 'after', step: 'flag' };
const time = (at: number): string => new Date(at).toISOString();

/** A message of somebody's, and the decision that it led to. */
function approval(seq: number, at: number, gate: string, by: string, more: object = {}) {
  const payload = { gate, by, plan: `plan of ${gate}`, ...more };
  return {
    entry: { seq, data: { payload } },
    decision: { what: 'approved', gate, at: time(at), who: { claimed: by }, plan: `plan of ${gate}`, message: seq },
  };
}
type Approval = ReturnType<typeof approval>;

const recordWith = (approvals: readonly Approval[], more: object = {}) => ({
  entries: approvals.map(({ entry }) => entry),
  summary: {
    result: 'completed',
    requestedBy: { claimed: 'Rita' },
    decisions: approvals.map(({ decision }) => decision),
    ...more,
  },
});
const approvals = [
  approval(1, 90, 'go', 'Ada'),
  approval(2, 100, 'go', 'Bo'),
  approval(3, 190, 'rm-11', 'Bo'),
  approval(4, 200, 'rm-11', 'Ada'),
];
const inRecord = (record: object): object => ({ record, records: [record] });

/** A cutover that went well, as far as the invariants look at it. */
const well = {
  case: one,
  cases: [one],
  absent: [],
  outages: [],
  status: { stage: 'ended', outcome: { result: 'completed', reason: '', by: null }, items: [] },
  world: {
    serves: 'role',
    credentials: ['default', 'raptor_app'],
    attachments: ['DATABASE: db, default', 'RAPTOR_APP_DATABASE: db, credential:raptor_app'],
    variables: ['DATABASE_URL', 'FLAG_RAPTOR_APP_ROLE_SEPARATION'],
    database: 'postgres',
    maintenance: false,
    formation: ['web=1'],
    revisions: ['0003'],
    seals: 1,
    roles: 1,
    issues: [],
  },
  writes: [
    { at: 90, what: 'PUT /repos/an/app/pulls/1/merge' },
    { at: 310, what: 'PATCH /apps/<app>/config-vars' },
    { at: 320, what: 'DELETE /apps/<app>/formations/web' },
  ],
  effects: [{ at: 305, what: 'GRANT TABLE in the catalog' }],
  diary: [
    { at: 50, pid: 1, step: 'survey', progress: 'begun' },
    { at: 300, pid: 1, step: 'flag', progress: 'begun' },
  ],
  leaks: [],
  ...inRecord(recordWith(approvals)),
  findings: [],
} as unknown as Seen;

const wrong = (change: object): string[] => complaintsOf(judge({ ...well, ...change } as Seen, well));
const inWorld = (change: object): string[] => wrong({ world: { ...well.world, ...change } });

test('where all is well there is nothing to say', () => {
  expect(wrong({})).toEqual([]);
});

test('a write that was made twice, and one that was not made', () => {
  expect(wrong({ writes: [...well.writes, well.writes[1]] })).toEqual([
    'twice: PATCH /apps/<app>/config-vars: 2 times, and undisturbed 1',
  ]);
  expect(wrong({ writes: well.writes.slice(1) })).toEqual([
    'lost: PUT /repos/an/app/pulls/1/merge: 0 times, and undisturbed 1',
  ]);
  expect(wrong({ effects: [...well.effects, ...well.effects] })).toEqual([
    'twice: GRANT TABLE in the catalog: 2 times, and undisturbed 1',
  ]);
  // A release restarts the dynos too.
  expect(wrong({ writes: well.writes.slice(0, 2) })).toEqual([]);
});

test('an undisturbed run is held against what is written down', () => {
  const alone: Case = { id: 'plan/none', procedure: 'plan', disturbance: 'none', step: null };
  const seen = { ...well, case: alone, cases: [alone] } as unknown as Seen;
  expect(judge(seen, seen).duplicates).toEqual([
    'merge: 1 times, and by its procedure 0',
    'variables: 1 times, and by its procedure 0',
  ]);
  const cutover: Case = { ...alone, id: 'cutover/none', procedure: 'cutover' };
  const { lost } = judge({ ...seen, case: cutover, cases: [cutover] }, seen);
  expect(lost).toContain('seal: 0 times, and by its procedure 1');
});

test('privileges that the platform took along with the role', () => {
  const items = [{ id: 'revoke-grants', state: 'done', evidence: { exists: false } }];
  const effects = [...well.effects, { at: 310, what: 'REVOKE TABLE in the catalog' }];
  expect(wrong({ effects })).toEqual(['twice: REVOKE TABLE in the catalog: 1 times, and undisturbed 0']);
  expect(wrong({ effects, status: { ...well.status, items } })).toEqual([]);
});

test('a dyno that was left is stopped, once', () => {
  const stop = { at: 310, what: 'POST /apps/<app>/dynos/run.7695/actions/stop' };
  expect(wrong({ writes: [...well.writes, stop] })).toEqual([]);
  expect(wrong({ writes: [...well.writes, stop, stop] })).toHaveLength(1);
});

test('a suite that ran twice, unless a person had it tried again', () => {
  const ran = { writes: [...well.writes, { at: 330, what: 'POST /repos/an/app/dispatches' }] };
  expect(wrong(ran)).toEqual([expect.stringMatching(/^twice: POST .*dispatches: 1 times/)]);
  expect(wrong({ ...ran, status: { ...well.status, items: [{ id: 'smoke', state: 'done', attempt: 2 }] } })).toEqual(
    [],
  );
});

test('a step restarts once for each time that it was asked for', () => {
  const again = { at: 330, what: 'DELETE /apps/<app>/formations/web' };
  expect(wrong({ writes: [...well.writes, again] })).toEqual([
    'twice: a restart in flag: 2 times, in 1 attempts that were asked for',
  ]);
  const status = { ...well.status, items: [{ id: 'flag', state: 'done', attempt: 2 }] };
  expect(wrong({ writes: [...well.writes, again], status })).toEqual([]);
});

describe('gates', () => {
  const diary = [...well.diary.slice(0, 1), { at: 140, pid: 1, step: 'flag', progress: 'begun' }];

  test('a write before its gate', () => {
    const early = { at: 150, what: 'PATCH /apps/<app>/config-vars' };
    const why = 'PATCH /apps/<app>/config-vars was made in flag before rm-11 was approved';
    expect(wrong({ writes: [well.writes[0], early, well.writes[2]], diary })).toEqual([why]);
  });

  test('what took effect in the database before its gate', () => {
    const effects = [{ at: 195, what: 'GRANT TABLE in the catalog' }];
    expect(wrong({ effects, diary })).toEqual([
      'GRANT TABLE in the catalog was made in flag before rm-11 was approved',
    ]);
  });

  test('a write in a step that only looks', () => {
    const looking = [well.diary[0], { at: 300, pid: 1, step: 'verify-sessions', progress: 'begun' }];
    expect(wrong({ diary: looking })).toContain(
      'PATCH /apps/<app>/config-vars was made in verify-sessions, which only looks',
    );
  });

  test.each<[string, Approval, string]>([
    ['a stranger', approval(4, 200, 'rm-11', 'Mallory'), 'Mallory counted: may not approve'],
    ['who asked for it', approval(4, 200, 'rm-11', 'Rita'), 'Rita counted: asked for the run'],
    [
      'one of another plan',
      approval(4, 200, 'rm-11', 'Ada', { plan: 'x' }),
      'Ada counted: the message names another plan',
    ],
    [
      'one of another gate',
      approval(4, 200, 'rm-11', 'Ada', { gate: 'go' }),
      'Ada counted: the message is of another gate',
    ],
    [
      'one that nobody sent',
      approval(4, 200, 'rm-11', 'Ada', { by: 'Bo' }),
      'Ada counted: no message of theirs says so',
    ],
  ])('an approval by %s counted', (_, last, why) => {
    expect(wrong(inRecord(recordWith([...approvals.slice(0, 3), last])))).toContain(`an approval of rm-11 by ${why}`);
  });

  test('one person is not two', () => {
    const record = recordWith([...approvals.slice(0, 3), approval(4, 200, 'rm-11', 'Bo')]);
    expect(wrong(inRecord(record))).toContain(
      'PATCH /apps/<app>/config-vars was made in flag before rm-11 was approved',
    );
  });

  test('are those of the lists, for each step that writes', () => {
    for (const procedure of drilled) {
      const items = listOf(procedure);
      for (const { id } of stepsOf(procedure).filter((step) => steps[step.id].writes))
        expect([procedure, id, gateOfWrite(id)]).toEqual([procedure, id, gateBefore(items, id)]);
    }
  });
});

test('what a person had tried again that the platform did not refuse', () => {
  const resolved = { what: 'resolved', step: 'grants' };
  const record = recordWith(approvals);
  const tried = { ...record, summary: { ...record.summary, decisions: [...record.summary.decisions, resolved] } };
  expect(wrong(inRecord(tried))).toEqual(['a person had grants tried again; expected 0 times']);
  const parked: Case = { ...one, disturbance: 'parked' };
  expect(wrong({ ...inRecord(tried), cases: [parked] })).toEqual([]);
  expect(wrong({ cases: [parked] })).toEqual(['a person had nothing tried again; expected 1 times']);
  // The platform keeps the credential while its URL is attached.
  const holding: Case = { ...parked, step: 'unbind-url' };
  const twice = { ...tried, summary: { ...tried.summary, decisions: [...tried.summary.decisions, resolved] } };
  expect(wrong({ ...inRecord(twice), cases: [holding] })).toEqual([]);
  expect(wrong({ ...inRecord(twice), cases: [parked] })).toHaveLength(1);
});

test('another end than it should have, or a record that says another one', () => {
  const status = { ...well.status, outcome: { result: 'aborted' } };
  expect(wrong({ status })).toEqual(
    expect.arrayContaining(['the run is aborted, and should be completed', 'the record says completed']),
  );
});

test.each([
  [{ serves: 'owner' }, 'it serves as owner'],
  [{ seals: 2 }, '2 seals'],
  [{ maintenance: true }, 'the app is in maintenance'],
  [{ formation: ['web=0'] }, 'the formation is web=0'],
  [{ attachments: [] }, expect.stringMatching(/^attachments: \[\], and undisturbed/)],
])('a world that is otherwise: %j', (change, complaint) => {
  expect(inWorld(change)).toContainEqual(complaint);
});

test('what is left where the role was taken down', () => {
  const undoing: Case = { ...one, disturbance: 'undoing' };
  const status = { ...well.status, outcome: { result: 'rolled-back', reason: '', by: null } };
  const problems = wrong({ case: undoing, status, ...inRecord(recordWith(approvals, { result: 'rolled-back' })) });
  for (const left of [
    'it serves as role',
    'a credential is left',
    'an attachment is left',
    'a flag is left',
    'the database is sealed',
  ])
    expect(problems).toContainEqual(expect.stringContaining(left));
});

test('a secret, a record that does not hold, and a disturbance that did not take place', () => {
  expect(wrong({ leaks: ['0 in the history'] })).toEqual(['secret 0 in the history']);
  expect(wrong({ findings: [{ entry: 3, problem: 'it was changed' }] })).toEqual([
    'the record does not hold: 3 it was changed',
  ]);
  expect(wrong({ absent: [one] })).toEqual(['cutover/flag/after did not take place']);
});
