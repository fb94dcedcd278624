import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import { steps } from '../../workflows/steps.ts';
import { timeOf } from '../event-time.ts';
import { started, type Measurement } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { median, percentile } from '../statistics.ts';
import { openCrowd, workflowIdOf } from '../stubbed/crowd.ts';
import { startStubbedWorker } from '../stubbed/process.ts';

/** Milliseconds in which, of a hundred approvals, ninety-nine are to be followed by the next activity's start. */
const within = 500;
/** Runs that wait at once: few, so that each is measured on a worker that is not busy. */
const batch = 20;
const taskQueue = 'bench-approval';
/** What comes behind the gate `go`. */
const nextStep = 'confirm';

export const approval: Measurement = {
  title: 'From an approval to the next step',
  async measure(place) {
    const { dir, quick, signal, report } = place;
    const cli = await findTemporalCli(report, { signal });
    const temporal = await started(place, 'Temporal', () => startTemporal({ dir, cli, ui: false, signal }));
    const worker = await started(place, 'the worker', () =>
      startStubbedWorker(place, { address: temporal.address, taskQueue, toldOf: [nextStep] }),
    );
    const crowd = await openCrowd(place, temporal.address, taskQueue);
    place.teardown.layer().add('the connection to Temporal', () => crowd.close());

    const total = quick ? 20 : 200;
    const byClient: number[] = [];
    const byServer: number[] = [];
    while (byClient.length < total) {
      report(`approving, one run after the other (${byClient.length} of ${total})`);
      await crowd.growTo(batch);
      for (const app of [...crowd.waiting]) {
        const began = worker.began(nextStep, app);
        const sent = await crowd.approve(app, 'go');
        byClient.push((await began) - sent);
        byServer.push(await serverTime(crowd.client, workflowIdOf(app), signal));
        await crowd.client.workflow.getHandle(workflowIdOf(app)).terminate('measured');
      }
    }
    return {
      figures: [
        ...figuresOf('by the clock of this machine', byClient),
        ...figuresOf("by the server's time stamps", byServer),
      ],
      notes: [
        'From the sending of the signal to the first line of the activity, by the clock that client and worker share; and ' +
          'from the time stamp of `WorkflowExecutionSignaled` to that of `ActivityTaskStarted`. One run after the other, on ' +
          `a worker with ${batch} runs at the gate at most; real workflow code, activities that do nothing.`,
      ],
    };
  },
};

function figuresOf(by: string, values: readonly number[]): Figure[] {
  const range: [number, number] = [Math.min(...values), Math.max(...values)];
  const of = values.length;
  const grows = 'with the hops: signal, workflow task, activity task';
  return [
    { what: `half of the approvals, ${by}`, value: median(values), unit: 'ms', of, range, grows },
    {
      what: `99 of 100 approvals, ${by}`,
      value: percentile(values, 0.99),
      unit: 'ms',
      of,
      atMost: within,
      grows,
    },
  ];
}

/**
 * Milliseconds between the time stamps of an approval and of the start of the activity behind it. The server writes the
 * latter down when the activity has ended.
 */
async function serverTime(client: Client, workflowId: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const signalled = events?.find((event) => event.workflowExecutionSignaledEventAttributes != null);
    const scheduled = events?.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === steps[nextStep].activity,
    );
    const begun = events?.find(
      ({ activityTaskStartedEventAttributes: of }) =>
        of != null && String(of.scheduledEventId) === String(scheduled?.eventId),
    );
    if (signalled != null && begun != null) return timeOf(begun) - timeOf(signalled);
    await delay(20, undefined, { signal });
  }
}
