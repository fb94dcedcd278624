import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import type { Rig } from '../cutover-rig.ts';
import { eventually } from '../heroku-client.ts';
import { dynosOf, revisionOf, withoutPullRequest } from '../run-control.ts';
import type { StepRunner } from '../step-runner.ts';
import { dynosHaveAged } from './circle.ts';
import { expectSection, handlingOf, tableOf, type Observed } from './page.ts';
import { performThrough, type Fared } from './performing.ts';
import { pass, type Answered, type Asked, type Fault, type FaultProxy } from './proxy.ts';
import { startRelay, type Relay } from './relay.ts';
import { useSpoiltService } from './spoilt-service.ts';

// What the platform does with dynos, releases and credentials, as the proxy in front of it lets it come out.

let rig: Rig;
let proxy: FaultProxy;
let relay: Relay;
let steps: StepRunner;
let rendezvousPort = 0;
const observed: Observed[] = [];
useSpoiltService('heroku', async (spoilt) => {
  ({ rig, proxy, steps } = spoilt);
  rig.platform.heroku.settings.attachLimitMs = 3_000;
  relay = await startRelay(() => rendezvousPort);
});
afterAll(() => relay?.stop());

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
    expect([await revisionOf(rig, app), proxy.passedOn()]).toEqual([head, 2]);
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
    expect([await revisionOf(rig, app), proxy.passedOn()]).toEqual([head, 2]);
    note('the stream is lost while the dyno runs, before the effect', 'upgrade', fared);
  });

  test('is lost when the upgrade is through: the version table settles it', async () => {
    const app = await deployed({ upgrade: 'alembic upgrade head; sleep 60' });
    proxy.arm(throughRelay, isUpgrade);
    const through = performThrough({ rig, steps }, app, 'upgrade');
    await eventually(
      () => revisionOf(rig, app),
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

/** Upgrades an app whose dyno runs something else. */
async function upgradeRunning(change: (all: string) => string): Promise<{ app: RehearsedApp; fared: Fared }> {
  const app = await deployed();
  proxy.arm(rewritten(change), isUpgrade);
  return { app, fared: await performThrough({ rig, steps }, app, 'upgrade') };
}
const instead =
  (other: string) =>
  (all: string): string =>
    all.replace(command, () => other);
const unknown = { type: 'OutcomeUnknown' };
const killed = { ...unknown, message: expect.stringContaining('137') };

describe("upgrade's dyno", () => {
  test.each([
    ['is killed before it has done anything (137)', instead("( sh -c 'kill -9 $$' )"), killed, 'acted', 2],
    [
      'is killed when it is through (137)',
      instead("( alembic upgrade head; sh -c 'kill -9 $$' )"),
      killed,
      'settled',
      1,
    ],
    ['does not run the command', () => 'true', unknown, 'acted', 2],
    ['runs the command twice', instead('( alembic upgrade head; alembic upgrade head )'), null, 'acted', 1],
    [
      'runs the command twice, and one of the two fails',
      instead('( alembic upgrade head; exit 1 )'),
      unknown,
      'settled',
      1,
    ],
  ])('%s', async (fault, change, failure, did, started) => {
    const { app, fared } = await upgradeRunning(change);
    expect(fared).toMatchObject({ failure, did });
    expect([await revisionOf(rig, app), proxy.passedOn()]).toEqual([head, started]);
    note(`the dyno ${fault}`, 'upgrade', fared);
  });

  test('runs the command twice at once: whichever of the two wins', async () => {
    const both = '( alembic upgrade head & first=$!; alembic upgrade head; second=$?; wait $first && exit $second )';
    const { app, fared } = await upgradeRunning(instead(both));
    expect([undefined, 'OutcomeUnknown']).toContain(fared.failure?.type);
    expect([await revisionOf(rig, app), proxy.passedOn()]).toEqual([head, 1]);
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
