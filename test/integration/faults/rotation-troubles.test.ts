import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Evidence, StepCall, StepId } from '../../../workflows/steps.ts';
import { expectSection, handlingOf, tableOf, type Observed } from './page.ts';
import { performThrough, type Fared } from './performing.ts';
import { pass, type Answered, type Asked, type Fault } from './proxy.ts';
import { approvedRotation, rotated, serves, startRotatedApp, urlOf, type RotatedApp } from './rotated-app.ts';
import { opens } from '../world.ts';

// A database that is down, full or locked under a rotation or a soak, and a platform that takes its time over a rotation.

let one: RotatedApp;
let role: RotatedApp;
beforeAll(async () => {
  [one, role] = await Promise.all([startRotatedApp(rotated.owner), startRotatedApp(rotated.role)]);
});
afterAll(async () => {
  await one?.stop();
  await role?.stop();
});

const observed: Observed[] = [];
const perform = (
  { rig, steps, app }: RotatedApp,
  step: StepId,
  call: Partial<StepCall>,
  after?: () => Promise<void>,
): Promise<Fared> => performThrough({ rig, steps }, app, step, call, after);
const postgres = () => one.rig.platform.postgres;
const database = async (): Promise<string> => new URL(await urlOf(one)).pathname.slice(1);

/** What is wrong with the database; each answers how it is mended. */
const troubles = {
  'is down': async () => {
    await postgres().halt();
    return () => postgres().resume();
  },
  'takes no more connections': async () => {
    const name = await database();
    const limit = async (to: number): Promise<void> => {
      const client = await postgres().connect(name);
      await client.query(`ALTER DATABASE "${name}" CONNECTION LIMIT ${to}`);
      await client.end();
    };
    await limit(0);
    return () => limit(-1);
  },
  'has every table locked by somebody': async () => {
    const holder = await postgres().connect(await database());
    const { rows } = await holder.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    await holder.query('BEGIN');
    for (const { name } of rows) await holder.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
    return () => holder.end();
  },
} satisfies Record<string, () => Promise<() => Promise<void>>>;

/** In the order of a rotation; what each is told is made before the trouble begins. */
const steps: readonly StepId[] = [
  'survey-rotation',
  'confirm-rotation',
  'rotate-credential',
  'verify-rotated',
  'soak-sample',
];

describe.each(Object.entries(troubles))('PostgreSQL %s', (name, trouble) => {
  test.each(steps)('%s', async (step) => {
    await serves(one);
    const call = await approvedRotation(one);
    const mend = await trouble();
    let isMended = false;
    const mendOnce = async (): Promise<void> => {
      if (isMended) return;
      isMended = true;
      await mend();
      await serves(one);
    };
    const approved = { approved: call.rotation?.planDigest ?? '' };
    const rotatedAt = { rotation: { credential: 'owner' as const, ...call.rotation, rotatedAt: 0 } };
    const told = step === 'verify-rotated' ? rotatedAt : { ...call, ...(step === 'confirm-rotation' ? approved : {}) };
    const fared = await perform(one, step, told, mendOnce).finally(mendOnce);
    if (fared.failure !== null) expect(handlingOf(fared.failure)).toBe('retried');
    if (step === 'rotate-credential') expect(fared.taken).toHaveLength(1);
    observed.push({ fault: name, step, failure: fared.failure, does: doneAbout(step, fared) });
  });
});

function doneAbout(step: StepId, { failure, evidence }: Fared): string {
  if (failure !== null) return `the attempt ends, ${handlingOf(failure)}; the next one looks`;
  if (step !== 'soak-sample') return 'goes on: it needs nothing of it';
  const { healthy } = evidence as Evidence<'soak-sample'>;
  return healthy ? 'the sample is green' : 'the sample is red, which does to the clock what `soak.onRed` says';
}

test('the page says what was seen of the database', () =>
  expectSection('PostgreSQL in a rotation or a soak', tableOf('PostgreSQL', observed)));

const slow: Observed[] = [];
const saying = (change: (text: string) => string): Fault => ({
  taken: true,
  answer: (response, taken) =>
    pass(response, { ...(taken as Answered), body: Buffer.from(change(taken?.body.toString() ?? '')) }),
});
const isCredential = ({ method, path }: Asked): boolean => method === 'GET' && /\/credentials\/[^/]+$/.test(path);
const isReleases = ({ method, path }: Asked): boolean => method === 'GET' && /\/releases(\?|$)/.test(path);
const asks = (text: string): string => text.replace('"active"', '"rotating"');

describe('a platform that takes its time over rotate-credential', () => {
  test.each([
    ['the owner stays `rotating` for a while', () => one, { resetMs: 3_000 }],
    ['the role stays `rotating`, with two user names, for a while', () => role, { rotationMs: 4_000 }],
    ['the second user name of the role outlives the rotation', () => role, { temporaryUserMs: 3_000 }],
    ['the variables change later than the credential', () => one, { rotatedVariablesMs: 3_000 }],
    ['the rotation shows only after a while', () => one, { rotationHiddenMs: 3_000 }],
  ])('%s', async (fault, whose, settings) => {
    const subject = whose();
    const { heroku } = subject.rig.platform;
    const before = { ...heroku.settings };
    Object.assign(heroku.settings, settings);
    await rotateOnce(subject, fault).finally(() => Object.assign(heroku.settings, before));
  });

  test.each([
    ['the credential says again that it is `rotating`', isCredential, asks],
    [
      'the release stays `pending` for a while',
      isReleases,
      (text: string) => text.replaceAll('"succeeded"', '"pending"'),
    ],
  ])('%s', async (fault, wanted, change) => {
    const call = await approvedRotation(one);
    let isAsked = false;
    one.proxy.arm(
      saying(change),
      (asked) => {
        isAsked ||= asked.method === 'POST';
        return isAsked && wanted(asked);
      },
      1,
      3,
    );
    await rotateOnce(one, fault, call);
    expect(one.proxy.met()).toBeDefined();
  });
});

async function rotateOnce(subject: RotatedApp, fault: string, call?: Partial<StepCall>): Promise<void> {
  const url = await urlOf(subject);
  const fared = await perform(subject, 'rotate-credential', call ?? (await approvedRotation(subject)));
  expect(fared).toMatchObject({ failure: null, did: 'acted', evidence: { oldPassword: 'refused' } });
  expect(fared.taken).toHaveLength(1);
  expect([await opens(url), await opens(await urlOf(subject))]).toEqual([false, true]);
  await serves(subject);
  slow.push({ fault, step: 'rotate-credential', failure: null, does: 'waits for it' });
}

test('the page says what was seen of the platform', () =>
  expectSection('A platform that takes its time over a rotation', tableOf('what happens', slow)));
