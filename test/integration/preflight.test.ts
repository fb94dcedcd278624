import { X509Certificate } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { AppOptions } from '../../rehearsal/deploy-app.ts';
import type { Plan } from '../../workflows/facts.ts';
import { createRig, writesOf, type Rig } from './cutover-rig.ts';
import { approve, atGate, itemOf, refusal, stop, watch } from './steering.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

const withoutPullRequest = (target: Record<string, unknown>): void => {
  delete target['pullRequest'];
};

/** An app whose add-on has a name of its own, so that many stand on one platform. */
async function addApp(addon: RehearsedApp['addon'], options: AppOptions = {}): Promise<RehearsedApp> {
  return rig.add({ ...raptor, addon }, { target: withoutPullRequest, ...options });
}

/** Takes a cutover to its first gate, where nothing was written yet, and answers its plan. */
async function planOf(app: RehearsedApp): Promise<Plan> {
  const before = writesOf(rig.platform).length;
  const handle = await rig.start(app);
  const { plans } = await watch(handle, atGate('go'));
  expect(writesOf(rig.platform).slice(before)).toEqual([]);
  await stop(handle);
  return plans.go as Plan;
}

describe('refused at preflight, and nothing is written', () => {
  test('a follower', async () => {
    const app = await addApp(
      { name: 'follower-db', plan: 'standard-0' },
      {
        others: [{ name: 'leader-db', plan: 'standard-0', attachAs: 'LEADER' }],
        addon: { follows: 'leader-db' },
      },
    );
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('DatabaseReadOnly');
    expect(message).toContain(`heroku pg:unfollow follower-db -a ${app.herokuApp}`);
    expect(writes).toEqual([]);
  });

  test('an Advanced plan', async () => {
    const app = await addApp({ name: 'advanced-db', plan: 'advanced' });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('DatabasePlanUnsupported');
    expect(message).toMatch(/is on heroku-postgresql:advanced; expected a Standard/);
    expect(message).toContain(`heroku addons:create heroku-postgresql:standard-0 -a ${app.herokuApp}`);
    expect(writes).toEqual([]);
  });

  test('an app of the generation fir', async () => {
    const app = await addApp({ name: 'fir-db', plan: 'standard-0' }, { platform: { generation: 'fir' } });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('AppUnsupported');
    expect(message).toMatch(/expected cedar.*perform the cutover by hand/);
    expect(writes).toEqual([]);
  });

  test('maintenance mode that is on already', async () => {
    const app = await addApp({ name: 'maintained-db', plan: 'standard-0' }, { platform: { maintenance: true } });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('AppInMaintenance');
    expect(message).toContain(`heroku maintenance:off -a ${app.herokuApp}`);
    expect(writes).toEqual([]);
  });

  test('a token that expires while people are waited for, and one that has expired', async () => {
    const app = await addApp({ name: 'token-db', plan: 'standard-0' });
    const { heroku } = rig.platform;
    try {
      heroku.setTokenExpiry(3600);
      const soon = await refusal(rig, app);
      expect(soon.type).toBe('PlatformTokenExpiresSoon');
      expect(soon.message).toMatch(
        /expires in (59|60) minutes; expected 12 hours or more.*Give the worker another token/,
      );
      heroku.setTokenExpiry(-1);
      const expired = await refusal(rig, app);
      expect(expired.type).toBe('PlatformTokenRejected');
      expect(expired.message).toMatch(/401.*Give the worker a token for Heroku/);
      expect([...soon.writes, ...expired.writes]).toEqual([]);
    } finally {
      heroku.setTokenExpiry(null);
    }
  });
});

test('the plan lists the other apps that have the add-on, and is bound to them', async () => {
  const app = await addApp({ name: 'shared-db', plan: 'standard-0' });
  const reader = await addApp({ name: 'reader-db', plan: 'standard-0' });
  const alone = await planOf(app);
  expect(alone.facts.database.sharedWith).toEqual([]);

  await rig.platform.heroku.attach({ addon: 'shared-db', app: reader.herokuApp, as: 'SHARED' });
  const shared = await planOf(app);
  expect(shared.facts).toEqual({
    ...alone.facts,
    database: { ...alone.facts.database, sharedWith: [reader.herokuApp] },
  });
  expect(shared.digest).not.toBe(alone.digest);

  // What was approved without the other app does not open the gate with it.
  const handle = await rig.start(app);
  const open = await watch(handle, atGate('go'));
  await handle.signal('approve', { gate: 'go', by: 'Ada', plan: alone.digest });
  const after = await watch(handle, ({ refusedMessages }) => refusedMessages.length > 0);
  expect(after.refusedMessages.at(-1)?.why).toContain(alone.digest.slice(0, 12));
  expect(atGate('go')(after)).toBe(true);
  await approve(handle, open);
  await watch(handle, (status) => !atGate('go')(status));
  await stop(handle);
});

test('the plan tells the release command, the headroom for connections and how TLS was met', async () => {
  const command = 'python -c pass';
  const app = await addApp(
    { name: 'told-db', plan: 'standard-0' },
    {
      alterSlug: async (dir) => appendFile(path.join(dir, 'Procfile'), `release: ${command}\n`),
      addon: { connectionLimit: 17 },
    },
  );
  const handle = await rig.start(app);
  const status = await watch(handle, atGate('go'));
  await stop(handle);

  const { facts, observations } = status.plans.go as Plan;
  expect(facts.releaseCommand).toBe(command);
  expect(observations.connections.limit).toBe(17);
  expect(observations.connections.used).toBeGreaterThanOrEqual(1);
  expect(observations.connections.used).toBeLessThan(17);

  const certificate = new X509Certificate(await readFile(rig.platform.postgres.caFile));
  expect(itemOf(status, 'config-check')?.evidence).toMatchObject({
    tls: {
      version: expect.stringMatching(/^TLSv1\.[23]$/),
      verified: false,
      fingerprint: certificate.fingerprint256,
    },
  });
});
