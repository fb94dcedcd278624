import { approveAll, approveGate, atGate, isParked, resolveParked, statusWhen } from '../workflow/harness.ts';
import { barrier, createFakeWorld, finalFailure, passingFailure } from '../workflow/fake-activities.ts';
import { samplePolicy } from '../workflow/sample-target.ts';
import { createFullWorld } from '../workflow/whole-sequence.ts';
import { completed, failed, failsOnce, nobody, worldWhere, type Behaviour } from './behaviour.ts';

/** A cutover on its way to the launch. */
export const cutovers = {
  completed: { ends: completed, result: 'completed', world: createFullWorld, play: approveAll },
  'without-pull-request': {
    ends: completed,
    result: 'completed',
    world: () => createFakeWorld({ hasPullRequest: false, pullRequest: null, hasFollowUps: false }),
    play: approveAll,
  },
  planned: { ends: completed, result: 'planned', input: { mode: 'plan' }, world: createFullWorld, play: nobody },
  'parked-and-retried': {
    ends: completed,
    result: 'completed',
    world: () => worldWhere('smoke', failsOnce('SmokeFailed')),
    async play(handle) {
      await approveGate(handle, 'go');
      await resolveParked(handle, 'retry');
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
    },
  },
  'failed-in-passing': {
    ends: completed,
    result: 'completed',
    world: () => {
      let attempts = 0;
      return worldWhere('survey', () => {
        attempts += 1;
        if (attempts < 3) throw passingFailure('PlatformUnavailable');
      });
    },
    play: approveAll,
  },
  aborted: {
    ends: completed,
    result: 'aborted',
    world: () => worldWhere('grants', failsOnce('GrantsDiffer')),
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      await resolveParked(handle, 'abort');
    },
  },
  refused: {
    ends: failed,
    world: () => worldWhere('config-check', failsOnce('DatabaseUrlSqlite')),
    play: nobody,
  },
  'refused-at-start': { ends: failed, world: () => createFakeWorld(), play: nobody },
  'cancelled-at-gate': {
    ends: completed,
    result: 'aborted',
    world: () => createFakeWorld(),
    async play(handle) {
      await statusWhen(handle, atGate('go'));
      await handle.cancel();
    },
  },
  'cancelled-in-step': {
    ends: completed,
    result: 'aborted',
    world: () => createFakeWorld(),
    async play(handle, _session, world) {
      const { reached, hold } = barrier();
      world.behave('upgrade', hold);
      await approveGate(handle, 'go');
      await reached;
      await handle.cancel();
    },
  },
  'continued-as-new': {
    ends: completed,
    result: 'completed',
    world: () => worldWhere('restart', failsOnce('ReleaseFailed'), createFakeWorld({ historyEventLimit: 25 })),
    async play(handle) {
      await statusWhen(handle, (status) => status.continued === 1 && atGate('go')(status));
      await approveGate(handle, 'go');
      await statusWhen(handle, (status) => status.continued === 2 && isParked(status));
      await resolveParked(handle, 'retry');
      await statusWhen(handle, (status) => status.continued === 3 && atGate('rm-11')(status));
      await approveGate(handle, 'rm-11');
      await statusWhen(handle, (status) => status.continued === 4 && atGate('launch')(status));
      await approveGate(handle, 'launch');
    },
  },
  'watched-and-launched': {
    ends: completed,
    result: 'completed',
    world: () => {
      let samples = 0;
      const world = createFakeWorld({ policy: { ...samplePolicy, quorum: 2 }, sampleEveryMs: 300 });
      // Ill once, and once not to be had.
      world.behave('watch-sample', () => {
        samples += 1;
        if (samples === 2) return { evidence: { healthy: false, problems: ['no answer'] } };
        if (samples === 3) throw finalFailure('PlatformRefused');
        return undefined;
      });
      world.behave('check-backup', failsOnce('BackupNotProven'));
      world.behave('seal', failsOnce('DatabaseRefused'));
      world.behave('open-follow-ups', failsOnce('PlatformRefused'));
      return world;
    },
    async play(handle) {
      for (const gate of ['go', 'rm-11', 'launch']) {
        if (gate === 'launch')
          await statusWhen(handle, ({ watch }) => (watch?.samples ?? 0) > 3 && watch?.healthy === true);
        for (const by of ['Ada', 'Bo']) await approveGate(handle, gate, by);
      }
      await statusWhen(handle, (status) => atGate('launch')(status) && status.waitingFor?.round === 2);
      for (const by of ['Ada', 'Bo']) await approveGate(handle, 'launch', by);
      await resolveParked(handle, 'retry');
    },
  },
} satisfies Readonly<Record<string, Behaviour>>;
