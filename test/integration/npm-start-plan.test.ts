import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor } from '../../rehearsal/apps.ts';
import { keepDurations } from '../../rehearsal/durations.ts';
import { readOwnApp } from '../../rehearsal/own-app/read.ts';
import { rehearse, type RehearseOptions } from '../../rehearsal/start/rehearse.ts';
import type { Status } from '../../workflows/view.ts';
import { createRecorder } from './recorder.ts';
import { leftovers, startProgram } from './started-program.ts';

process.env['TEMPORAL_CLI_PATH'] = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'npm-start-plan-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The lines of a section, without their indentation. */
function section(output: string, title: string): string[] {
  const lines = output.split('\n');
  const from = lines.findIndex((line) => line.startsWith(title));
  const to = lines.findIndex((line, index) => index > from && /^\S/.test(line));
  return lines.slice(from + 1, to).flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

async function planned(options: Partial<RehearseOptions>): Promise<{ ending: string; output: string }> {
  // On a terminal too it ends by itself.
  const { terminal, lines } = createRecorder(true);
  const signal = AbortSignal.timeout(280_000);
  const ending = await rehearse({ hold: false, idle: false, plan: true, terminal, signal, ...options });
  return { ending, output: lines.join('\n') };
}

test('npm start -- --plan prints the plan of a state of production, and leaves nothing but the SQL', async () => {
  const file = path.join(dir, 'revisions.sql');
  const options = ['--plan', '--scenario', 'from-essential-0', '--sql', file];
  const program = await startProgram(['node', 'scripts/start.mjs', ...options]);
  expect(await program.ended).toEqual({ code: 0, signal: null });
  const output = program.output();
  expect(await leftovers(program.tmp)).toEqual([]);
  await program.dispose();

  const sql = await readFile(file, 'utf8');
  expect(sql).toMatch(/CREATE TABLE paper_orders/);
  expect(output).not.toMatch(/CREATE TABLE/);
  const digest = createHash('sha256').update(sql).digest('hex');
  expect(section(output, 'Revisions to run').at(-1)).toMatch(new RegExp(`^SQL: \\d+ lines, SHA-256 ${digest}, in `));
  expect(section(output, 'Privileges')).toContain('+ GRANT SELECT ON alembic_version TO raptor_app');
  expect(section(output, 'Config vars')).toContain('~ DATABASE_URL (provided by raxx-api-prod)');
  expect(section(output, 'Other apps')).toEqual(['none']);
  expect(section(output, 'Steps,').map((line) => line.split(' ')[0])).toEqual(
    expect.arrayContaining(['promote', 'upgrade', 'rm-11', 'grants', 'launch', 'seal', 'open-follow-ups']),
  );
  expect(section(output, 'Hazards')).toContainEqual(
    expect.stringMatching(/^! the app is moved to another database first/),
  );
  expect(output).toMatch(/^Plan [0-9a-f]{64}$/m);
}, 300_000);

test('with the own app: its SQL as it migrates, and how long the steps of its last rehearsal took', async () => {
  const item = { kind: 'step', id: 'upgrade', did: 'acted', startedAt: 1_000, finishedAt: 3_500 } as const;
  await keepDurations(dir, { app: 'library-api', items: [item] } as unknown as Status, 'clean');
  const own = await readOwnApp({
    dir: path.resolve('test/fixtures/flask-app'),
    target: path.resolve('test/fixtures/flask-target/library-api.json'),
  });
  const { ending, output } = await planned({ own, durations: dir });
  expect({ ending, sql: output.match(/CREATE TABLE \w+/g) }).toEqual({
    ending: 'verified',
    sql: ['CREATE TABLE alembic_version', 'CREATE TABLE members', 'CREATE TABLE loans'],
  });
  expect(output).toMatch(
    /^Steps, with what they took in the rehearsal of \d{4}-\d\d-\d\d on stand-ins \(scenario clean\)$/m,
  );
  expect(section(output, 'Steps,')).toContainEqual(expect.stringMatching(/^upgrade +2\.5 s {2}Upgrade/));
  expect(section(output, 'Steps,')).toContainEqual(expect.stringMatching(/^grants +not rehearsed {2}Apply/));
}, 300_000);

test('where there is no plan it says why and what to do', async () => {
  const { ending, output } = await planned({ app: { ...raptor, addon: { name: 'small-db', plan: 'essential-0' } } });
  expect(ending).toBe('failed');
  expect(output).toMatch(
    /✘ There is no plan\. DatabasePlanTooSmall: .*heroku addons:create heroku-postgresql:standard-0/,
  );
}, 300_000);
