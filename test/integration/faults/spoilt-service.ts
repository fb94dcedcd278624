import { afterAll, beforeAll } from '@jest/globals';
import { createRig, type Rig } from '../cutover-rig.ts';
import { startStepRunner, type StepRunner } from '../step-runner.ts';
import { startFaultProxy, type FaultProxy } from './proxy.ts';

/** A rig whose steps reach one of its services by way of a proxy that can spoil requests. */
export interface SpoiltService {
  readonly rig: Rig;
  readonly proxy: FaultProxy;
  readonly steps: StepRunner;
}

/** The variables that lead a worker to a service. Only these differ. */
const baseUrls = { heroku: ['HEROKU_API_URL', 'HEROKU_DATA_URL'], github: ['GITHUB_API_URL'] } as const;

/**
 * @param patienceMs milliseconds that a request is waited for, where it is not what production has
 */
export async function startSpoiltService(
  service: keyof typeof baseUrls,
  patienceMs?: number,
): Promise<SpoiltService & { stop(): Promise<void> }> {
  const rig = await createRig();
  const proxy = await startFaultProxy(rig.platform[service].url);
  const steps = startStepRunner(rig, {
    ...Object.fromEntries(baseUrls[service].map((name) => [name, proxy.url])),
    ...(patienceMs === undefined ? {} : { STEP_REQUEST_TIMEOUT_MS: String(patienceMs) }),
  });
  return {
    rig,
    proxy,
    steps,
    async stop() {
      await steps.stop();
      await proxy.stop();
      await rig.close();
    },
  };
}

/**
 * Starts it before the tests of a file, and stops it behind them.
 *
 * @param settle called once it is there
 * @param patienceMs milliseconds that a request is waited for, where it is not what production has
 */
export function useSpoiltService(
  service: keyof typeof baseUrls,
  settle: (spoilt: SpoiltService) => void | Promise<void>,
  patienceMs?: number,
): void {
  let spoilt: Awaited<ReturnType<typeof startSpoiltService>> | undefined;
  beforeAll(async () => {
    spoilt = await startSpoiltService(service, patienceMs);
    await settle(spoilt);
  });
  afterAll(() => spoilt?.stop());
}
