import type { MetricMeter } from '@temporalio/common';
import type { TelemetryOptions } from '@temporalio/worker';
import { z } from 'zod';
import { phases } from '../workflows/sop.ts';
import { edges } from '../workflows/transition.ts';
import type { Listening } from './config.ts';
import type { OpenRuns } from './open-runs.ts';

/** Milliseconds between two looks at what a metric tells. */
export const countEveryMs = 5_000;
/** Seconds: people answer within minutes or within days. */
const waits = [60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800];
const memo = z.object({
  stage: z.enum(Object.keys(edges) as [keyof typeof edges]),
  phase: z.enum([...phases, 'end']),
});

/** The SDK's exporter for Prometheus, as the runtime takes it. */
export function prometheusOf({ host, port }: Listening): NonNullable<TelemetryOptions['metrics']> {
  return {
    prometheus: {
      bindAddress: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: { cutover_waiting_for_people: waits },
    },
  };
}

/** Tells where the open runs of a task queue stand. Several workers tell the same, so take the maximum. */
export function createRunGauges(taskQueue: string, meter: MetricMeter): (open: OpenRuns, orphaned: number) => void {
  const gauge = meter.createGauge('cutover_runs', 'int', undefined, 'Open runs, by where they stand');
  const known = meter.createGauge(
    'cutover_runs_counted_at',
    'int',
    undefined,
    'When open runs were last counted, since 1970',
  );
  const lost = meter.createGauge('cutover_runs_orphaned', 'int', undefined, 'Open runs whose tasks no worker takes');
  let told = new Map<string, { stage: string; phase: string }>();
  return ({ runs: open }, orphaned) => {
    const runs = new Map<string, { stage: string; phase: string; number: number }>();
    for (const run of open) {
      if (run.taskQueue !== taskQueue) continue;
      // Until a run has said where it stands, and where it cannot be read, it is somewhere all the same.
      const read = memo.safeParse(run.memo);
      const labels = read.success ? read.data : { stage: 'starting', phase: 'preflight' };
      const key = `${labels.stage} ${labels.phase}`;
      runs.set(key, { ...labels, number: (runs.get(key)?.number ?? 0) + 1 });
    }
    for (const [key, labels] of told) if (!runs.has(key)) gauge.set(0, labels);
    for (const { number, ...labels } of runs.values()) gauge.set(number, labels);
    told = new Map([...runs].map(([key, { stage, phase }]) => [key, { stage, phase }]));
    lost.set(orphaned);
    known.set(Math.floor(Date.now() / 1000));
  };
}

/** Tells how often the last net had to clean a payload: more than never is a mistake of the runbook. */
export function tellReplaced(secretsReplaced: () => number, meter: MetricMeter): () => void {
  const gauge = meter.createGauge(
    'cutover_secrets_replaced',
    'int',
    undefined,
    'Payloads that the last net had to clean',
  );
  const turn = (): void => gauge.set(secretsReplaced());
  turn();
  const telling = setInterval(turn, countEveryMs).unref();
  return () => clearInterval(telling);
}
