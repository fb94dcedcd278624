// Records the histories that replay.test.ts replays: `node --import tsx test/replay/record.ts`. What is recorded once is
// never recorded over: it is what runs in the field have in their histories. A new release records into a folder anew.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { anonymous, expectAnonymous } from '../../rehearsal/anonymous.ts';
import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { createHarness, type Harness } from '../workflow/harness.ts';
import type { Behaviour } from './behaviour.ts';
import { behaviours, startOf } from './behaviours.ts';

const folder = fileURLToPath(new URL(`../histories/${packageJson.version}`, import.meta.url));

/** Plays a behaviour, and answers the history of each run of its chain, one event a line. */
async function record(harness: Harness, name: string, { world: createWorld, play }: Behaviour): Promise<string[]> {
  const world = createWorld();
  return harness.withWorker(world, async (session) => {
    const handle = await session.start(startOf(name));
    await Promise.all([play(handle, session, world), handle.result().catch(() => undefined)]);
    const chain: string[] = [];
    for (let runId: string | null | undefined = handle.firstExecutionRunId; runId != null;) {
      const history = await harness.client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
      const { events } = anonymous(JSON.parse(historyToJSON(history))) as { events: unknown[] };
      chain.push(`{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`);
      runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    }
    return chain;
  });
}

async function recordMissing(harness: Harness): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, behaviour] of Object.entries(behaviours)) {
    if (existsSync(join(folder, `${name}.1.json`))) {
      log(`${name}: kept`);
      continue;
    }
    const chain = await record(harness, name, behaviour);
    chain.forEach(expectAnonymous);
    await Promise.all(chain.map((text, index) => writeFile(join(folder, `${name}.${index + 1}.json`), text)));
    log(`${name}: recorded ${chain.length} run(s)`);
  }
}

const log = (line: string): void => console.error(line);
const dir = await mkdtemp(join(tmpdir(), 'cutover-record-'));
const temporal = await startTemporal({ dir, cli: await findTemporalCli(log) });
try {
  const harness = await createHarness(temporal.address);
  await recordMissing(harness).finally(() => harness.close());
} finally {
  await temporal.stop();
  await rm(dir, { recursive: true, force: true });
}
