import { approveGate, atGate, isParked, resolveParked, statusWhen } from '../workflow/harness.ts';
import { createFakeWorld } from '../workflow/fake-activities.ts';
import { completed, failsOnce, worldWhere, type Behaviour } from './behaviour.ts';

const owner = { credential: 'owner', reason: 'it is May' } as const;
const role = { credential: 'role', reason: 'it is May' } as const;
const inTheWatch = { by: 'Rita', ...owner };

/** Rotations: a run for nothing else, and one that is asked of the watch. */
export const rotations = {
  rotated: {
    ends: completed,
    result: 'rotated',
    type: 'rotateCredential',
    input: owner,
    world: () => createFakeWorld(),
    play: (handle) => approveGate(handle, 'rotate'),
  },
  'rotated-unasked': {
    ends: completed,
    result: 'rotated',
    type: 'rotateCredential',
    input: role,
    world: () => createFakeWorld({ rotatesUnasked: true }),
    play: (handle) => handle.result(),
  },
  // It parks in the act, and behind it; then the kill switch is refused.
  'rotation-parked': {
    ends: completed,
    result: 'rotated',
    type: 'rotateCredential',
    input: role,
    world: () =>
      worldWhere(
        'verify-rotated',
        failsOnce('OldPasswordAccepted'),
        worldWhere('rotate-credential', failsOnce('PlatformRefused')),
      ),
    async play(handle) {
      await approveGate(handle, 'rotate');
      await resolveParked(handle, 'retry');
      const parked = await statusWhen(
        handle,
        (status) => isParked(status) && status.waitingFor?.message['step'] === 'verify-rotated',
      );
      await handle.signal('killSwitch', { by: 'Kim', reason: 'so' });
      await statusWhen(handle, ({ refusedMessages }) => refusedMessages.length > 0);
      await handle.signal('resolve', { ...parked.waitingFor?.message, by: 'Ada', reason: 'mended' });
    },
  },
  'rotation-rejected': {
    ends: completed,
    result: 'aborted',
    type: 'rotateCredential',
    input: role,
    world: () => createFakeWorld(),
    async play(handle) {
      await handle.signal('reject', {
        ...(await statusWhen(handle, atGate('rotate'))).waitingFor?.message,
        by: 'Bo',
        reason: 'not tonight',
      });
      await resolveParked(handle, 'abort');
    },
  },
  // Once to its end, once refused at its gate; then the launch.
  'rotated-in-the-watch': {
    ends: completed,
    result: 'completed',
    world: () => createFakeWorld(),
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      await statusWhen(handle, atGate('launch'));
      await handle.signal('rotate', inTheWatch);
      await approveGate(handle, 'rotate', 'Bo');
      await statusWhen(handle, atGate('launch'));
      await handle.signal('rotate', { ...inTheWatch, credential: 'role' });
      const { waitingFor } = await statusWhen(handle, atGate('rotate'));
      await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'one is enough' });
      await approveGate(handle, 'launch');
    },
  },
  // Continued as new at its own gate, and again in the watch behind it.
  'rotation-carried-on': {
    ends: completed,
    result: 'completed',
    world: () => createFakeWorld({ historyEventLimit: 25, sampleEveryMs: 400 }),
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      const before = await statusWhen(handle, ({ continued, watch }) => continued > 0 && (watch?.samples ?? 0) > 0);
      await handle.signal('rotate', inTheWatch);
      await approveGate(handle, 'rotate', 'Bo');
      await statusWhen(handle, (status) => atGate('launch')(status) && status.continued > before.continued);
      await approveGate(handle, 'launch');
    },
  },
} as const satisfies Record<string, Behaviour>;
