import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { rotationStepIds } from '../../workflows/rotation-sequence.ts';
import type { Status } from '../../workflows/view.ts';
import {
  approveAll,
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  freshApp,
  isParked,
  resolveParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { barrier, createFakeWorld, finalFailure } from './fake-activities.ts';
import { sampleRotation } from './sample-evidence.ts';
import { createFullWorld, inputFor, startOf, stepsBack, stepsInOrder } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const rotate = { by: 'Rita', credential: 'owner', reason: 'it is May' };

describe('a run of its own', () => {
  test.each(['owner', 'role'] as const)(
    'for the %s: it performs its steps behind its gate, and tells the steps which',
    async (credential) => {
      const world = createFakeWorld();
      await harness.withWorker(world, async ({ start }) => {
        const handle = await start({
          type: 'rotateCredential',
          input: { app: freshApp(), requestedBy: 'Rita', credential },
        });
        const asked = await approveGate(handle, 'rotate');
        expect(asked.waitingFor).toMatchObject({ message: { gate: 'rotate' }, from: expect.arrayContaining(['Ada']) });
        expect(asked.killSwitch).toBeNull();
        const status = await handle.result();
        expect(status).toMatchObject({ procedure: 'rotation', outcome: { result: 'rotated', by: 'Rita' } });
        expect(world.performed).toEqual(rotationStepIds);
        const call = world.calls.find(({ step }) => step === 'rotate-credential');
        expect(call?.rotation).toMatchObject({
          credential,
          facts: sampleRotation.facts,
          planDigest: sampleRotation.digest,
        });
        expect(world.calls.find(({ step }) => step === 'smoke-rotated')).toMatchObject({ asRole: true });
        expect(world.calls.find(({ step }) => step === 'restart-rotated')).toMatchObject({
          freshDynos: true,
          since: 1_778_803_200_000,
        });
        expect(breaksIn(status.journal)).toEqual([]);
      });
    },
  );

  test('what its gate asks stands on its page', async () => {
    await harness.withWorker(createFakeWorld(), async ({ start }) => {
      const handle = await start(startOf('rotation', freshApp()));
      await statusWhen(handle, atGate('rotate'));
      const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
      expect(currentDetails).toContain('the password of the role \\(credential sample\\_role\\) of sample\\-db');
      expect(currentDetails).toContain(
        'SAMPLE\\_ROLE\\_DATABASE\\_URL of sample\\-app, REPORTS\\_URL of sample\\-reports',
      );
      expect(currentDetails).not.toContain('Kill switch');
      await handle.cancel();
      await handle.result();
    });
  });

  test('behind the act a failure parks, with two choices; neither way back leads from there', async () => {
    const world = createFakeWorld();
    world.behave('smoke-rotated', (call) => {
      if (call.attempt === 1) throw finalFailure('SmokeFailed');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start(startOf('rotation', freshApp()));
      await approveGate(handle, 'rotate');
      const parked = await statusWhen(handle, isParked);
      expect(parked.waitingFor).toMatchObject({ choices: ['retry', 'abort'], message: { step: 'smoke-rotated' } });
      await handle.signal('killSwitch', { by: 'Kim', reason: 'so' });
      const { refusedMessages } = await statusWhen(handle, (seen) => seen.refusedMessages.length > 0);
      expect(refusedMessages[0]?.why).toMatch(/this run is a rotation, from which no way leads back/);
      await resolveParked(handle, 'retry');
      expect((await handle.result()).outcome).toMatchObject({ result: 'rotated' });
      expect(world.performed.filter((step) => step === 'rotate-credential')).toHaveLength(1);
    });
  });

  test('refused at its gate, nothing was reset', async () => {
    const world = createFakeWorld();
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start(startOf('rotation', freshApp()));
      const { waitingFor } = await statusWhen(handle, atGate('rotate'));
      await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not tonight' });
      await resolveParked(handle, 'abort');
      const { outcome } = await handle.result();
      expect(outcome).toMatchObject({
        result: 'aborted',
        reason: expect.stringContaining('In place: nothing was changed.'),
      });
      expect(world.performed).not.toContain('rotate-credential');
    });
  });
});

describe('approved beforehand', () => {
  test('by the target file: nobody is asked, and the record says by whose policy', async () => {
    const world = createFakeWorld({ rotatesUnasked: true });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start(startOf('rotation', freshApp()));
      const status = await handle.result();
      expect(status.outcome).toMatchObject({ result: 'rotated' });
      expect(status.items.find(({ id }) => id === 'rotate')).toMatchObject({ approvedBy: 'the target file' });
      expect(status.journal.map(({ text }) => text)).toContain(
        'gate rotate: approved beforehand by the policy of the target file, rotation.approvedBeforehand',
      );
    });
  });

  test('a plan with a hazard is asked about all the same', async () => {
    const { facts } = sampleRotation;
    const bindings = [...facts.bindings, { app: 'sample-reports', variable: 'COPY_URL', by: 'copy' as const }];
    const world = createFakeWorld({
      rotatesUnasked: true,
      evidence: { 'survey-rotation': { ...sampleRotation, facts: { ...facts, bindings } } },
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start(startOf('rotation', freshApp()));
      const { waitingFor } = await statusWhen(handle, atGate('rotate'));
      expect(waitingFor?.needed).toBe(1);
      expect(world.performed).toEqual(['survey-rotation']);
      await handle.cancel();
      await handle.result();
    });
  });
});

describe('on a schedule', () => {
  const startBySchedule = (taskQueue: string, input: unknown, workflowId: string) =>
    harness.client.workflow.start('startRotation', { taskQueue, workflowId, args: [input] });

  test('a Schedule starts it under an id with the time, and the rotation has the id of its target', async () => {
    const world = createFakeWorld({ rotatesUnasked: true });
    await harness.withWorker(world, async ({ taskQueue }) => {
      const app = freshApp();
      const scheduleId = `rotate-${app}`;
      const schedule = await harness.client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: '30d' }] },
        action: {
          type: 'startWorkflow',
          workflowType: 'startRotation',
          workflowId: scheduleId,
          taskQueue,
          args: [{ app, requestedBy: 'the schedule', credential: 'role' }],
        },
        state: { triggerImmediately: true },
      });
      try {
        const rotation = harness.client.workflow.getHandle(`cutover-${app}`) as unknown as CutoverHandle;
        const isThere = async (): Promise<boolean> =>
          rotation.describe().then(
            () => true,
            () => false,
          );
        while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 100));
        expect((await rotation.result()).outcome).toMatchObject({ result: 'rotated', by: 'the schedule' });
        const [action] = (await schedule.describe()).info.recentActions;
        expect(action?.action.workflow.workflowId).toMatch(new RegExp(`^${scheduleId}-\\d{4}-`));
        expect(world.performedIn(app)).toEqual(rotationStepIds);
      } finally {
        await schedule.delete();
      }
    });
  });

  test('while another run of the target is open, it is not started, and says why', async () => {
    const world = createFakeWorld();
    await harness.withWorker(world, async ({ start, taskQueue }) => {
      const app = freshApp();
      const open = await start({ input: { app, requestedBy: 'Rita' } });
      await statusWhen(open, atGate('go'));
      const scheduled = await startBySchedule(taskQueue, inputFor('rotation', app), `rotate-${app}-2026-05-15`);
      await expect(scheduled.result()).rejects.toMatchObject({
        cause: { type: 'ProcedureOpen', message: expect.stringMatching(/send it the message rotate/) },
      });
      expect(atGate('go')(await statusWhen(open, () => true))).toBe(true);
      await open.cancel();
      await open.result();
    });
  });

  test.each([
    ['an unknown credential', { app: 'an-app', requestedBy: 'x', credential: 'root' }, /credential: owner or role/],
    [
      'policy of its own',
      { app: 'an-app', requestedBy: 'x', credential: 'role', approvedBeforehand: true },
      /approvedBeforehand/,
    ],
    ['nothing', null, /input: /],
  ])('%s is refused before anything is started', async (_, input, why) => {
    await harness.withWorker(createFakeWorld(), async ({ taskQueue }) => {
      const scheduled = await startBySchedule(taskQueue, input, `rotate-${randomUUID().slice(0, 8)}`);
      await expect(scheduled.result()).rejects.toMatchObject({
        cause: { type: 'InputInvalid', message: expect.stringMatching(why) },
      });
    });
  });

  test('a run with a time in its id is refused: it would not keep one procedure open', async () => {
    await harness.withWorker(createFakeWorld(), async ({ start }) => {
      const input = inputFor('rotation', freshApp());
      const handle = await start({
        type: 'rotateCredential',
        input,
        workflowId: `cutover-${input.app}-2026-05-15T00:00:00Z`,
      });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'WorkflowIdMismatch' } });
    });
  });
});

/** A cutover that waits for its launch. */
async function toWatch(start: () => Promise<CutoverHandle>): Promise<CutoverHandle> {
  const handle = await start();
  await approveGate(handle, 'go');
  await approveGate(handle, 'rm-11');
  await statusWhen(handle, atGate('launch'));
  return handle;
}

describe('during the watch of a cutover', () => {
  const doors: Record<string, (handle: CutoverHandle) => Promise<unknown>> = {
    signal: (handle) => handle.signal('rotate', rotate),
    update: (handle) => handle.executeUpdate('rotate', { args: [rotate] }),
  };

  test.each(Object.entries(doors))(
    'asked for by %s, it runs inside, and the watch goes on to the launch',
    async (_, send) => {
      const world = createFullWorld();
      await harness.withWorker(world, async ({ start }) => {
        const handle = await toWatch(start);
        await send(handle);
        const { procedure, rotation, killSwitch } = await approveGate(handle, 'rotate', 'Bo');
        expect({ procedure, rotation }).toMatchObject({
          procedure: 'rotation',
          rotation: { credential: 'owner', by: 'Rita', from: 'cutover' },
        });
        expect(killSwitch).not.toBeNull();
        const watching = await statusWhen(handle, (seen) => seen.procedure === 'cutover' && atGate('launch')(seen));
        expect(watching).toMatchObject({ rotation: null, waitingFor: { round: 2 } });
        await approveGate(handle, 'launch');
        const status = await handle.result();
        expect(status.outcome).toMatchObject({ result: 'completed' });
        const surveyed = stepsInOrder.indexOf('survey-launch') + 1;
        // The plan of the launch is made anew: the rotation has made releases.
        expect(world.performed).toEqual([
          ...stepsInOrder.slice(0, surveyed),
          ...rotationStepIds,
          ...stepsInOrder.slice(surveyed - 1),
        ]);
        expect(status.journal.map(({ event }) => event)).toEqual(expect.arrayContaining(['rotationAsked', 'rotated']));
        expect(breaksIn(status.journal)).toEqual([]);
      });
    },
  );

  test('it is asked for twice, one after the other', async () => {
    const world = createFullWorld();
    await harness.withWorker(world, async ({ start }) => {
      const handle = await toWatch(start);
      for (const credential of ['owner', 'role']) {
        await handle.signal('rotate', { ...rotate, credential });
        await approveGate(handle, 'rotate');
        await statusWhen(handle, (seen) => seen.procedure === 'cutover' && atGate('launch')(seen));
      }
      expect(world.performed.filter((step) => step === 'rotate-credential')).toHaveLength(2);
      await handle.cancel();
      await handle.result();
    });
  });

  test('a no at its gate leaves the watch as it was', async () => {
    const world = createFullWorld();
    await harness.withWorker(world, async ({ start }) => {
      const handle = await toWatch(start);
      await handle.signal('rotate', rotate);
      const { waitingFor } = await statusWhen(handle, atGate('rotate'));
      await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not tonight' });
      const status = await statusWhen(handle, atGate('launch'));
      // Who sent the message may be known before or behind it.
      expect(status.journal.findLast(({ event }) => event !== 'identified')?.event).toBe('gateOpened');
      expect(status.journal.map(({ text }) => text)).toContain(
        'the rotation is left, says Bo: not tonight; the watch goes on',
      );
      expect(world.performed).not.toContain('rotate-credential');
      await approveGate(handle, 'launch');
      expect((await handle.result()).outcome?.result).toBe('completed');
    });
  });

  test('a survey that fails ends nothing: it parks, and an abort leaves the rotation and not the cutover', async () => {
    const world = createFullWorld();
    world.behave('survey-rotation', () => {
      throw finalFailure('CredentialNotActive');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await toWatch(start);
      await handle.signal('rotate', rotate);
      await resolveParked(handle, 'abort');
      await approveGate(handle, 'launch');
      expect((await handle.result()).outcome?.result).toBe('completed');
    });
  });

  test('the kill switch works in the middle of it, and goes all the way back', async () => {
    const world = createFullWorld();
    const held = barrier();
    world.behave('rotate-credential', held.hold);
    await harness.withWorker(world, async ({ start }) => {
      const handle = await toWatch(start);
      await handle.signal('rotate', rotate);
      await approveGate(handle, 'rotate');
      await held.reached;
      await handle.signal('killSwitch', { by: 'Kim', reason: 'customers wait' });
      const status = await handle.result();
      expect(status.outcome).toMatchObject({ result: 'rolled-back', by: 'Kim' });
      expect(world.performed.slice(-stepsBack['kill-switch'].length)).toEqual(stepsBack['kill-switch']);
    });
  });

  test('a kill switch that is refused leads back to the rotation, which waits for a decision', async () => {
    const world = createFullWorld();
    const held = barrier();
    let times = 0;
    world.behave('rotate-credential', () => (++times === 1 ? held.hold() : undefined));
    world.behave('count-rows', () => {
      throw finalFailure('CustomerRowsExist');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await toWatch(start);
      await handle.signal('rotate', rotate);
      await approveGate(handle, 'rotate');
      await held.reached;
      await handle.signal('killSwitch', { by: 'Kim', reason: 'customers wait' });
      const parked = await statusWhen(handle, isParked);
      expect(parked).toMatchObject({ procedure: 'rotation', waitingFor: { message: { step: 'rotate-credential' } } });
      await resolveParked(handle, 'retry');
      await approveGate(handle, 'launch');
      expect((await handle.result()).outcome?.result).toBe('completed');
    });
  });
});

describe('at any other time of a run it is refused, with the reason', () => {
  const why = async (handle: CutoverHandle): Promise<string> => {
    const before = (await statusWhen(handle, () => true)).refusedMessages.length;
    await handle.signal('rotate', rotate);
    const status = await statusWhen(handle, (seen) => seen.refusedMessages.length > before);
    // An update's sender hears it at once.
    await expect(handle.executeUpdate('rotate', { args: [rotate] })).rejects.toMatchObject({
      cause: { type: 'MessageRefused', message: expect.stringContaining(status.refusedMessages.at(-1)?.why ?? '') },
    });
    return status.refusedMessages.at(-1)?.why ?? '';
  };

  test('in preflight, in the middle of a step, while parked, and in a rotation', async () => {
    const world = createFullWorld();
    const held = barrier();
    world.behave('upgrade', held.hold);
    world.behave('verify-schema', (call) => {
      if (call.attempt === 1) throw finalFailure('SchemaDiffers');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await statusWhen(handle, atGate('go'));
      expect(await why(handle)).toMatch(/rotated during the watch, .* the run is waiting/);
      await approveGate(handle, 'go');
      await held.reached;
      expect(await why(handle)).toMatch(/the run is working/);
      held.release();
      await statusWhen(handle, isParked);
      expect(await why(handle)).toMatch(/the run is parked/);
      await resolveParked(handle, 'retry');
      await approveGate(handle, 'rm-11');
      await statusWhen(handle, atGate('launch'));
      await handle.signal('rotate', { ...rotate, by: 'Mallory' });
      const { refusedMessages } = await statusWhen(handle, ({ refusedMessages: all }) => all.at(-1)?.by === 'Mallory');
      expect(refusedMessages.at(-1)?.why).toMatch(/neither an approver nor on call/);
      await handle.signal('rotate', rotate);
      await statusWhen(handle, atGate('rotate'));
      expect(await why(handle)).toMatch(/a rotation is under way, asked for by Rita/);
      await handle.cancel();
      await handle.result();
    });
  });

  test('in the cooling-off time of the launch', async () => {
    const world = createFullWorld({
      policy: { ...(await import('./sample-target.ts')).samplePolicy, coolingOffMs: 2_000 },
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await toWatch(start);
      await approveGate(handle, 'launch');
      await statusWhen(handle, (seen: Status) => seen.waitingFor?.needed === 0);
      expect(await why(handle)).toMatch(/it is decided: approved by Ada/);
      await handle.cancel();
      await handle.result();
    });
  });
});

test('a cutover is not started beside a rotation, and a way back may end it', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const input = inputFor('rotation', freshApp());
    const handle = await start({ type: 'rotateCredential', input });
    await statusWhen(handle, atGate('rotate'));
    await expect(start({ input: { app: input.app, requestedBy: 'Rita' } })).rejects.toThrow(/already/i);
    const back = await start({
      input: { app: input.app, requestedBy: 'Kim', mode: 'kill-switch', reason: 'customers wait' },
      options: { workflowIdConflictPolicy: WorkflowIdConflictPolicy.TERMINATE_EXISTING },
    });
    expect((await approveAll(back)).outcome).toMatchObject({ result: 'rolled-back' });
  });
});
