import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startHeroku } from '../../rehearsal/heroku/index.ts';
import { startPostgres } from '../../rehearsal/postgres.ts';
import { startTemporal } from '../../rehearsal/temporal.ts';
import type { StepId } from '../../workflows/steps.ts';
import { started, type Place } from '../measurement.ts';
import { openCrowd } from '../stubbed/crowd.ts';
import { startStubbedWorker } from '../stubbed/process.ts';

const taskQueue = 'bench-together';
/** The last step of RM-10. */
const lastStep: StepId = 'smoke';
/** Heroku allows an account 4,500 requests, and gives 75 a minute back [docs]. Here an hour passes in 36 seconds. */
const faster = 100;
const allowed = { atOnce: 4_500, perMinute: 75 * faster };
const allowance = { reserve: 100, refillMs: 60_000 / allowed.perMinute };
/** More than is ever asked for. */
const unlimited = 1e9;

/** Runs that were approved at the same moment, and went through RM-10 side by side on one worker. */
export interface Together {
  readonly runs: number;
  /** From the first approval until the last run has done with RM-10. */
  readonly seconds: number;
  readonly requests: number;
  /** Of the requests, those that the platform refused because there were too many. */
  readonly refused: number;
  /** Seconds below which the platform's limit lets nobody come. */
  readonly least: number;
}

/** @param limited whether the platform has its limit, or answers whatever is asked */
export async function measureTogether(place: Place, runs: number, cli: string, limited: boolean): Promise<Together> {
  const { signal, report } = place;
  const dir = path.join(place.dir, `together-${limited ? 'limited' : 'unlimited'}`);
  await mkdir(path.join(dir, 'postgres'), { recursive: true });
  const temporal = await started(place, 'Temporal', () => startTemporal({ dir, cli, ui: false, signal }));
  const postgres = await started(place, 'PostgreSQL', () => startPostgres({ dir: path.join(dir, 'postgres'), signal }));
  const heroku = await started(place, 'the stand-in for Heroku', () =>
    startHeroku({ postgres, workDir: dir, pythonBin: dir, settings: { rateLimit: unlimited } }),
  );
  const platform = { apiUrl: heroku.url, token: heroku.token, allowance };
  const worker = await started(place, 'the worker', () =>
    startStubbedWorker(place, { address: temporal.address, taskQueue, platform, toldOf: [] }),
  );
  const crowd = await openCrowd(place, temporal.address, taskQueue);
  place.teardown.layer().add('the connection to Temporal', () => crowd.close());

  report(`bringing ${runs} runs to the gate`);
  await crowd.growTo(runs);
  if (limited) Object.assign(heroku.settings, { rateLimit: allowed.atOnce, rateRefillPerMinute: allowed.perMinute });
  const before = heroku.requests.length;
  report(`${runs} runs go through RM-10`);
  const began = performance.now();
  await crowd.approveAll();
  while ((await worker.ended(lastStep)) < runs) await delay(100, undefined, { signal });
  const seconds = (performance.now() - began) / 1000;
  const made = heroku.requests.slice(before);
  const refused = made.filter(({ status }) => status === 429).length;
  const requests = made.length;
  const least = limited ? Math.max(0, ((requests - refused - allowed.atOnce) / allowed.perMinute) * 60) : 0;
  // Before anything else is measured on this machine.
  await worker.stop();
  await crowd.close();
  await temporal.stop();
  return { runs, seconds, requests, refused, least };
}
