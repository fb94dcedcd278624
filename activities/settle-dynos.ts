import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { Dyno } from './clients/heroku.ts';
import { perform } from './perform.ts';
import { targetOf, type Services } from './services.ts';

/** What `runOneOff` puts before every command of the runbook, of whichever run. */
const marked = /^: cutover\//;

/** One-off dynos of an app that have not ended: those that the runbook started, and those of other people. */
export async function oneOffDynos({ heroku }: Services, app: string): Promise<{ ours: Dyno[]; others: Dyno[] }> {
  const alive = (await heroku.listDynos(app)).filter(
    (one) => one.type === 'run' && !['complete', 'crashed'].includes(one.state),
  );
  return {
    ours: alive.filter((one) => marked.test(one.command)),
    others: alive.filter((one) => !marked.test(one.command)),
  };
}

/** Stops what the runbook left running on the app, an upgrade of a terminated run say. Strangers' dynos go on. */
export async function settleDynos(services: Services, call: StepCall): Promise<StepResult<Evidence<'settle-dynos'>>> {
  const { app } = await targetOf(services, call);
  const stopped = new Set<string>();
  return perform({
    probe: async () => {
      const { ours, others } = await oneOffDynos(services, app);
      const names = ours.map((one) => one.name);
      // Asked to stop, a dyno has half a minute to end [docs].
      if (names.some((name) => !stopped.has(name))) return { is: 'absent', what: `${names.join(', ')} of ${app} run` };
      if (names.length > 0) return { is: 'underway', what: `${names.join(', ')} of ${app} are about to end` };
      return { is: 'done', evidence: { stopped: [...stopped], others: others.map((one) => one.name) } };
    },
    act: async () => {
      for (const { name } of (await oneOffDynos(services, app)).ours) {
        await services.heroku.stopDyno(app, name);
        stopped.add(name);
      }
    },
  });
}
