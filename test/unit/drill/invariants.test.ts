import { expect, test } from '@jest/globals';
import type { Case } from '../../../drill/case.ts';
import { complaintsOf } from '../../../drill/results.ts';
import { judge } from '../../../drill/invariants.ts';
import type { Seen } from '../../../drill/seen.ts';

const one: Case = { id: 'cutover/flag/after', procedure: 'cutover', disturbance: 'after', step: 'flag' };

/** A cutover that went well, as far as the invariants look at it. */
const well = {
  case: one,
  absent: [],
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
  effects: ['GRANT TABLE in the catalog'],
  diary: [
    { at: 50, pid: 1, step: 'survey', progress: 'begun' },
    { at: 300, pid: 1, step: 'flag', progress: 'begun' },
  ],
  leaks: [],
  record: {
    summary: {
      result: 'completed',
      decisions: [
        { what: 'approved', gate: 'go', at: new Date(100).toISOString() },
        { what: 'approved', gate: 'rm-11', at: new Date(200).toISOString() },
      ],
    },
  },
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

test('a suite that ran twice, unless a person had it tried again', () => {
  const ran = { writes: [...well.writes, { at: 330, what: 'POST /repos/an/app/dispatches' }] };
  expect(wrong(ran)).toEqual([expect.stringMatching(/^twice: POST .*dispatches: 1 times/)]);
  expect(wrong({ ...ran, status: { ...well.status, items: [{ id: 'smoke', state: 'done', attempt: 2 }] } })).toEqual(
    [],
  );
});

test('a write before its gate', () => {
  const early = { at: 150, what: 'PATCH /apps/<app>/config-vars' };
  const diary = [...well.diary.slice(0, 1), { at: 140, pid: 1, step: 'flag', progress: 'begun' }];
  const writes = [well.writes[0], early, well.writes[2]];
  const why = 'PATCH /apps/<app>/config-vars was made in flag before rm-11 was approved';
  expect(wrong({ writes, diary })).toEqual([why]);
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
  const record = { summary: { ...well.record.summary, result: 'rolled-back' } };
  const problems = wrong({ case: undoing, status, record });
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
