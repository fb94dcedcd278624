import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { writeFingerprint } from '../../rehearsal/fingerprint.ts';
import type { productionCutover } from '../../workflows/index.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, type Rig, type TargetChange } from './cutover-rig.ts';
import { endRun, playTo, retry, stepOf, withoutPullRequest } from './run-control.ts';
import { connectAs } from './world.ts';

let rig: Rig;
let fingerprint: string;
let app: RehearsedApp;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
  fingerprint = path.join(rig.dir, 'raptor.fingerprint.json');
});
afterAll(() => rig.close());

const add = (addon: string, change: TargetChange): Promise<RehearsedApp> =>
  rig.add(
    { ...raptor, addon: { name: addon, plan: 'standard-0' } },
    {
      target: (target) => {
        withoutPullRequest(target);
        change(target);
      },
    },
  );
const asOwner = (statements: string): Promise<unknown> =>
  connectAs(rig, app, 'DATABASE_URL', (client) => client.query(statements));

test('a target with the fingerprint that a rehearsal of the slug wrote: the schema passes', async () => {
  const rehearsed = await add('rehearsed-db', () => undefined);
  const rehearsal = await rig.start(rehearsed);
  await playTo(rig, rehearsal, rehearsed, 'verify-schema');
  await endRun(rehearsal);
  await writeFingerprint(rig.platform, rehearsed, fingerprint);

  app = await add('production-db', (target) => {
    target['schema'] = { fingerprint, cascadesFrom: 'customers' };
  });
  const handle = await rig.start(app);
  const status = await playTo(rig, handle, app, 'verify-schema');
  expect(status.items.filter((item) => item.failure)).toEqual([]);
  // The version table is one of them.
  expect(stepOf(status, 'verify-schema')).toMatchObject({ did: 'observed', evidence: { tables: 37 } });
  expect((stepOf(status, 'verify-schema').evidence as { columnsChecked: number }).columnsChecked).toBeGreaterThan(200);
  await endRun(handle);
});

/** What is done to the database that was just verified, what the failure must list, and what mends it. */
const drifts = {
  'a column that was dropped': {
    harm: 'ALTER TABLE trades DROP COLUMN fee',
    listed: 'trades.fee is missing, expected numeric',
    mend: "ALTER TABLE trades ADD COLUMN fee numeric(20,8) NOT NULL DEFAULT '0'",
  },
  'a type that was changed': {
    harm: 'ALTER TABLE paper_orders ALTER COLUMN order_payload TYPE text',
    listed: 'paper_orders.order_payload is text, expected jsonb',
    mend: 'ALTER TABLE paper_orders ALTER COLUMN order_payload TYPE jsonb USING order_payload::jsonb',
  },
  'a column that may be null now': {
    harm: 'ALTER TABLE paper_orders ALTER COLUMN status DROP NOT NULL',
    listed: 'paper_orders.status is text, expected text not null',
    mend: 'ALTER TABLE paper_orders ALTER COLUMN status SET NOT NULL',
  },
  'a foreign key that no longer cascades': {
    harm:
      'ALTER TABLE customer_consents DROP CONSTRAINT fk_customer_consents_customer_id, ' +
      'ADD CONSTRAINT fk_customer_consents_customer_id FOREIGN KEY (customer_id) REFERENCES customers (id)',
    listed: 'customer_consents refers to customers (fk_customer_consents_customer_id) and does not cascade',
    mend:
      'ALTER TABLE customer_consents DROP CONSTRAINT fk_customer_consents_customer_id, ' +
      'ADD CONSTRAINT fk_customer_consents_customer_id FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE',
  },
  'a time stamp without zone': {
    harm: 'ALTER TABLE login_attempts ALTER COLUMN attempted_at TYPE timestamp',
    listed: 'login_attempts.attempted_at is a time stamp without time zone',
    mend: 'ALTER TABLE login_attempts ALTER COLUMN attempted_at TYPE timestamptz',
  },
  'an extra table': {
    harm: 'CREATE TABLE left_over (id bigint)',
    listed: 'the table left_over is not expected',
    mend: 'DROP TABLE left_over',
  },
  'a missing table': {
    harm: 'DROP TABLE feature_flags',
    listed: 'the table feature_flags is missing',
  },
};

let handle: WorkflowHandle<typeof productionCutover>;
let parked: Status;
const messageOf = (status: Status): string => {
  expect(status.stage).toBe('parked');
  const { failure } = stepOf(status, 'verify-schema');
  expect(failure?.type).toBe('SchemaDiffers');
  return failure?.message ?? '';
};

test('every difference is listed at once, table by table, with what to do', async () => {
  for (const { harm } of Object.values(drifts)) await asOwner(harm);
  handle = await rig.start(app);
  parked = await playTo(rig, handle, app, 'verify-schema');
  const message = messageOf(parked);
  for (const { listed } of Object.values(drifts)) expect(message).toContain(listed);
  expect(message).toContain('Mend it by a revision, deploy, upgrade, then try again');
  // Nothing else is wrong, so nothing else is named.
  for (const table of ['orders.', 'customers.', 'visual_feedback']) expect(message).not.toContain(` ${table}`);
});

test.each(Object.entries(drifts))('%s, mended: no longer listed', async (_name, drift) => {
  if (!('mend' in drift)) return;
  await asOwner(drift.mend);
  await retry(handle, parked);
  parked = await playTo(rig, handle, app, 'verify-schema');
  expect(messageOf(parked)).not.toContain(drift.listed);
});

test('what is left in the end is listed alone', async () => {
  expect(messageOf(parked)).toMatch(/as the target says: the table feature_flags is missing\. Mend it/);
  await endRun(handle);
});
