import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { judge, scenarios, type Scenario, type ScenarioName } from '../../rehearsal/scenarios.ts';
import { judgeSoak } from '../../rehearsal/soak.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { createSoakRig } from './soak-rig.ts';
import { configVars } from './world.ts';

/** What a scenario leaves in the world besides what all of them leave. */
const alsoTrue: Partial<Record<ScenarioName, (rig: Rig, app: RehearsedApp) => Promise<void>>> = {
  'from-essential-0': async (rig, app) => {
    // The way back: the old add-on keeps an attachment, so promoting it again is one command.
    const vars = await configVars(rig, app);
    const database = new URL(vars['DATABASE_URL'] ?? '').pathname;
    const others = Object.entries(vars).filter(([name]) => /^HEROKU_POSTGRESQL_/.test(name));
    expect(others.map(([, url]) => new URL(url).pathname === database).sort()).toEqual([false, true]);
  },
  'release-command': async (rig, app) => {
    // The first release came before the database: it migrated the dyno's own SQLite file, which is gone with the dyno.
    const runs = rig.platform.heroku.appLog(app.herokuApp).join('\n').split('Context impl ');
    const log = runs.filter((run) => run.startsWith('PostgresqlImpl')).join('\n');
    for (const revision of ['0001_raptor_baseline', '0002_paper_orders', '0003_audit_grants']) {
      expect(log.match(new RegExp(`Running upgrade .*-> ${revision}`, 'g'))).toHaveLength(1);
    }
  },
};

describe.each(Object.entries(scenarios) as [ScenarioName, Scenario][])('%s', (name, scenario) => {
  let rig: Rig;
  let app: RehearsedApp;
  let status: Status;
  let after: string | null;
  let close: () => Promise<void>;

  beforeAll(async () => {
    const soaked = scenario.soak === undefined ? undefined : await createSoakRig();
    rig = soaked?.rig ?? (await createRig());
    close = () => (soaked ?? rig).close();
    rig.startWorker();
    if (soaked !== undefined) {
      const soak = await playPeople(rig, await soaked.start(), soaked.staging);
      expect(judgeSoak(soak)).toBeNull();
    }
    const changes = { ...scenario.target, ...(soaked && { stagingCertificate: soaked.required }) };
    app = await rig.add(raptor, { ...scenario.options, target: (target) => Object.assign(target, changes) });
    const handle = await rig.start(app);
    status = await playPeople(rig, handle, app, (seen) => seen.stage === 'ended', scenario.people);
    after = (await scenario.after?.({ handle, platform: rig.platform, app, status })) ?? null;
  }, 300_000);
  afterAll(() => close());

  test('ends as it should, and the app serves what it should', async () => {
    expect([judge(scenario, status), after]).toEqual([null, null]);
    const outside = await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app, scenario.serves);
    expect(outside).toMatchObject({ ok: true });
    await alsoTrue[name]?.(rig, app);
  });
});
