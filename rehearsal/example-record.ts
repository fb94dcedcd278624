// `npm run audit:example`: rehearses a whole cutover and writes its record to docs/examples/, as `npm run audit` would.
import { fileURLToPath } from 'node:url';
import { fetchRuns } from '../audit/fetch-history.ts';
import { inOrder, readHistories } from '../audit/history.ts';
import { recordOf, writeFolder } from '../audit/record-files.ts';
import type { productionCutover } from '../workflows/index.ts';
import { anonymous, expectAnonymous } from './anonymous.ts';
import { raptor } from './apps.ts';
import { createPeople } from './people.ts';
import { rehearse } from './start/rehearse.ts';
import { taskQueue, type Rehearsal } from './start/set-up.ts';
import { createTerminal } from './start/terminal.ts';
import { watch } from './start/watch.ts';

const folder = fileURLToPath(new URL('../docs/examples/record', import.meta.url));

async function writeExample({ client, platform, alive }: Rehearsal): Promise<void> {
  const workflowId = `cutover-${raptor.herokuApp}`;
  const handle = await client.workflow.start<typeof productionCutover>('productionCutover', {
    taskQueue,
    workflowId,
    args: [{ app: raptor.herokuApp, requestedBy: 'Rehearsal Operator' }],
  });
  const people = createPeople(handle, platform, raptor);
  for await (const status of watch(handle, alive)) await people.answer(status);
  await handle.result();
  const runs = await fetchRuns(client, workflowId);
  const exported = JSON.stringify(anonymous(runs.map(({ events }) => ({ events }))));
  const { files } = recordOf(inOrder(readHistories(exported, 'the history of the rehearsal')));
  Object.values(files).forEach(expectAnonymous);
  await writeFolder(folder, files);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
const terminal = createTerminal(process.stdout);
let written: Promise<void> = Promise.reject(new Error('the rehearsal did not come up'));
written.catch(() => undefined);
await rehearse({
  ...{ terminal, signal: stop.signal, hold: false, idle: true },
  onUp: (rehearsal) => {
    written = writeExample(rehearsal).finally(() => stop.abort());
    written.catch(() => undefined);
  },
});
terminal.close();
await written;
process.stdout.write(`The record stands in ${folder}\n`);
process.exit();
