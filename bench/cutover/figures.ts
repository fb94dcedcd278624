import type { Comparison, Figure } from '../results.ts';
import { median } from '../statistics.ts';
import type { Rounds } from './index.ts';
import type { StepTime } from './step-time.ts';

/** What a whole cutover may take, measured by the other two ways. */
const targets = { ofScript: 1.25, ofHand: 0.5 };

export function figuresOf(
  { runbook, script, byHand }: Rounds,
  clean: { readonly events: number; readonly kib: number },
): Figure[] {
  const [a, b, c] = [runbook, script, byHand].map((rounds) => rounds.map(({ ms }) => ms / 1000)) as [
    number[],
    number[],
    number[],
  ];
  const time = (what: string, values: readonly number[], grows: string): Figure => ({
    what,
    value: median(values),
    unit: 's',
    of: values.length,
    range: [Math.min(...values), Math.max(...values)],
    grows,
  });
  return [
    {
      what: 'a cutover by the runbook ÷ by its activities without an engine',
      value: median(a) / median(b),
      unit: '×',
      atMost: targets.ofScript,
      grows: 'with the steps, and less the longer they take by themselves',
    },
    {
      what: 'a cutover by the runbook ÷ by the official Heroku CLI',
      value: median(a) / median(c),
      unit: '×',
      atMost: targets.ofHand,
      grows: 'with what both wait for on the platform: on Heroku it is longer, and this nearer to 1',
    },
    time('by the runbook', a, 'with the steps'),
    time('by its activities without an engine', b, 'with the steps'),
    time('by the official Heroku CLI', c, 'with the commands'),
    {
      what: 'history of a whole cutover, launch included',
      value: median(runbook.map(({ cost }) => cost.events)),
      unit: 'events',
      atMost: clean.events,
      grows: 'with the steps',
    },
    {
      what: 'history of a whole cutover, launch included',
      value: median(runbook.map(({ cost }) => cost.bytes / 1024)),
      unit: 'KiB',
      atMost: clean.kib,
      grows: 'with the steps and their evidence',
    },
    {
      what: 'requests of a whole cutover to Heroku',
      value: median(runbook.map(({ requests }) => requests)),
      unit: 'requests',
      grows: 'with the steps, and with how long the platform takes: what is waited for is looked at twice a second',
    },
  ];
}

/** Where the time went: step by step, and what of it is the engine's. */
export function comparisonsOf({ runbook, script, byHand }: Rounds): Comparison[] {
  const middle = (values: readonly number[]): string => median(values).toFixed(0);
  const share = (of: (one: Rounds['runbook'][number]['shares']) => number): string =>
    middle(runbook.map(({ shares }) => of(shares)));
  const steps = script[0]?.steps.map(({ step }) => step) ?? [];
  const of = (times: readonly StepTime[], step: string): number => times.find((one) => one.step === step)?.ms ?? NaN;
  return [
    {
      title: 'The time of the runbook, by the server',
      columns: ['where it went', 'ms'],
      rows: [
        ['activities at work', share(({ activities }) => activities)],
        ['activities that wait for the worker', share(({ activityWaits }) => activityWaits)],
        ['workflow tasks that wait for the worker', share(({ workflowWaits }) => workflowWaits)],
        ['workflow tasks at work', share(({ workflowTasks }) => workflowTasks)],
        ['approvals on their way, and the rest', share(({ rest }) => rest)],
        ['all of it', share(({ total }) => total)],
      ],
    },
    {
      title: 'Each step, at work',
      columns: ['step', 'in the runbook, ms', 'without an engine, ms'],
      rows: steps.map((step) => [
        `\`${step}\``,
        middle(runbook.map(({ shares }) => of(shares.steps, step))),
        middle(script.map((one) => of(one.steps, step))),
      ]),
    },
    {
      title: 'The procedure by hand',
      columns: ['command', 'ms'],
      rows: (byHand[0]?.steps ?? []).map(({ step }) => [
        `\`${step}\``,
        middle(byHand.map((one) => of(one.steps, step))),
      ]),
    },
  ];
}
