import type { Client } from '@temporalio/client';
import type { MetricMeter } from '@temporalio/common';
import type { TelemetryOptions } from '@temporalio/worker';
import { z } from 'zod';
import { phases } from '../workflows/sop.ts';
import { edges } from '../workflows/transition.ts';
import type { Listening } from './config.ts';
import { inputs } from '../workflows/input.ts';

/** Milliseconds between two counts of the open runs. */
const countEveryMs = 5_000;
/** Open runs that are looked at: one for each app is the rule. */
const runsAtMost = 500;
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

/**
 * Counts the open runs of a task queue by where they stand, as their memos say it: what the server knows is right after
 * a restart of the worker too, and while a run waits for days. Several workers tell the same, so take the maximum.
 *
 * @returns stops it
 */
export function countRuns(client: Client, taskQueue: string, meter: MetricMeter): () => void {
  const gauge = meter.createGauge('cutover_runs', 'int', undefined, 'Open runs, by where they stand');
  const known = meter.createGauge(
    'cutover_runs_counted_at',
    'int',
    undefined,
    'When open runs were last counted, since 1970',
  );
  let told = new Map<string, { stage: string; phase: string }>();
  const count = async (): Promise<void> => {
    const runs = new Map<string, { stage: string; phase: string; number: number }>();
    const types = Object.keys(inputs).map((type) => `'${type}'`);
    const query = `WorkflowType IN (${types.join(', ')}) AND ExecutionStatus='Running' AND TaskQueue='${taskQueue}'`;
    let left = runsAtMost;
    for await (const run of client.workflow.list({ query })) {
      // Until a run has said where it stands, and where it cannot be read, it is somewhere all the same.
      const read = memo.safeParse(run.memo);
      const labels = read.success ? read.data : { stage: 'starting', phase: 'preflight' };
      const key = `${labels.stage} ${labels.phase}`;
      runs.set(key, { ...labels, number: (runs.get(key)?.number ?? 0) + 1 });
      left -= 1;
      if (left === 0) break;
    }
    for (const [key, labels] of told) if (!runs.has(key)) gauge.set(0, labels);
    for (const { number, ...labels } of runs.values()) gauge.set(number, labels);
    told = new Map([...runs].map(([key, { stage, phase }]) => [key, { stage, phase }]));
    known.set(Math.floor(Date.now() / 1000));
  };
  // Without an answer the time of the last count stays, and shows it.
  const turn = (): void => void count().catch(() => undefined);
  turn();
  const counting = setInterval(turn, countEveryMs).unref();
  return () => clearInterval(counting);
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
