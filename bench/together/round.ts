import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { allowance as ofProduction } from '../../activities/clients/heroku.ts';
import { startHeroku } from '../../rehearsal/heroku/index.ts';
import { startPostgres } from '../../rehearsal/postgres.ts';
import { startTemporal } from '../../rehearsal/temporal.ts';
import type { StepId } from '../../workflows/steps.ts';
import { started, type Place } from '../measurement.ts';
import { openCrowd } from '../stubbed/crowd.ts';
import { startStubbedWorker } from '../stubbed/process.ts';
import { allowanceFor, type Limit, type Round } from './limit.ts';

const taskQueue = 'bench-together';
/** The last step of RM-10. */
const lastStep: StepId = 'smoke';
/** More than is ever asked for. */
const unlimited = 1e9;

/**
 * Approves runs at the same moment, and has them go through RM-10 side by side on one worker.
 *
 * @param limit of the platform; without one, it answers whatever is asked
 */
export async function performRound(place: Place, runs: number, cli: string, limit?: Limit): Promise<Round> {
  const { signal, report } = place;
  const dir = path.join(place.dir, limit ? 'limited' : 'unlimited');
  await mkdir(path.join(dir, 'postgres'), { recursive: true });
  const temporal = await started(place, 'Temporal', () => startTemporal({ dir, cli, ui: false, signal }));
  const postgres = await started(place, 'PostgreSQL', () => startPostgres({ dir: path.join(dir, 'postgres'), signal }));
  const heroku = await started(place, 'the stand-in for Heroku', () =>
    startHeroku({ postgres, workDir: dir, pythonBin: dir, settings: { rateLimit: unlimited } }),
  );
  const allowance = limit ? allowanceFor(limit) : ofProduction;
  const platform = { apiUrl: heroku.url, token: heroku.token, allowance };
  const worker = await started(place, 'the worker', () =>
    startStubbedWorker(place, { address: temporal.address, taskQueue, platform, toldOf: [] }),
  );
  const crowd = await openCrowd(place, temporal.address, taskQueue);
  place.teardown.layer().add('the connection to Temporal', () => crowd.close());

  report(`bringing ${runs} runs to the gate`);
  await crowd.growTo(runs);
  if (limit) Object.assign(heroku.settings, { rateLimit: limit.atOnce, rateRefillPerMinute: limit.perMinute });
  const before = heroku.requests.length;
  report(`${runs} runs go through RM-10, ${limit ? "within the platform's limit" : 'without a limit'}`);
  const began = performance.now();
  await crowd.approveAll();
  while ((await worker.ended(lastStep)) < runs) await delay(100, undefined, { signal });
  const seconds = (performance.now() - began) / 1000;
  const made = heroku.requests.slice(before);
  // Before anything else is measured on this machine.
  await worker.stop();
  await crowd.close();
  await temporal.stop();
  return {
    runs,
    seconds,
    requests: made.length,
    refused: made.filter(({ status }) => status === 429).length,
    fewestLeft: made.reduce((fewest, { remaining }) => Math.min(fewest, remaining), Infinity),
  };
}
