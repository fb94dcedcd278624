import { approveGate, resolveParked, statusWhen, atGate } from '../workflow/harness.ts';
import { barrier, createFakeWorld, finalFailure } from '../workflow/fake-activities.ts';
import { completed, failed, failsOnce, nobody, worldWhere, type Behaviour } from './behaviour.ts';

const kill = { by: 'Kim', reason: 'customers wait' };

/** Kill switch and undo, asked of a run or started on their own. */
export const waysBack = {
  'killed-in-step': {
    ends: completed,
    result: 'rolled-back',
    world: () => worldWhere('revoke-grants', failsOnce('GrantsDiffer')),
    async play(handle, _session, world) {
      const { reached, hold } = barrier();
      world.behave('flag', hold);
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      await reached;
      await handle.signal('killSwitch', kill);
      await handle.signal('killSwitch', { ...kill, by: 'Ada' });
      await resolveParked(handle, 'retry');
    },
  },
  'killed-in-the-watch': {
    ends: completed,
    result: 'rolled-back',
    world: () => createFakeWorld(),
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      await statusWhen(handle, atGate('launch'));
      await handle.executeUpdate('killSwitch', { args: [kill] });
    },
  },
  'killed-before-writing': {
    ends: completed,
    result: 'aborted',
    world: () => createFakeWorld(),
    async play(handle) {
      await statusWhen(handle, atGate('go'));
      await handle.signal('killSwitch', kill);
    },
  },
  'kill-refused': {
    ends: completed,
    result: 'completed',
    world: () => worldWhere('count-rows-fenced', failsOnce('CustomerRowsExist')),
    async play(handle, _session, world) {
      const { reached, hold } = barrier();
      world.behave('upgrade', (call) => (call.attempt === 1 ? hold() : undefined));
      await approveGate(handle, 'go');
      await reached;
      await handle.signal('killSwitch', kill);
      await resolveParked(handle, 'retry');
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
    },
  },
  'kill-while-postgres-is-down': {
    ends: completed,
    result: 'rolled-back',
    input: { mode: 'kill-switch', reason: 'PostgreSQL is down' },
    world() {
      const world = createFakeWorld();
      for (const step of ['read-seal', 'count-rows', 'count-rows-fenced'] as const) {
        world.behave(step, () => {
          throw finalFailure('DatabaseUnreachable');
        });
      }
      return world;
    },
    play: (handle) => approveGate(handle, 'uncounted-rows', 'Ada', { reason: 'users first' }),
  },
  'kill-switch-alone': {
    ends: completed,
    result: 'rolled-back',
    input: { mode: 'kill-switch', reason: 'the old run is wedged' },
    world: () => createFakeWorld(),
    play: nobody,
  },
  'kill-switch-alone-refused': {
    ends: failed,
    input: { mode: 'kill-switch', reason: 'too late' },
    world: () => worldWhere('read-seal', failsOnce('Sealed')),
    play: nobody,
  },
  'undone-and-escalated': {
    ends: completed,
    result: 'rolled-back',
    world: () => worldWhere('smoke-rm-11', failsOnce('SmokeFailed')),
    async play(handle, _session, world) {
      const { reached, hold } = barrier();
      world.behave('restart-undo', hold);
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      await resolveParked(handle, 'undo-rm-11');
      await reached;
      await handle.signal('killSwitch', kill);
    },
  },
  'undo-alone': {
    ends: completed,
    result: 'undone',
    input: { mode: 'undo-rm-11', reason: 'the role is not wanted' },
    world: () => createFakeWorld(),
    play: nobody,
  },
} satisfies Readonly<Record<string, Behaviour>>;
