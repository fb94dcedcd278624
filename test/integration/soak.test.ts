import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { person } from '../../rehearsal/scenarios/heroku-person.ts';
import { judgeSoak } from '../../rehearsal/soak.ts';
import { copyTarget } from '../../rehearsal/target-copy.ts';
import { createCertificateStore } from '../../worker/certificates.ts';
import type { Certificate, CertificateFile } from '../../workflows/certificate.ts';
import type { Status } from '../../workflows/view.ts';
import { playPeople, writesOf } from './cutover-rig.ts';
import { findLeaks, textOf } from '../../drill/leaks.ts';
import { createSoakRig, type SoakRig } from './soak-rig.ts';
import { startProgram } from './started-program.ts';

/** Milliseconds between two samples, and so that two of them are a gap. */
const every = 3_000;

let soak: SoakRig;
let status: Status;
let before: Status;
let file: string;

const isRed = ({ soak: clock }: Status): boolean => clock?.last === 'red';
const ended = ({ stage }: Status): boolean => stage === 'ended' || stage === 'parked';

beforeAll(async () => {
  soak = await createSoakRig({ for: '7s', every: `${every / 1000}s` });
  const { rig, staging } = soak;
  const worker = rig.startWorker();
  const handle = await soak.start();
  const until = (condition: (seen: Status) => boolean): Promise<Status> =>
    playPeople(rig, handle, staging, (seen) => ended(seen) || condition(seen));
  await until((seen) => (seen.soak?.cleanMs ?? 0) > 0);
  // A red sample: nobody can use an app in maintenance.
  await person(rig.platform).setMaintenance(staging.herokuApp, true);
  await until(isRed);
  await person(rig.platform).setMaintenance(staging.herokuApp, false);
  before = await until((seen) => (seen.soak?.red ?? 0) > 0 && !isRed(seen));
  // A gap: the worker dies by SIGKILL, and for more than two samples there is none.
  worker.process.kill('SIGKILL');
  await worker.ended;
  await delay(3 * every);
  rig.startWorker();
  status = await until(() => false);
  file = path.join(soak.certificates, `${staging.herokuApp}.json`);
}, 600_000);
afterAll(() => soak.close());

describe('a soak of seconds, on real parts', () => {
  test('ends with its certificate, and the app still serves as the role', async () => {
    expect(judgeSoak(status)).toBeNull();
    const { staging, rig } = soak;
    expect(await lookFromOutside(rig.platform.heroku.webUrl(staging.herokuApp), staging)).toMatchObject({ ok: true });
  });

  test('began anew at the red sample, and did not count the time without a worker', async () => {
    expect(before.soak).toMatchObject({ red: expect.any(Number), problems: [] });
    const { certificate } = await certificateFile();
    expect(certificate.soak.red).toBeGreaterThanOrEqual(1);
    expect(certificate.soak.restarts).toBeGreaterThanOrEqual(1);
    expect(certificate.soak.gaps).toBeGreaterThanOrEqual(1);
    expect(certificate.soak.gapSeconds).toBeGreaterThanOrEqual((2 * every) / 1000);
    expect(certificate.soak.cleanSeconds).toBeGreaterThanOrEqual(7);
    const whole = (Date.parse(certificate.soak.until) - Date.parse(certificate.soak.since)) / 1000;
    expect(certificate.soak.cleanSeconds + certificate.soak.gapSeconds).toBeLessThan(whole);
    expect(status.journal.map((entry) => entry.text)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^soak: red.*maintenance/),
        expect.stringMatching(/^soak: no sample/),
      ]),
    );
  });

  test('has measured the way back and forth, which was really taken', async () => {
    const { certificate } = await certificateFile();
    expect(certificate.rehearsedRollback?.seconds).toBeGreaterThan(0);
    expect(certificate.rehearsedRollback?.secondsBack).toBeGreaterThan(0);
    const did = Object.fromEntries(status.items.map((item) => [item.id, item.did]));
    expect(did).toMatchObject({
      'to-sqlite-rehearsal': 'acted',
      'drop-credential-rehearsal': 'acted',
      'promote-again': 'acted',
      'credential-again': 'acted',
      'grants-again': 'acted',
      'flag-again': 'acted',
    });
    expect(did).not.toHaveProperty('seal');
  });

  test('leaves no secret in the certificate or the history', async () => {
    const history = textOf(
      await soak.rig.client.workflow.getHandle(`cutover-${soak.staging.herokuApp}`).fetchHistory(),
    );
    const places = [
      { name: 'history', text: history },
      { name: 'certificate', text: await readFile(file, 'utf8') },
    ];
    const key = await readFile(soak.signingKey, 'utf8');
    expect(
      findLeaks(places, [...soak.rig.platform.secrets(), ...key.split('\n').filter((line) => line.length > 40)]),
    ).toEqual([]);
  });
});

describe('npm run certificate:verify', () => {
  const verify = async (...args: readonly string[]): Promise<{ code: number | null; output: string }> => {
    const program = await startProgram(['node', 'scripts/certificate-verify.mjs', ...args]);
    const { code } = await program.ended;
    const output = program.output();
    await program.dispose();
    return { code, output };
  };

  test('says that the certificate holds, and what it says', async () => {
    const { code, output } = await verify(file, '--key', soak.publicKey);
    expect(output).toMatch(/holds, signed by the owner of/);
    expect(output).toMatch(/head 0003_audit_grants/);
    expect(code).toBe(0);
  });

  test('says that one does not hold of which a word was changed', async () => {
    const changed = path.join(soak.certificates, 'changed.json');
    await writeFile(changed, (await readFile(file, 'utf8')).replace('"red": ', '"red": 1'));
    const { code, output } = await verify(changed, '--key', soak.publicKey);
    expect(output).toMatch(/does not hold: the signature is not one of what it says/);
    expect(code).toBe(1);
    expect((await verify(path.join(soak.certificates, 'nowhere.json'))).output).toMatch(/cannot be read/);
  });
});

describe('production that requires it', () => {
  let app: RehearsedApp;
  beforeAll(async () => {
    app = await soak.rig.add(raptor, { merged: true, target: requires() });
  });

  const requires =
    (more: Record<string, unknown> = {}) =>
    (target: Record<string, unknown>): void => {
      Object.assign(target, { stagingCertificate: { ...soak.required, ...more } });
      Object.assign(target, { approvals: { approvers: ['Ada', 'Bo'], onCall: ['Cy'] } });
    };
  const targets = (): string => soak.rig.workerEnv['CUTOVER_TARGETS'] ?? '';

  test('plans with what was observed', async () => {
    const handle = await soak.rig.start(app, { mode: 'plan' });
    const { plans, outcome } = await handle.result();
    expect(outcome?.result).toBe('planned');
    const { certificate } = await certificateFile();
    expect(plans.go?.facts.stagingSoak).toMatchObject({ kind: 'observed', app: soak.staging.herokuApp });
    expect(plans.go?.facts).toMatchObject({
      release: { commit: certificate.commit },
      migrations: { heads: [certificate.head] },
      matrixDigest: certificate.matrixDigest,
    });
  });

  type Change = (good: Certificate) => Certificate;
  const another =
    (change: Partial<Certificate>): Change =>
    (good) => ({ ...good, ...change });
  test.each<
    [string, string, { certificate?: Change; target?: Record<string, unknown>; text?: (good: string) => string }]
  >([
    ['of another commit', 'CertificateDiffers', { certificate: another({ commit: 'f'.repeat(40) }) }],
    ['of another head', 'CertificateDiffers', { certificate: another({ head: '0002_paper_orders' }) }],
    ['of another matrix', 'CertificateDiffers', { certificate: another({ matrixDigest: '0'.repeat(64) }) }],
    ['too old', 'CertificateTooOld', { target: { maxAge: '1s' } }],
    ['tampered with', 'CertificateInvalid', { text: (good) => good.replace('"restarts": ', '"restarts": 1') }],
    ['that is not there', 'CertificateMissing', { target: { file: 'nowhere.json' } }],
  ])('refuses one %s: %s, and nothing was changed', async (_, type, { certificate, target = {}, text }) => {
    const { rig } = soak;
    const kept = await readFile(file, 'utf8');
    const writes = writesOf(rig.platform);
    try {
      await copyTarget(raptor, app, targets(), requires(target));
      if (certificate !== undefined) await reissue(certificate((await certificateFile()).certificate));
      if (text !== undefined) await writeFile(file, text(kept));
      const handle = await rig.start(app);
      await expect(handle.result()).rejects.toMatchObject({ cause: { type } });
      expect(writesOf(rig.platform)).toEqual(writes);
    } finally {
      await writeFile(file, kept);
    }
  });
});

async function certificateFile(): Promise<CertificateFile> {
  return JSON.parse(await readFile(file, 'utf8')) as CertificateFile;
}

/** As its owner signs it: what differs is what it says, and not who says so. */
async function reissue(certificate: Certificate): Promise<void> {
  const { certificates: folder, signingKey } = soak;
  await createCertificateStore({ certificatesFolder: folder, signingKey, targets: folder }).issue(certificate);
}
