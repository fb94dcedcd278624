import { expect } from '@jest/globals';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import { writesOf, type Rig } from './cutover-rig.ts';
import { connectAs } from './world.ts';

/** Expects a whole cutover of Raptor in the state `from-essential-0` to have taken each effect once, whoever died meanwhile. */
export async function expectEachEffectOnce(rig: Rig, app: RehearsedApp): Promise<void> {
  const writes = writesOf(rig.platform);
  const times = (pattern: RegExp): number => writes.filter((write) => pattern.test(write)).length;
  expect({
    credential: times(/^POST .*\/credentials$/),
    // The old add-on under another name, the new one as DATABASE, and the role.
    attachments: times(/^POST \/addon-attachments$/),
    configVars: times(/^PATCH .*\/config-vars$/),
    smokeRuns: rig.platform.github.runs.length,
    merges: times(/^PUT .*\/merge$/),
  }).toEqual({ credential: 1, attachments: 3, configVars: 1, smokeRuns: 2, merges: 1 });
  // One for each restart step, or one fewer where the platform was first.
  expect([1, 2]).toContain(times(/^DELETE .*\/formations\/web$/));
  const { rows } = await connectAs(rig, app, 'DATABASE_URL', (client) =>
    client.query('SELECT version_num FROM alembic_version'),
  );
  expect(rows).toEqual([{ version_num: '0003_audit_grants' }]);
}
