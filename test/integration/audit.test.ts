import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { AuditRecord } from '../../audit/record-schema.ts';
import { readFolder } from '../../audit/record-files.ts';
import { verifyRecord } from '../../audit/verify.ts';
import { createRecordWriter } from '../../worker/records.ts';
import { freePort } from '../../rehearsal/ports.ts';
import { behaviours, startOf } from '../replay/behaviours.ts';
import {
  approveGate,
  atGate,
  createHarness,
  freshApp,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from '../workflow/harness.ts';
import { createFakeWorld } from '../workflow/fake-activities.ts';
import { bare, runAudit } from './audit-commands.ts';

const address = process.env['RC_TEST_TEMPORAL_ADDRESS'] ?? '';
const cli = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';

let harness: Harness;
let dir: string;
/** A run that continued as new and completed. */
let continued: CutoverHandle;
/** A run that was terminated at the gate `rm-11`. */
let terminated: CutoverHandle;
/** A run that was refused in preflight. */
let failed: CutoverHandle;
/** What was recorded of the terminated one while it still waited there. */
let whileRunning: AuditRecord;

beforeAll(async () => {
  harness = await createHarness();
  dir = await mkdtemp(path.join(tmpdir(), 'cutover-audit-'));
  const behaviour = behaviours['continued-as-new'];
  if (behaviour === undefined) throw new Error('there is no such behaviour any more');
  const world = behaviour.world();
  await harness.withWorker(world, async (session) => {
    continued = await session.start({
      ...startOf('continued-as-new'),
      input: { app: freshApp('audit'), requestedBy: 'Rita' },
    });
    await Promise.all([behaviour.play(continued, session, world), continued.result()]);
  });
  await harness.withWorker(createFakeWorld(), async ({ start }) => {
    terminated = await start();
    await approveGate(terminated, 'go', 'Ada');
    await statusWhen(terminated, atGate('rm-11'));
    whileRunning = (await audited(terminated, 'running')).record;
    await terminated.terminate('the <b>wrong</b> night');
  });
  const refusing = createFakeWorld();
  refusing.behave('config-check', () => {
    throw ApplicationFailure.nonRetryable('DATABASE_URL is empty', 'DatabaseUrlEmpty');
  });
  await harness.withWorker(refusing, async ({ start }) => {
    failed = await start();
    await expect(failed.result()).rejects.toThrow();
  });
});
afterAll(async () => {
  await harness.close();
  await rm(dir, { recursive: true, force: true });
});

/** The record that the command writes of a run, checked by the other command. */
async function audited(handle: CutoverHandle, name: string): Promise<{ record: AuditRecord; out: string }> {
  const out = path.join(dir, name);
  expect(await runAudit('audit', [handle.workflowId, '--address', address, '--out', out])).toMatchObject({ code: 0 });
  expect(await runAudit('audit-verify', [out])).toMatchObject({ code: 0 });
  return { record: await recordIn(out), out };
}

async function recordIn(folder: string): Promise<AuditRecord> {
  return JSON.parse((await readFolder(folder))['record.json'] ?? '') as AuditRecord;
}

test('a run that continued as new is one record, from its first run to its last', async () => {
  const { record, out } = await audited(continued, 'continued');
  expect(record.runs).toHaveLength(5);
  expect(record.runs[0]?.run).toBe(continued.firstExecutionRunId);
  expect(record.summary).toMatchObject({ status: 'completed', result: 'completed', unsettled: [] });
  expect(record.summary.decisions.map(({ what }) => what)).toEqual(['approved', 'resolved', 'approved', 'approved']);
  const exported = JSON.parse(await readFile(path.join(out, 'history.json'), 'utf8')) as unknown[];
  expect(exported).toHaveLength(5);
  // From any of its runs, it is the same.
  const again = path.join(dir, 'from-the-third');
  const third = record.runs[2]?.run ?? '';
  expect(
    await runAudit('audit', [continued.workflowId, '--run-id', third, '--address', address, '--out', again]),
  ).toMatchObject({ code: 0 });
  expect((await recordIn(again)).head).toBe(record.head);
});

test('a run that goes on has a record up to now', () => {
  expect(whileRunning.summary).toMatchObject({ status: 'running', endedAt: null, requestedBy: { claimed: 'Rita' } });
  expect(whileRunning.summary.inPlace.map(({ step }) => step)).toEqual(['upgrade']);
});

test('a terminated run has one too, which goes on from that one', async () => {
  const { record, out } = await audited(terminated, 'terminated');
  expect(record.summary).toMatchObject({
    status: 'terminated',
    reason: 'the <b>wrong</b> night',
    endedBy: { identity: 'test-worker' },
    gates: [{ gate: 'go' }, { gate: 'rm-11' }],
    decisions: [{ what: 'approved', gate: 'go', who: { claimed: 'Ada', identity: 'test-worker' } }],
  });
  const common = whileRunning.entries.length;
  const bare = ({ seq, at, text, source }: AuditRecord['entries'][number]) => ({ seq, at, text, source });
  expect(record.entries.slice(0, common).map(bare)).toEqual(whileRunning.entries.map(bare));
  expect(await readFile(path.join(out, 'record.html'), 'utf8')).not.toContain('<b>');
});

test('a failed run has one, which says what refused it and that nothing was changed', async () => {
  const { record, out } = await audited(failed, 'failed');
  expect(record.summary).toMatchObject({
    status: 'failed',
    result: 'refused',
    reason: 'DatabaseUrlEmpty: DATABASE_URL is empty',
    changes: [],
    inPlace: [],
    unsettled: ['config-check'],
  });
  const text = await readFile(path.join(out, 'record.md'), 'utf8');
  expect(text).toMatch(/Result:\*\* refused \(failed in Temporal\): DatabaseUrlEmpty/);
  expect(text).toContain('Nothing: no step changed anything.');
});

describe('an exported history', () => {
  const exportedBy = (args: string[]): string =>
    execFileSync(cli, ['workflow', ...args, '--address', address], {
      encoding: 'utf8',
      env: { HOME: dir, PATH: '/usr/bin:/bin' },
    });

  test("as the CLI prints it makes the server's own record, with no server at hand", async () => {
    const file = path.join(dir, 'exported.json');
    await writeFile(file, exportedBy(['show', '--workflow-id', terminated.workflowId, '--output', 'json']));
    const out = path.join(dir, 'from-file');
    expect(await runAudit('audit', ['--history', file, '--out', out])).toMatchObject({ code: 0 });
    expect(await runAudit('audit-verify', [out])).toMatchObject({ code: 0 });
    const { record } = await audited(terminated, 'terminated');
    expect(bare(await recordIn(out))).toEqual(bare(record));
  });

  test('of a run that continued as new, a file for each run in any order, does so too', async () => {
    const { record } = await audited(continued, 'continued');
    const files = record.runs.map(({ run: runId }) => {
      const file = path.join(dir, `exported-${runId}.json`);
      const show = ['show', '--workflow-id', continued.workflowId, '--run-id', runId, '--output', 'json'];
      return [file, exportedBy(show)] as const;
    });
    for (const [file, text] of files) await writeFile(file, text);
    const out = path.join(dir, 'from-files');
    const given = files.toReversed().flatMap(([file]) => ['--history', file]);
    expect(await runAudit('audit', [...given, '--out', out])).toMatchObject({ code: 0 });
    expect(await runAudit('audit-verify', [out])).toMatchObject({ code: 0 });
    expect(bare(await recordIn(out))).toEqual(bare(record));
  });

  // With payloads as they are stored, and as values, as it shows them.
  test.each(['?noPayloadShorthand=true', ''])('as the Web UI fetches it (%s) does so too', async (query) => {
    const ui = `${process.env['RC_TEST_TEMPORAL_UI']}/api/v1/namespaces/default/workflows/${terminated.workflowId}/history`;
    const file = path.join(dir, 'downloaded.json');
    await writeFile(file, await (await fetch(`${ui}${query}`)).text());
    const out = path.join(dir, 'from-download');
    expect(await runAudit('audit', ['--history', file, '--out', out])).toMatchObject({ code: 0 });
    expect(await runAudit('audit-verify', [out])).toMatchObject({ code: 0 });
    const { record } = await audited(terminated, 'terminated');
    expect(bare(await recordIn(out))).toEqual(bare(record));
  });
});

describe('what goes wrong is a sentence', () => {
  test('an altered record, with the entry', async () => {
    const { record, out } = await audited(terminated, 'altered');
    const approved = record.summary.decisions[0]?.entry;
    const file = path.join(out, 'record.json');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('"claimed": "Ada"', '"claimed": "Eve"'));
    const { code, text } = await runAudit('audit-verify', [out]);
    expect(code).toBe(1);
    // The message that it answers comes before it, and is the first that says another name.
    expect(text).toContain(`entry ${(approved ?? 0) - 1}: the history says something else in who`);
  });

  test('a signature that is asked for and missing', async () => {
    const key = path.join(dir, 'id');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const { out } = await audited(terminated, 'unsigned');
    expect(await runAudit('audit-verify', [out, '--key', `${key}.pub`])).toMatchObject({
      code: 1,
      text: expect.stringContaining('it is not signed'),
    });
    expect(
      await runAudit('audit', [terminated.workflowId, '--address', address, '--out', out, '--sign', key]),
    ).toMatchObject({
      code: 0,
    });
    expect(await runAudit('audit-verify', [out, '--key', `${key}.pub`])).toMatchObject({
      code: 0,
      text: expect.stringContaining('signed by the owner'),
    });
  });

  test('a workflow that is not there, a server that is not there, and no arguments', async () => {
    expect(await runAudit('audit', ['cutover-nobody', '--address', address])).toMatchObject({
      code: 1,
      text: expect.stringContaining('The server has no workflow cutover-nobody'),
    });
    expect(await runAudit('audit', ['cutover-nobody', '--address', `127.0.0.1:${await freePort()}`])).toMatchObject({
      code: 1,
      text: expect.stringContaining('There is no Temporal server'),
    });
    expect(await runAudit('audit', [])).toMatchObject({
      code: 2,
      text: expect.stringContaining('Usage: npm run audit'),
    });
  });
});

describe("a worker's own folder", () => {
  test('gets the record of a run, again and again', async () => {
    const folder = await mkdtemp(path.join(dir, 'kept-'));
    const writer = createRecordWriter(folder, harness.client);
    const [first, second] = [
      await writer.write(continued.workflowId, continued.firstExecutionRunId),
      await writer.write(continued.workflowId, continued.firstExecutionRunId),
    ];
    expect(second).toEqual(first);
    expect(await readdir(path.join(folder, continued.workflowId))).toEqual([continued.firstExecutionRunId]);
    const { signature: _, ...files } = await readFolder(path.join(folder, first.folder));
    expect(verifyRecord(files)).toEqual([]);
    expect((await recordIn(path.join(folder, first.folder))).head).toBe(first.head);
  });

  test('that takes nothing is an error, not a part of a record', async () => {
    const file = path.join(dir, 'a-file');
    await writeFile(file, '');
    const writer = createRecordWriter(file, harness.client);
    await expect(writer.write(continued.workflowId, continued.firstExecutionRunId)).rejects.toThrow();
  });
});
