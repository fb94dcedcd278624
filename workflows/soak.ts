import type { Run } from './run.ts';
import type { StepItem } from './sop.ts';
import { afterSoakSample, isSoaked, soakNews, usualSoak, type SoakRules } from './soak-clock.ts';
import type { Evidence } from './steps.ts';
import { createSampling, type Beside } from './watch.ts';

const sample: StepItem = { kind: 'step', id: 'soak-sample', phase: 'soak', needs: ['baselineOfSoak'] };

/** The samples of a soak, and the clock that they move. The gate beside which they are taken passes once it has run out. */
export function createSoak(run: Run): Beside {
  const rules = run.state.target?.soak ?? usualSoak;
  const lastAt = run.state.soak?.lastAt ?? null;
  const every = (): number => untilNext(run, rules);
  const sampling = createSampling<Evidence<'soak-sample'>>(
    run,
    { item: sample, event: 'soaked', lastAt, every },
    (seen) => {
      const before = run.state.soak;
      const soak = afterSoakSample(before, seen, Date.now(), rules);
      run.apply({ type: 'soaked', soak, news: soakNews(before, soak) });
    },
  );
  return Object.assign(sampling, { isComplete: () => isSoaked(run.state.soak, rules) });
}

/** The last sample comes when the time is over, and not up to a whole interval later. */
function untilNext({ state: { soak } }: Run, { everyMs, forMs }: SoakRules): number {
  if (soak === null || soak.last === 'red' || soak.last === 'missed') return everyMs;
  return Math.max(1, Math.min(everyMs, forMs - soak.cleanMs));
}
