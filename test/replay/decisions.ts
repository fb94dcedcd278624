import { approveAll, approveGate, atGate, isParked, resolveParked, statusWhen } from '../workflow/harness.ts';
import { createFakeWorld, finalFailure } from '../workflow/fake-activities.ts';
import { samplePolicy, soloPolicy } from '../workflow/sample-target.ts';
import { completed, failsOnce, worldWhere, type Behaviour } from './behaviour.ts';

/** What people decide, and what makes a run ask them again. */
export const decisions = {
  'refused-messages': {
    ends: completed,
    result: 'completed',
    world: () => createFakeWorld(),
    async play(handle, { withoutWorker }) {
      const { waitingFor } = await statusWhen(handle, atGate('go'));
      const good = { ...waitingFor?.message, by: 'Ada', id: 'once' };
      for (const junk of [null, 'go', { ...good, gate: 'rm-11' }, { ...good, plan: 'f'.repeat(64), id: 'other' }]) {
        await handle.signal('approve', junk);
      }
      await withoutWorker(async () => {
        await handle.signal('approve', { ...good, id: 'third' });
        await handle.signal('approve', { ...good, id: 'third' });
      });
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
    },
  },
  told: {
    ends: completed,
    result: 'completed',
    // One is given up, and the run continues as new between them.
    world: () =>
      worldWhere(
        'smoke',
        failsOnce('SmokeFailed'),
        createFakeWorld({
          tellsPeople: true,
          historyEventLimit: 25,
          receiver: ({ event }) => {
            if (event === 'parked') throw finalFailure('NoticeNotSent');
          },
        }),
      ),
    async play(handle) {
      await approveGate(handle, 'go');
      await resolveParked(handle, 'retry');
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
    },
  },
  'decided-by-updates': {
    ends: completed,
    result: 'completed',
    world: () => worldWhere('smoke', failsOnce('SmokeFailed')),
    async play(handle) {
      const { waitingFor } = await statusWhen(handle, atGate('go'));
      const refused = { ...waitingFor?.message, by: 'Mallory' };
      await handle.executeUpdate('approve', { args: [refused] }).catch(() => undefined);
      await handle.executeUpdate('approve', { args: [{ ...waitingFor?.message, by: 'Ada' }], updateId: 'u-1' });
      const parked = await statusWhen(handle, isParked);
      await handle.executeUpdate('resolve', { args: [{ ...parked.waitingFor?.message, by: 'Kim', reason: 'mended' }] });
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
    },
  },
  rejected: {
    ends: completed,
    result: 'completed',
    world: () => createFakeWorld(),
    async play(handle) {
      const { waitingFor } = await statusWhen(handle, atGate('go'));
      await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not tonight' });
      await resolveParked(handle, 'retry');
      await approveAll(handle);
    },
  },
  solo: {
    ends: completed,
    result: 'completed',
    world: () => createFakeWorld({ policy: { ...soloPolicy, coolingOffMs: 1_000, remindEveryMs: 700 } }),
    async play(handle) {
      const { app } = await statusWhen(handle, atGate('go'));
      for (const gate of ['go', 'rm-11', 'launch']) await approveGate(handle, gate, 'Rita', { confirm: app });
    },
  },
  expired: {
    ends: completed,
    result: 'completed',
    world: () => createFakeWorld({ policy: { ...samplePolicy, expiresAfterMs: 4_000 } }),
    async play(handle) {
      await statusWhen(handle, (status) => atGate('go')(status) && status.waitingFor?.round === 2);
      await approveAll(handle);
    },
  },
  'verified-senders': {
    ends: completed,
    result: 'completed',
    world: () =>
      createFakeWorld({
        policy: { ...samplePolicy, requireVerifiedIdentity: true },
        sender: ({ name }) => ({ identity: 'test-client', principal: name === 'reject' ? null : 'ada@example.com' }),
      }),
    async play(handle) {
      const { waitingFor } = await statusWhen(handle, atGate('go'));
      await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not verified' });
      await approveAll(handle);
    },
  },
  drifted: {
    ends: completed,
    result: 'completed',
    world() {
      const world = createFakeWorld();
      let looks = 0;
      world.behave('confirm', () => {
        looks += 1;
        if (looks === 1) throw finalFailure('FactsChanged');
      });
      world.behave('flag', failsOnce('TargetDrifted'));
      world.behave('grants', () => ({
        drift: [{ what: 'Set SETTING config vars', class: 'harmless', release: 9, by: 'dev@example.com', at: null }],
      }));
      return world;
    },
    async play(handle) {
      for (const [gate, round] of [
        ['go', 1],
        ['go', 2],
        ['rm-11', 1],
        ['rm-11', 2],
        ['launch', 1],
      ] as const) {
        await statusWhen(handle, (status) => atGate(gate)(status) && status.waitingFor?.round === round);
        await approveGate(handle, gate);
      }
    },
  },
  'change-windows': {
    ends: completed,
    result: 'completed',
    world() {
      const closed = { open: false, why: 'outside the change windows', digest: '7e'.repeat(32) } as const;
      let asked = 0;
      return createFakeWorld({
        hasWindows: true,
        // Before the first write it opens by itself; later a quorum opens it.
        window: () => {
          asked += 1;
          if (asked === 2) return { open: true };
          return { ...closed, opensAt: Date.now() + (asked === 1 ? 500 : 3_600_000) };
        },
      });
    },
    async play(handle) {
      await approveGate(handle, 'go');
      await statusWhen(handle, ({ journal }) => journal.some(({ text }) => text === 'gate window: passed'));
      await approveGate(handle, 'window', 'Ada', { reason: 'it cannot wait' });
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
    },
  },
} satisfies Readonly<Record<string, Behaviour>>;
