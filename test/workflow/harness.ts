import { randomUUID } from 'node:crypto';
import { Client, WorkflowNotFoundError, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { connect } from '../../rehearsal/connect.ts';
import { queryStatus } from '../../rehearsal/query-status.ts';
import { buildWorkflowBundle } from '../../worker/bundle.ts';
import { planGates, type SurveyedGate } from '../../workflows/facts.ts';
import type { WorkflowType } from '../../workflows/input.ts';
import type { productionCutover } from '../../workflows/index.ts';
import type { JournalEntry } from '../../workflows/state.ts';
import type { Status } from '../../workflows/view.ts';
import type { FakeWorld } from './fake-activities.ts';

export type CutoverHandle = WorkflowHandleWithFirstExecutionRunId<typeof productionCutover>;

export interface Harness {
  readonly client: Client;
  /**
   * Runs `test` beside a worker that has the fake world's activities, on a task queue of its own.
   *
   * @param more options of each worker that is started, besides: what production puts around activities, for one
   */
  withWorker<T>(world: FakeWorld, test: (session: Session) => Promise<T>, more?: () => MoreOptions): Promise<T>;
  close(): Promise<void>;
}

export interface Session {
  readonly taskQueue: string;
  /** Starts a run for an app that no other test uses. */
  start(options?: StartOptions): Promise<CutoverHandle>;
  /** Stops the worker, runs `meanwhile`, and starts another one on the same queue. */
  withoutWorker<T>(meanwhile: () => Promise<T>): Promise<T>;
}

type MoreOptions = Pick<WorkerOptions, 'interceptors' | 'dataConverter'>;

interface StartOptions {
  /** The cutover, unless said. */
  readonly type?: WorkflowType;
  readonly input?: unknown;
  readonly carried?: unknown;
  readonly workflowId?: string;
  readonly options?: Record<string, unknown>;
}

/** Stands in every event of the history: the default would be this machine's name. */
const identity = 'test-worker';
const say = (): void => undefined;
const silent = { log: say, trace: say, debug: say, info: say, warn: say, error: say };
let isQuiet = false;

/** Not before somebody connects: a runtime that never had a connection keeps the process from ending [ran: 1.24.0]. */
export function quietRuntime(): void {
  if (isQuiet) return;
  Runtime.install({ logger: silent, telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
  isQuiet = true;
}

let bundle: Promise<NonNullable<WorkerOptions['workflowBundle']>> | undefined;

export async function createHarness(address = process.env['RC_TEST_TEMPORAL_ADDRESS'] ?? ''): Promise<Harness> {
  quietRuntime();
  const { connection, close } = await connect(address);
  const native = await NativeConnection.connect({ address });
  const client = new Client({ connection, identity });

  return {
    client,
    async withWorker(world, test, more = () => ({})) {
      const taskQueue = `test-${randomUUID()}`;
      let running = await runWorker(native, taskQueue, world, more());
      try {
        return await test({
          taskQueue,
          start: (options) => start(client, taskQueue, options),
          async withoutWorker(meanwhile) {
            await running.stop();
            const result = await meanwhile();
            running = await runWorker(native, taskQueue, world, more());
            return result;
          },
        });
      } finally {
        await running.stop();
      }
    },
    async close() {
      await native.close();
      await close();
    },
  };
}

/** An app's name that no other run has; it tells what the run is for. */
export function freshApp(purpose = 'app'): string {
  return `${purpose.slice(0, 21)}-${randomUUID().slice(0, 8)}`;
}

function start(
  client: Client,
  taskQueue: string,
  { type = 'productionCutover', input, carried, workflowId, options }: StartOptions = {},
): Promise<CutoverHandle> {
  const chosen = input ?? { app: freshApp(), requestedBy: 'Rita' };
  return client.workflow.start(type, {
    taskQueue,
    workflowId: workflowId ?? `cutover-${(chosen as { app?: string }).app}`,
    args: carried === undefined ? [chosen] : [chosen, carried],
    ...options,
  }) as Promise<CutoverHandle>;
}

async function runWorker(
  connection: NativeConnection,
  taskQueue: string,
  world: FakeWorld,
  more: MoreOptions,
): Promise<{ stop: () => Promise<void> }> {
  bundle ??= workflowBundle();
  const worker = await Worker.create({
    connection,
    taskQueue,
    identity,
    workflowBundle: await bundle,
    activities: world.activities,
    ...more,
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '100ms',
    defaultHeartbeatThrottleInterval: '100ms',
  });
  const ended = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await ended;
    },
  };
}

/** The test run bundles once for all its files; outside of one, this process does. */
function workflowBundle(): Promise<NonNullable<WorkerOptions['workflowBundle']>> {
  const codePath = process.env['RC_TEST_WORKFLOW_BUNDLE'];
  return codePath === undefined ? buildWorkflowBundle(silent) : Promise.resolve({ codePath });
}

/** Milliseconds between two looks at a run: soon at first, and less often while many runs share the machine. */
const looks = { first: 40, last: 400, slower: 1.25 };

/**
 * The status of a run once it satisfies a condition.
 *
 * @throws when the run ends, or more than a minute passes, without it
 */
export async function statusWhen(handle: CutoverHandle, condition: (status: Status) => boolean): Promise<Status> {
  const deadline = Date.now() + 100_000;
  for (let pause = looks.first; ; pause = Math.min(looks.last, pause * looks.slower)) {
    const status = await queryStatus(handle);
    if (condition(status)) return status;
    if (status.outcome !== null || Date.now() > deadline) {
      throw new Error(
        `never came to that: ${JSON.stringify([status.stage, status.outcome, status.waitingFor, status.refusedMessages.at(-1)])}; ` +
          status.journal.map((entry) => entry.text).join('; '),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

export const atGate =
  (gate: string) =>
  ({ stage, waitingFor }: Status): boolean =>
    stage === 'waiting' && (waitingFor?.signal === 'launch' ? 'launch' : waitingFor?.message['gate']) === gate;
export const isParked = (status: Status): boolean => status.stage === 'parked' || status.stage === 'seal-parked';

/** Approves a gate as soon as it is open, by the message that the status shows, and answers the status it was approved on. */
export async function approveGate(handle: CutoverHandle, gate: string, by = 'Ada', more = {}): Promise<Status> {
  const status = await statusWhen(handle, atGate(gate));
  await handle.signal(status.waitingFor?.signal ?? 'approve', { ...status.waitingFor?.message, by, ...more });
  return status;
}

/** Approves each gate of the cutover as it opens, until the run has ended, and answers how it did. */
export const approveAll = (handle: CutoverHandle): Promise<Status> => approveGates(handle, planGates);

/** Approves each of some gates as it opens, until the run has ended. */
export async function approveGates(handle: CutoverHandle, gates: readonly SurveyedGate[]): Promise<Status> {
  const people = (async () => {
    for (const gate of gates) {
      const status = await statusWhen(handle, (seen) => seen.outcome !== null || atGate(gate)(seen));
      if (status.outcome !== null) return;
      await approveGate(handle, gate);
    }
  })().catch((error: unknown) => {
    // It may end, cancelled say, between the look and the message.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
  const result = handle.result();
  return Promise.race([result, people.then(() => result)]);
}

/** Decides about what is parked as soon as something is, and answers the status it was decided on. */
export async function resolveParked(
  handle: CutoverHandle,
  action: 'retry' | 'abort' | 'undo-rm-11' | 'kill-switch',
  by = 'Ada',
): Promise<Status> {
  const status = await statusWhen(handle, isParked);
  await handle.signal('resolve', { ...status.waitingFor?.message, by, action, reason: `${action}, says the test` });
  return status;
}

/** The places of a journal where an entry is missing, doubled or out of order: none in a good one. */
export function breaksIn(journal: readonly JournalEntry[]): number[] {
  return journal.map((entry) => entry.seq).filter((seq, index) => seq !== index + 1);
}

/** Answers whatever the run asks, by the message that it shows, until it has ended; tells what was asked. */
export async function answerAll(
  handle: CutoverHandle,
  { by = 'Ada', reason = 'says the test' } = {},
): Promise<NonNullable<Status['waitingFor']>[]> {
  const asked: NonNullable<Status['waitingFor']>[] = [];
  const isNew = ({ outcome, waitingFor }: Status): boolean =>
    outcome !== null || (waitingFor !== null && questionOf(waitingFor) !== questionOf(asked.at(-1)));
  for (;;) {
    const { outcome, waitingFor } = await statusWhen(handle, isNew);
    if (outcome !== null || waitingFor === null) return asked;
    asked.push(waitingFor);
    const { signal, message } = waitingFor;
    await handle.signal(signal, { ...message, by, ...('reason' in message ? { reason } : {}) });
  }
}

const questionOf = (asked: Status['waitingFor'] | undefined): string => JSON.stringify([asked?.message, asked?.round]);
