import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { searchNames } from '../../workflows/search.ts';
import { createRig, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { eventually } from './heroku-client.ts';
import { withoutPullRequest } from './run-control.ts';
import { atGate, watch } from './steering.ts';

// A namespace that has the search attributes, and the one of all other tests, which has none.

const namespace = `search-${randomUUID().slice(0, 8)}`;
const { INDEXED_VALUE_TYPE_KEYWORD } = temporal.api.enums.v1.IndexedValueType;

let rig: Rig;
let app: RehearsedApp;
let client: Client;
beforeAll(async () => {
  rig = await createRig();
  app = await rig.add(raptor, { target: withoutPullRequest });
  const { connection } = rig.client;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: temporalDays(1),
  });
  client = new Client({ connection, namespace });
  const searchAttributes = Object.fromEntries(searchNames.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD]));
  // A namespace is there for everybody only after a while.
  const added = () =>
    (connection as typeof connection & OperatorConnection).operatorService
      .addSearchAttributes({ namespace, searchAttributes })
      .then(() => true)
      .catch(() => false);
  await eventually(added, Boolean, 60_000);
  await eventually(
    () => client.workflow.count().catch(() => undefined),
    (seen) => seen !== undefined,
    60_000,
  );
});
afterAll(() => rig?.close());

interface OperatorConnection {
  readonly operatorService: {
    addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
  };
}
const temporalDays = (days: number) => ({ seconds: days * 86_400 }) as never;

async function foundBy(query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

test('where the namespace has them, runs are found by target, by phase and by what they wait for', async () => {
  rig.startWorker({ env: { TEMPORAL_NAMESPACE: namespace } });
  const workflowId = `cutover-${app.herokuApp}`;
  const handle = (await client.workflow.start('productionCutover', {
    taskQueue: rig.workerEnv['CUTOVER_TASK_QUEUE'] ?? '',
    workflowId,
    args: [{ app: app.herokuApp, requestedBy: 'Rita' }],
  })) as unknown as CutoverHandle;
  await watch(handle, atGate('go'));
  const wanted = `CutoverTarget = '${app.herokuApp}' AND CutoverPhase = 'preflight' AND CutoverWaitingFor = 'approve go'`;
  await eventually(
    () => foundBy(wanted),
    (ids) => ids.includes(workflowId),
    30_000,
  );
  await handle.cancel();
  await handle.result();
  const over = `CutoverTarget = '${app.herokuApp}' AND CutoverPhase = 'end' AND CutoverWaitingFor = 'nothing'`;
  await eventually(
    () => foundBy(over),
    (ids) => ids.includes(workflowId),
    30_000,
  );
  // Set where they change, and not with each entry of the journal.
  const { events } = await handle.fetchHistory();
  const upserts = events?.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes != null) ?? [];
  expect(upserts.length).toBe(3);
});

test('where it does not, nothing is set, and nothing breaks', async () => {
  rig.startWorker();
  const handle = await rig.start(app, { mode: 'plan' });
  expect((await handle.result()).outcome).toMatchObject({ result: 'planned' });
  const { events } = await handle.fetchHistory();
  expect(events?.some((event) => event.upsertWorkflowSearchAttributesEventAttributes != null)).toBe(false);
});
