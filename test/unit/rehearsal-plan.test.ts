import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import pc from 'picocolors';
import { keepDurations, readDurations } from '../../rehearsal/durations.ts';
import { planLines } from '../../rehearsal/start/plan-lines.ts';
import { readPlanSqlOptions } from '../../worker/plan-sql-options.ts';
import type { Plan } from '../../workflows/facts.ts';
import type { Status } from '../../workflows/view.ts';
import { samplePlan } from '../workflow/sample-evidence.ts';

const colors = pc.createColors(false);
const hostile = '\x1b[2J\x07Mallory\u202e';
const preview = {
  revisions: [{ revision: '0001', sha256: null }],
  sql: { command: 'c', sha256: 'ab'.repeat(32), lines: 3 },
  noSql: null,
  privileges: ['+ GRANT SELECT ON a TO r'],
  asTheyStand: ['GRANT r TO s'],
  vars: ['+ A'],
  obstacles: [hostile],
};
const plan: Plan = { ...samplePlan('go'), preview };
const told = { plan, sql: 'BEGIN;\n\tCREATE TABLE t ();\n', rehearsed: null, hasFollowUps: false };

test('SQL, revisions and what people wrote are shown without anything that a terminal would act on', () => {
  const lines = planLines({ ...told, sql: `-- ${hostile}\n\tCREATE TABLE t ();` }, colors);
  expect(lines.join('\n')).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
  expect(lines).toEqual(
    expect.arrayContaining(['      CREATE TABLE t ();', '  0001                     no file is named after it']),
  );
  expect(lines).toContain('  ? GRANT r TO s (its effect is not told beforehand)');
  expect(lines.at(-2)).toBe(`Plan ${plan.digest}`);
});

test('SQL that has a file of its own is not shown', () => {
  const text = planLines({ ...told, sqlFile: '/there/a.sql' }, colors).join('\n');
  expect(text).toContain(`SQL: 3 lines, SHA-256 ${'ab'.repeat(32)}, in /there/a.sql`);
  expect(text).not.toContain('CREATE TABLE');
});

test('durations are kept for each app, and what cannot be read counts as none', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'durations-'));
  const steps = [
    { kind: 'step', id: 'upgrade', did: 'acted', startedAt: 5, finishedAt: 25 },
    { kind: 'step', id: 'smoke', startedAt: 30, finishedAt: null },
    { kind: 'gate', id: 'go', startedAt: 1, finishedAt: 4 },
  ];
  await keepDurations(dir, { app: 'an-app', items: steps } as unknown as Status, 'preboot');
  expect(await readDurations(dir, 'an-app')).toMatchObject({ scenario: 'preboot', steps: { upgrade: 20 } });
  expect(await readdir(dir)).toEqual(['an-app.json']);
  await writeFile(path.join(dir, 'broken.json'), '{"on":');
  expect([await readDurations(dir, 'broken'), await readDurations(dir, 'other')]).toEqual([null, null]);
  await rm(dir, { recursive: true });
});

test.each([
  [[], /^Name one app/],
  [['a', 'b'], /^Name one app/],
  [['an-app', '--sha256', 'xyz'], /12 to 64 digits/],
  [['an-app', '--shout'], /^Unknown option '--shout'/],
])('npm run plan:sql refuses %j', (args, reason) => {
  expect(() => readPlanSqlOptions(args, {})).toThrow(reason);
});
