import { expect, test } from '@jest/globals';
import type { Plan } from '../../../workflows/facts.ts';
import { hazards } from '../../../workflows/hazards.ts';
import { samplePlan } from '../../workflow/sample-evidence.ts';

const plain = samplePlan('go');
const rehearsed = { ...plain.observations, killSwitch: { seconds: 3, on: '2026-11-26' } };
const calm: Plan = { ...plain, observations: rehearsed };

const facts = (more: Partial<Plan['facts']>): Plan => ({ ...calm, facts: { ...calm.facts, ...more } });
const seen = (more: Partial<Plan['observations']>): Plan => ({ ...calm, observations: { ...rehearsed, ...more } });
const nothing = { revisions: [], sql: null, noSql: null, privileges: [], asTheyStand: [], vars: [], obstacles: [] };
const pullRequest = {
  number: 9,
  repository: 'o/n',
  title: 'Grants',
  base: 'main',
  merged: false,
  revisionFiles: ['a.py'],
};

test('a plan of which nothing is to be feared says nothing', () => {
  expect(hazards(calm)).toEqual([]);
});

test.each<[string, Plan, RegExp]>([
  ['kill switch', facts({ killSwitchBlocked: 'no block rollback' }), /kill switch is blocked: no block rollback/],
  ['rehearsal', seen({ killSwitch: null }), /no rehearsal of the kill switch/],
  ['rows', seen({ rows: 5 }), /about 5 rows/],
  ['connections', seen({ connections: { used: 90, limit: 120 } }), /^90 of 120 connections/],
  [
    'release command',
    facts({ releaseCommand: 'alembic upgrade head' }),
    /a config change too, runs `alembic upgrade head`/,
  ],
  [
    'role',
    facts({ migrations: { ...calm.facts.migrations, namingRole: ['0002'] } }),
    /^0002 names the role sample_role/,
  ],
  ['other apps', facts({ database: { ...calm.facts.database, sharedWith: ['an', 'other'] } }), /shared with an, other/],
  [
    'promotion',
    facts({ database: { ...calm.facts.database, promote: 'it is empty' } }),
    /another database first: it is empty/,
  ],
  ['pull request', facts({ pullRequest }), /#9 adds a revision and is not merged: .* another digest/],
  ['maintenance', seen({ maintenance: true }), /maintenance mode/],
  ['SQL', { ...calm, preview: { ...nothing, noSql: 'why' } }, /not known beforehand/],
  ['obstacle', { ...calm, preview: { ...nothing, obstacles: ['it would stop'] } }, /^it would stop$/],
])('%s', (_, plan, text) => {
  expect(hazards(plan)).toEqual([expect.stringMatching(text)]);
});

test('what is merged, adds no revision, or is only the row of the version table, is none', () => {
  expect(hazards(facts({ pullRequest: { ...pullRequest, merged: true } }))).toEqual([]);
  expect(hazards(facts({ pullRequest: { ...pullRequest, revisionFiles: [] } }))).toEqual([]);
  const migrated = facts({ migrations: { ...calm.facts.migrations, current: '0002' } });
  expect(hazards({ ...migrated, observations: { ...rehearsed, rows: 1 } })).toEqual([]);
});
