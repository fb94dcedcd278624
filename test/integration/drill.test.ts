import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { disturbances } from '../../drill/case.ts';
import { drillAll } from '../../drill/drill-all.ts';
import { complaintsOf, type Result } from '../../drill/results.ts';
import { smallSample } from '../../drill/sample.ts';
import { startOrphanGuard } from '../../rehearsal/orphan-guard.ts';

// A small drill: what `npm run drill` does with every case. Cases share runs, so that it takes minutes.

/** One whose cases share few runs: each costs as much as a whole cutover. */
const seed = 1;
const cases = smallSample(seed);
let results: Result[];
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'drill-test-'));
  const guard = startOrphanGuard();
  guard.watchFolder(dir);
  cleanUps.push(() => rm(dir, { recursive: true }).then(() => guard.close()));
  const { env } = process;
  const place = {
    ...{ dir, guard },
    pythonBin: env['RC_TEST_PYTHON_BIN'] ?? '',
    codePath: env['RC_TEST_WORKFLOW_BUNDLE'] ?? '',
    temporal: { address: env['RC_TEST_TEMPORAL_ADDRESS'] ?? '', cli: env['RC_TEST_TEMPORAL_CLI'] ?? '' },
    signal: AbortSignal.timeout(850_000),
  };
  results = await drillAll({ cases, seed, abreast: 5, share: 8, place, told: () => undefined });
}, 900_000);
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

test('some of every disturbance, and the undisturbed runs that they are compared with', () => {
  const seen = new Set(results.map(({ case: one }) => one.disturbance));
  expect([...seen].sort()).toEqual(Object.keys(disturbances).sort());
  expect(results.length).toBeGreaterThanOrEqual(20);
});

test('every case survives: nothing twice, nothing lost, and the world is what the run says', () => {
  const complaints = results.flatMap((result) => complaintsOf(result).map((line) => `${result.case.id}: ${line}`));
  expect(complaints).toEqual([]);
});

test('every worker that died was followed by another', () => {
  const killed = results.filter(({ case: one }) => ['before', 'during', 'after'].includes(one.disturbance));
  expect(killed.filter(({ recoveries }) => recoveries.length !== 1).map(({ case: one }) => one.id)).toEqual([]);
});
