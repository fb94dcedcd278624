import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { z } from 'zod';
import { connect } from '../../rehearsal/connect.ts';
import { sampleDigest } from '../../test/workflow/sample-evidence.ts';
import type { PlanGate } from '../../workflows/facts.ts';
import type { Place } from '../measurement.ts';

/** Requests of this process that are under way at once. */
const abreast = 40;
/** Milliseconds between two counts. */
const countEveryMs = 500;
const memo = z.object({ stage: z.string(), phase: z.string() });

/** Many runs on one task queue, and the people who answer them. */
export interface Crowd {
  readonly client: Client;
  /** Starts runs until there are that many, and resolves when each waits at the gate `go` that has not been approved. */
  growTo(size: number): Promise<void>;
  /** The apps whose run waits at `go`, in the order in which they were started. */
  readonly waiting: readonly string[];
  /** Approves the gate of an app's run; answers when the signal was sent, in milliseconds since 1970. */
  approve(app: string, gate: PlanGate): Promise<number>;
  /** Approves `go` for all that wait there. */
  approveAll(): Promise<void>;
  close(): Promise<void>;
}

export const workflowIdOf = (app: string): string => `cutover-${app}`;

export async function openCrowd(place: Pick<Place, 'signal'>, address: string, taskQueue: string): Promise<Crowd> {
  const { connection, close } = await connect(address);
  const client = new Client({ connection });
  const { signal } = place;
  let waiting: string[] = [];
  let started = 0;

  const approve = async (app: string, gate: PlanGate): Promise<number> => {
    const at = Date.now();
    const message = { gate, by: 'Ada', plan: sampleDigest[gate] };
    await client.workflow.getHandle(workflowIdOf(app)).signal('approve', message);
    if (gate === 'go') waiting = waiting.filter((one) => one !== app);
    return at;
  };
  const countWaiting = async (): Promise<number> => {
    let count = 0;
    const query = `TaskQueue='${taskQueue}' AND ExecutionStatus='Running'`;
    for await (const run of client.workflow.list({ query, pageSize: 1_000 })) {
      const read = memo.safeParse(run.memo);
      if (read.success && read.data.stage === 'waiting' && read.data.phase === 'preflight') count += 1;
    }
    return count;
  };
  return {
    client,
    get waiting() {
      return waiting;
    },
    async growTo(size) {
      const apps = Array.from(
        { length: size - waiting.length },
        () => `app-${String((started += 1)).padStart(6, '0')}`,
      );
      await forEach(apps, signal, async (app) => {
        await client.workflow.start('productionCutover', {
          taskQueue,
          workflowId: workflowIdOf(app),
          args: [{ app, requestedBy: 'Rita' }],
        });
      });
      waiting = [...waiting, ...apps];
      while ((await countWaiting()) < waiting.length) await delay(countEveryMs, undefined, { signal });
    },
    approve,
    approveAll: () => forEach([...waiting], signal, async (app) => void (await approve(app, 'go'))),
    close,
  };
}

/** Does something for each, a number of them at once. */
async function forEach<T>(all: readonly T[], signal: AbortSignal, work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const take = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      signal.throwIfAborted();
      await work(one);
    }
  };
  await Promise.all(Array.from({ length: abreast }, take));
}
