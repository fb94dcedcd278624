import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { currentScope } from '../../activities/scope.ts';
import { EncryptionCodec } from '../../worker/codec/encryption.ts';
import { createGuard } from '../../worker/guard.ts';
import { KnownSecrets } from '../../worker/known-secrets.ts';
import { findLeaks, textOf } from '../../drill/leaks.ts';
import { createFakeWorld, type Behaviour, type FakeWorld } from './fake-activities.ts';
import {
  approveGate,
  createHarness,
  isParked,
  resolveParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { sampleEvidence } from './sample-evidence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

/** Has what encodings differ in. */
const secret = `p"ss/w\\rd+?>${randomBytes(12).toString('hex')}&%`;
const token = randomBytes(16).toString('hex');

/** The worker's own guard, around activities that leak on purpose. */
function guarded() {
  return createGuard(new KnownSecrets([token]), undefined, () => undefined);
}

/** All that the server keeps of a run. */
async function storedOf(handle: CutoverHandle): Promise<string> {
  return textOf([await handle.fetchHistory(), (await handle.describe()).raw]);
}

function expectNone(text: string): void {
  expect(text).not.toBe('');
  expect(findLeaks([{ name: 'it', text }], [secret, token])).toEqual([]);
}

/** The step in which the leak is planted: after the first write, so that the run parks instead of ending. */
const step = 'restart';

function leakOnce(world: FakeWorld, leak: Behaviour): void {
  let leaked = false;
  world.behave(step, async (call) => {
    currentScope().secrets.add(secret);
    if (leaked) return;
    leaked = true;
    await leak(call);
  });
}

const forms: Record<string, string> = {
  plain: secret,
  'URL-encoded': encodeURIComponent(secret),
  'in a URL': `postgres://u:${encodeURIComponent(secret)}@h/d`,
  JSON: JSON.stringify({ secret }),
  Base64: Buffer.from(`x${secret}`).toString('base64'),
};
const everyForm = Object.values(forms).join('\n');

const failing =
  (make: () => Error): Behaviour =>
  () => {
    throw make();
  };
const final = { type: 'SmokeFailed', nonRetryable: true };
const inFailures: Record<string, Behaviour> = {
  'the message': failing(() => ApplicationFailure.create({ ...final, message: `it said ${everyForm}` })),
  'the details': failing(() =>
    ApplicationFailure.create({ ...final, message: 'failed', details: [{ ...forms, [secret]: [everyForm, token] }] }),
  ),
  'the stack': failing(() => {
    const failure = ApplicationFailure.create({ ...final, message: 'failed' });
    failure.stack = `SmokeFailed: failed\n    at ${everyForm}`;
    return failure;
  }),
  'the causes': failing(() => {
    const root = Object.assign(new Error(everyForm), { name: secret });
    return ApplicationFailure.create({ ...final, message: 'failed', cause: new Error(token, { cause: root }) });
  }),
  'a token that only the process knows': failing(() => ApplicationFailure.create({ ...final, message: token })),
};

test.concurrent.each(Object.entries(inFailures))(
  'a leak in %s of a failure is stopped; the worker lives, and the run moves',
  async (_, leak) => {
    const world = createFakeWorld();
    leakOnce(world, leak);
    await harness.withWorker(
      world,
      async ({ start }) => {
        const handle = await start();
        await approveGate(handle, 'go');
        const parked = await resolveParked(handle, 'retry');
        expect(JSON.stringify(parked)).toContain('SmokeFailed');
        expectNone(JSON.stringify(parked));
        await approveGate(handle, 'rm-11');
        await approveGate(handle, 'launch');
        expect((await handle.result()).outcome).toMatchObject({ result: 'completed' });
        expectNone(await storedOf(handle));
      },
      () => guarded().options,
    );
  },
);

test.concurrent.each(Object.entries(forms))(
  'a leak in a result, %s, is withheld, and the run moves once it is mended',
  async (_, form) => {
    const world = createFakeWorld();
    leakOnce(world, () => undefined);
    const { restartDynos } = world.activities;
    let leaks = 1;
    const planted = {
      ...world,
      activities: {
        ...world.activities,
        restartDynos: async (...args: Parameters<typeof restartDynos>) => {
          const result = await restartDynos(...args);
          const dynos = [{ name: `web.1 as ${form}`, state: 'up', since: '2026-05-15T00:00:00Z' }];
          return leaks-- > 0 ? { ...result, evidence: { ...result.evidence, dynos } } : result;
        },
      },
    } as FakeWorld;
    await harness.withWorker(
      planted,
      async ({ start }) => {
        const handle = await start();
        await approveGate(handle, 'go');
        const parked = await resolveParked(handle, 'retry');
        expect(JSON.stringify(parked.items)).toMatch(/SecretLeak.*result\.evidence\.dynos/);
        await approveGate(handle, 'rm-11');
        await approveGate(handle, 'launch');
        expect((await handle.result()).outcome).toMatchObject({ result: 'completed' });
        expectNone(await storedOf(handle));
      },
      () => guarded().options,
    );
  },
);

test('a leak in a heartbeat is redacted while the activity runs on', async () => {
  const world = createFakeWorld();
  let look = (): void => undefined;
  const looked = new Promise<void>((resolve) => (look = resolve));
  leakOnce(world, async () => {
    Context.current().heartbeat({ said: everyForm, token, [secret]: 'beat' });
    await looked;
  });
  await harness.withWorker(
    world,
    async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      let seen = '';
      for (const deadline = Date.now() + 60_000; !seen.includes('beat') && Date.now() < deadline;) {
        const { raw } = await handle.describe();
        const [payload] = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
        seen = Buffer.from(payload?.data ?? []).toString();
      }
      look();
      expect(JSON.parse(seen)).toMatchObject({ token: '[redacted]', '[redacted]': 'beat' });
      expectNone(seen);
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
      expect((await handle.result()).outcome).toMatchObject({ result: 'completed' });
      expectNone(await storedOf(handle));
    },
    () => guarded().options,
  );
});

test('what gets past the boundary is replaced by the last net and counted: results, memo, answers to queries', async () => {
  const world = createFakeWorld({ evidence: { smoke: { ...sampleEvidence.smoke, conclusion: `as ${token}` } } });
  world.behave(
    step,
    failing(() => ApplicationFailure.create({ ...final, message: 'failed' })),
  );
  const guard = guarded();
  await harness.withWorker(
    world,
    async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      const { waitingFor } = await statusWhen(handle, isParked);
      world.behave(step, () => undefined);
      // The message itself stands in the history as its sender sent it; the run must not spread it.
      const mended = { ...waitingFor?.message, action: 'retry', reason: 'mended' };
      await handle.signal('resolve', { ...mended, by: 'Ada', reason: `mended with ${token}` });
      await handle.signal('resolve', { ...mended, by: 'Ada', step: `no ${token}` });
      const { refusedMessages } = await statusWhen(handle, (status) => status.refusedMessages.length > 1);
      expect(refusedMessages.map((refused) => refused.why)).toEqual([
        expect.stringContaining('its reason holds a long random text'),
        expect.stringContaining('no [redacted]'),
      ]);
      await resolveParked(handle, 'retry');
      const open = await approveGate(handle, 'rm-11');
      expect(JSON.stringify(open)).toContain('as [redacted]');
      expectNone(JSON.stringify(open));
      await approveGate(handle, 'launch');
      expect((await handle.result()).outcome).toMatchObject({ result: 'completed' });
      const { memo } = await handle.describe();
      expectNone(JSON.stringify(memo));
      const { events } = await handle.fetchHistory();
      const spread = events?.filter((event) => !event.workflowExecutionSignaledEventAttributes);
      expectNone(textOf(spread));
      expect(guard.secretsReplaced()).toBeGreaterThan(1);
    },
    () => guard.options,
  );
});

describe('encrypted payloads', () => {
  const key = (id: string) => ({ id, bytes: randomBytes(32) });
  const [old, next, foreign] = [key('old'), key('new'), key('foreign')];
  const clientWith = (...keys: (typeof old)[]): Client =>
    new Client({
      connection: harness.client.connection,
      dataConverter: { payloadCodecs: [new EncryptionCodec(keys, 'client')] },
    });

  test('through a rotation: nothing is lost, and a worker without the key waits for one that has it', async () => {
    let keys = [old];
    const more = () => ({ dataConverter: { payloadCodecs: [new EncryptionCodec(keys, 'worker')] } });
    const world = createFakeWorld();
    await harness.withWorker(
      world,
      async ({ start, withoutWorker }) => {
        const { workflowId } = await start();
        const reading = (client: Client): CutoverHandle => client.workflow.getHandle(workflowId) as CutoverHandle;
        const handle = reading(clientWith(old, next));
        await statusWhen(handle, (status) => status.stage === 'waiting');

        // Sent with a key that no worker has: refused as unreadable, and the run goes on.
        await reading(clientWith(foreign)).signal('approve', { gate: 'go', by: 'Mallory' });
        await statusWhen(handle, (status) => JSON.stringify(status.journal).includes('not as expected'));

        keys = [next];
        await withoutWorker(() => Promise.resolve());
        // The worker that lacks the old key can do nothing, and breaks nothing.
        const failed = async (): Promise<string> => textOf((await handle.fetchHistory()).events);
        await handle.signal('approve', { gate: 'go', by: 'Ada', plan: 'a1'.repeat(32) });
        const deadline = Date.now() + 60_000;
        while (!(await failed()).includes('the key old') && Date.now() < deadline);
        expect((await handle.describe()).status.name).toBe('RUNNING');
        expect(world.performed).not.toContain('upgrade');

        keys = [next, old];
        await withoutWorker(() => Promise.resolve());
        await approveGate(handle, 'rm-11');
        await approveGate(handle, 'launch');
        expect((await handle.result()).outcome).toMatchObject({ result: 'completed' });
        const stored = await storedOf(handle);
        const holds = (text: string): boolean => stored.includes(text);
        expect(['old', 'new'].filter((id) => holds(`encryption-key-id\n${id}`))).toEqual(['old', 'new']);
        // Evidence, memo and the summaries of activities; what a client sent in clear is there, as it was sent.
        expect(['sample-db', 'Read the target file', 'waitingFor\n'].filter(holds)).toEqual(['waitingFor\n']);
        await expect(reading(clientWith(foreign)).query('status')).rejects.toThrow(/the key new/);
      },
      more,
    );
  });
});
