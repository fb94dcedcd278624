import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { portAnswers } from '../../rehearsal/ports.ts';
import { startTemporal } from '../../rehearsal/temporal.ts';

const cli = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'temporal-server-'));
});
afterAll(() => rm(dir, { recursive: true }));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('two servers beside each other take workflows as soon as they are up, and leave nothing', async () => {
  const servers = await Promise.all([
    startTemporal({ dir: join(dir, 'a'), cli, ui: false }),
    startTemporal({ dir: join(dir, 'b'), cli }),
  ]);
  for (const { address } of servers) {
    const connection = await Connection.connect({ address });
    const client = new Client({ connection });
    const handle = await client.workflow.start('nobody', { taskQueue: 'nobody', workflowId: 'same-id' });
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await connection.close();
  }
  expect(servers[0].uiUrl).toBeUndefined();
  expect((await fetch(servers[1].uiUrl ?? '')).status).toBe(200);

  const before = Date.now();
  await Promise.all(servers.map((server) => server.stop()));
  expect(Date.now() - before).toBeLessThan(5_000);
  for (const { pid, address } of servers) {
    expect(isRunning(pid)).toBe(false);
    expect(await portAnswers(Number(address.split(':')[1]))).toBe(false);
  }
});

test('a run survives a restart of a server that keeps its state in a file', async () => {
  const dbFile = join(dir, 'temporal.db');
  for (const round of ['first', 'second']) {
    const server = await startTemporal({ dir: join(dir, round), cli, dbFile, ui: false });
    const connection = await Connection.connect({ address: server.address });
    const client = new Client({ connection });
    if (round === 'first') await client.workflow.start('nobody', { taskQueue: 'nobody', workflowId: 'kept' });
    expect((await client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
    await connection.close();
    await server.stop();
  }
});

test('a port that is taken is said to be', async () => {
  const server = await startTemporal({ dir: join(dir, 'holder'), cli, ui: false });
  const port = Number(server.address.split(':')[1]);
  const second = startTemporal({ dir: join(dir, 'late'), cli, port, ui: false });
  await expect(second).rejects.toThrow(/did not start .* ended with 1.*port/s);
  await server.stop();
});
