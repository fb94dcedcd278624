import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import { createRig, type Rig } from '../cutover-rig.ts';
import { eventually } from '../heroku-client.ts';
import { dynosOf, withoutPullRequest, withSuperuser } from '../run-control.ts';
import { startStepRunner, type StepRunner } from '../step-runner.ts';
import { dynosHaveAged } from './circle.ts';
import { expectSection, handlingOf, tableOf, type Observed } from './page.ts';
import { performThrough, type Fared } from './performing.ts';
import { pass, startFaultProxy, type Answered, type Asked, type Fault, type FaultProxy } from './proxy.ts';
import { startRelay, type Relay } from './relay.ts';

// What the platform does with dynos, releases and credentials, as the proxy in front of it lets it come out.

let rig: Rig;
let proxy: FaultProxy;
let relay: Relay;
let steps: StepRunner;
let rendezvousPort = 0;
const observed: Observed[] = [];
beforeAll(async () => {
  rig = await createRig();
  rig.platform.heroku.settings.attachLimitMs = 3_000;
  proxy = await startFaultProxy(rig.platform.heroku.url);
  relay = await startRelay(() => rendezvousPort);
  steps = startStepRunner(rig, { HEROKU_API_URL: proxy.url, HEROKU_DATA_URL: proxy.url });
});
afterAll(async () => {
  await steps?.stop();
  await relay?.stop();
  await proxy?.stop();
  await rig?.close();
});

let count = 0;
async function deployed(migrations: Record<string, unknown> = {}): Promise<RehearsedApp> {
  count += 1;
  return rig.add(
    { ...raptor, addon: { name: `dyno-faults-${count}`, plan: 'standard-0' } },
    {
      target: (target) => {
        withoutPullRequest(target);
        Object.assign(target['migrations'] as object, migrations);
      },
    },
  );
}

function note(fault: string, step: StepId, { failure, did }: Fared): void {
  const settled = did === 'acted' ? 'looks, and does what is left' : 'looks, finds it done and writes nothing';
  const does = failure === null ? 'waits for it' : `the attempt ends, ${handlingOf(failure)}; the next one ${settled}`;
  observed.push({ fault, step, failure, does });
}

const isUpgrade = ({ method, body }: Asked): boolean => method !== 'GET' && body.includes('alembic upgrade');
const revisionOf = (app: RehearsedApp): Promise<string | undefined> =>
  withSuperuser(rig, app, async (client) => {
    const { rows } = await client.query<{ found: boolean }>(
      "SELECT to_regclass('alembic_version') IS NOT NULL AS found",
    );
    if (rows[0]?.found !== true) return undefined;
    return (await client.query<{ version_num: string }>('SELECT version_num FROM alembic_version')).rows[0]
      ?.version_num;
  });
const head = '0002_paper_orders';

/** The dyno's stream goes by way of the relay. */
const throughRelay: Fault = {
  taken: true,
  answer: (response, taken) => {
    const text = taken?.body.toString() ?? '';
    rendezvousPort = Number(/rendezvous:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1]);
    pass(response, {
      ...(taken as Answered),
      body: Buffer.from(text.replace(`:${rendezvousPort}/`, `:${relay.port}/`)),
    });
  },
};

describe("the stream of upgrade's dyno", () => {
  test('is lost before anybody is attached: nothing ran, and another dyno does it', async () => {
    const app = await deployed();
    proxy.arm(throughRelay, isUpgrade);
    relay.loseNext();
    const fared = await performThrough({ rig, steps }, app, 'upgrade');
    expect(fared).toMatchObject({ failure: { type: 'PlatformUnavailable' }, did: 'acted' });
    expect([await revisionOf(app), proxy.passedOn()]).toEqual([head, 2]);
    note('the stream of the dyno is lost before it is attached', 'upgrade', fared);
  });

  test('is lost before the upgrade has begun: the dyno ends, and another one does it', async () => {
    const upgrade = 'sleep 3; alembic upgrade head';
    const app = await deployed({ upgrade });
    proxy.arm(throughRelay, isUpgrade);
    const through = performThrough({ rig, steps }, app, 'upgrade');
    await eventually(
      () => dynosOf(rig, app),
      (dynos) => dynos.some(({ command, state }) => command.includes(upgrade) && state === 'up'),
    );
    relay.loseAll();
    const fared = await through;
    expect(fared).toMatchObject({ failure: { type: 'OutcomeUnknown' }, did: 'acted' });
    expect([await revisionOf(app), proxy.passedOn()]).toEqual([head, 2]);
    note('the stream is lost while the dyno runs, before the effect', 'upgrade', fared);
  });

  test('is lost when the upgrade is through: the version table settles it', async () => {
    const app = await deployed({ upgrade: 'alembic upgrade head; sleep 60' });
    proxy.arm(throughRelay, isUpgrade);
    const through = performThrough({ rig, steps }, app, 'upgrade');
    await eventually(
      () => revisionOf(app),
      (revision) => revision === head,
    );
    relay.loseAll();
    const fared = await through;
    expect(fared).toMatchObject({ failure: { type: 'OutcomeUnknown' }, did: 'settled' });
    expect(proxy.passedOn()).toBe(1);
    note('the stream is lost while the dyno runs, behind the effect', 'upgrade', fared);
  });
});

/** Sends the request on with another command in it: what the platform makes of the dyno. */
const rewritten = (change: (command: string) => string): Fault => ({
  taken: true,
  answer: pass,
  rewrite: (body) => {
    const asked = JSON.parse(body.toString()) as { command: string };
    return Buffer.from(JSON.stringify({ ...asked, command: change(asked.command) }));
  },
});
const command = '( alembic upgrade head )';

describe("upgrade's dyno", () => {
  test.each([
    ['is killed before it has done anything (137)', "( sh -c 'kill -9 $$' )", 'acted', 2],
    ['is killed when it is through (137)', "( alembic upgrade head; sh -c 'kill -9 $$' )", 'settled', 1],
  ])('%s', async (fault, instead, did, started) => {
    const app = await deployed();
    proxy.arm(
      rewritten((all) => all.replace(command, () => instead)),
      isUpgrade,
    );
    const fared = await performThrough({ rig, steps }, app, 'upgrade');
    expect(fared).toMatchObject({ failure: { type: 'OutcomeUnknown', message: expect.stringContaining('137') }, did });
    expect([await revisionOf(app), proxy.passedOn()]).toEqual([head, started]);
    note(`the dyno ${fault}`, 'upgrade', fared);
  });

  test('does not run the command at all', async () => {
    const app = await deployed();
    proxy.arm(
      rewritten(() => 'true'),
      isUpgrade,
    );
    const fared = await performThrough({ rig, steps }, app, 'upgrade');
    expect(fared).toMatchObject({ failure: { type: 'OutcomeUnknown' }, did: 'acted' });
    expect([await revisionOf(app), proxy.passedOn()]).toEqual([head, 2]);
    note('the dyno does not run the command', 'upgrade', fared);
  });

  test('runs the command twice, one behind the other', async () => {
    const app = await deployed();
    proxy.arm(
      rewritten((all) => all.replace(command, '( alembic upgrade head; alembic upgrade head )')),
      isUpgrade,
    );
    const fared = await performThrough({ rig, steps }, app, 'upgrade');
    expect(fared).toMatchObject({ failure: null, did: 'acted' });
    expect([await revisionOf(app), proxy.passedOn()]).toEqual([head, 1]);
    note('the dyno runs the command twice', 'upgrade', fared);
  });

  test('runs the command twice, and one of the two fails', async () => {
    const app = await deployed();
    proxy.arm(
      rewritten((all) => all.replace(command, '( alembic upgrade head; exit 1 )')),
      isUpgrade,
    );
    const fared = await performThrough({ rig, steps }, app, 'upgrade');
    expect(fared).toMatchObject({ failure: { type: 'OutcomeUnknown' }, did: 'settled' });
    expect([await revisionOf(app), proxy.passedOn()]).toEqual([head, 1]);
    note('the dyno runs the command twice, and one of the two fails', 'upgrade', fared);
  });

  test('runs the command twice at once: whichever of the two wins', async () => {
    const app = await deployed();
    const both = '( alembic upgrade head & first=$!; alembic upgrade head; second=$?; wait $first && exit $second )';
    proxy.arm(
      rewritten((all) => all.replace(command, () => both)),
      isUpgrade,
    );
    const { failure } = await performThrough({ rig, steps }, app, 'upgrade');
    expect([undefined, 'OutcomeUnknown']).toContain(failure?.type);
    expect([await revisionOf(app), proxy.passedOn()]).toEqual([head, 1]);
  });
});

/** The answers to so many looks say something else than is so. */
const saying = (change: (text: string) => string): Fault => ({
  taken: true,
  answer: (response, taken) =>
    pass(response, { ...(taken as Answered), body: Buffer.from(change(taken?.body.toString() ?? '')) }),
});
const isReleases = ({ method, path }: Asked): boolean => method === 'GET' && /\/releases(\?|$)/.test(path);
const isCredentials = ({ method, path }: Asked): boolean => method === 'GET' && /\/credentials/.test(path);

describe('what is slow', () => {
  let app: RehearsedApp;
  beforeAll(async () => {
    app = await deployed();
    await steps.perform(app, 'upgrade');
  });
  afterEach(() => rig.platform.heroku.setWebBoot(app.herokuApp, undefined));
  const perform = (step: StepId, call: Partial<StepCall> = {}): Promise<Fared> =>
    performThrough({ rig, steps }, app, step, call);

  test('a credential stays provisioning', async () => {
    rig.platform.heroku.settings.credentialProvisioningMs = 3_000;
    const fared = await perform('credential');
    expect(fared).toMatchObject({ failure: null, did: 'acted' });
    expect(fared.taken).toHaveLength(1);
    note('the credential stays `provisioning` for a while', 'credential', fared);
  });

  test('the list of credentials says again that it is provisioning', async () => {
    proxy.arm(
      saying((text) => text.replace('"active"', '"provisioning"')),
      isCredentials,
      1,
      3,
    );
    const fared = await perform('credential');
    expect(fared).toMatchObject({ failure: null, did: 'already', taken: [] });
    note('the list of credentials is behind the times', 'credential', fared);
  });

  test.each(['bind-url', 'flag'] as const)('the release of %s stays pending', async (step) => {
    proxy.arm(
      saying((text) => text.replaceAll('"succeeded"', '"pending"')),
      isReleases,
      2,
      3,
    );
    const fared = await perform(step);
    expect(fared).toMatchObject({ failure: null, did: 'acted' });
    expect(fared.taken).toHaveLength(1);
    note('the release stays `pending` for a while', step, fared);
  });

  test('a web dyno crashes once as it starts', async () => {
    let crashes = 1;
    await dynosHaveAged(rig, app);
    rig.platform.heroku.setWebBoot(app.herokuApp, () => (crashes-- > 0 ? { exitCode: 1 } : undefined));
    const fared = await perform('restart', { freshDynos: true });
    expect(fared).toMatchObject({ failure: null, did: 'acted' });
    expect(fared.taken).toHaveLength(1);
    note('a web dyno crashes once, and the platform starts it again', 'restart', fared);
  });

  test('web dynos crash again and again: the step parks, and is done once that is mended', async () => {
    await dynosHaveAged(rig, app);
    rig.platform.heroku.setWebBoot(app.herokuApp, { exitCode: 1 });
    const fared = await performThrough({ rig, steps }, app, 'restart', { freshDynos: true }, () =>
      rig.platform.heroku.setWebBoot(app.herokuApp, undefined),
    );
    expect(fared).toMatchObject({ failure: { type: 'DynosCrashed' } });
    observed.push({
      fault: 'web dynos crash again and again',
      step: 'restart',
      failure: fared.failure,
      does: 'the attempt ends, and the step parks; tried again when it is mended, it looks first',
    });
  });
});

test('the page says what was seen', () =>
  expectSection('Dynos, releases and credentials', tableOf('what happens', observed)));
