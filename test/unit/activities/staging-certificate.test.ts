import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Certificate, CertificateFile } from '../../../workflows/certificate.ts';
import { sampleEvidence } from '../../workflow/sample-evidence.ts';
import { certificateKit, type CertificateKit } from './certificate-kit.ts';
import { sampleTarget } from './sample-target.ts';
import { expectRefusal } from './world-tests.ts';
import { World } from './world.ts';

// In the time that it takes: certificates are files, and in quick time minutes would pass while one is read.
let kit: CertificateKit;
beforeAll(() => {
  kit = certificateKit();
});
afterAll(() => kit.remove());

const required = (more: Record<string, unknown> = {}) => ({
  stagingCertificate: { kind: 'required', app: 'an-app-staging', key: 'soak.pub', maxAge: '7d', ...more },
});

/** A world that requires a certificate, and what it would have to say. */
function production(more: Record<string, unknown> = {}): { world: World; good: Certificate } {
  const target = { ...sampleTarget(required(more)), certificateKey: kit.publicKey };
  const world = new World(target, kit.store);
  const sample = sampleEvidence.certify.certificate;
  const good: Certificate = {
    ...sample,
    app: 'an-app-staging',
    commit: world.heroku.slug.commit,
    head: '0002',
    matrixDigest: target.matrix?.digest ?? '',
    soak: { ...sample.soak, until: new Date(Date.now() - 3_600_000).toISOString() },
  };
  return { world, good };
}

const file = (): string => path.join(kit.folder, 'an-app-staging.json');
const readFile = (): CertificateFile => JSON.parse(readFileSync(file(), 'utf8')) as CertificateFile;

describe('where a certificate is required', () => {
  test('the plan of go says what was observed, and what it rests on', async () => {
    const { world, good } = production();
    await kit.store.issue(good);
    const { facts, digest } = (await world.perform('survey', { gate: 'go' })).evidence;
    expect(facts.stagingSoak).toEqual({
      kind: 'observed',
      app: 'an-app-staging',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      issuedAt: good.issuedAt,
      cleanSeconds: 259_200,
      rollbackSeconds: 30,
      run: 'run-1',
    });
    // Approvers sign it: another certificate is another plan.
    await kit.store.issue({ ...good, requestedBy: 'Bo' });
    expect((await world.perform('survey', { gate: 'go' })).evidence.digest).not.toBe(digest);
    await expect(world.perform('confirm', { gate: 'go', approved: digest })).rejects.toMatchObject({
      type: 'FactsChanged',
    });
  });

  test('later plans do not ask for it again: production has begun', async () => {
    const { world, good } = production();
    await kit.store.issue({ ...good, head: 'another' });
    for (const gate of ['rm-11', 'launch', 'soak'] as const) {
      expect((await world.perform('survey', { gate })).evidence.facts.stagingSoak).toBeUndefined();
    }
  });

  test.each<[string, Partial<Certificate>, RegExp]>([
    ['another app', { app: 'an-app-else' }, /the app is an-app-else, expected an-app-staging/],
    ['another commit', { commit: 'f'.repeat(40) }, /the commit is f{40}, expected (d4){20}/],
    ['a commit that nobody knows', { commit: null }, /the commit is unknown, expected/],
    ['another head', { head: '0001' }, /the head is 0001, expected 0002/],
    ['another grant matrix', { matrixDigest: '00'.repeat(32) }, /the grant matrix is (00){32}, expected/],
  ])('%s is refused, and nothing is changed', async (_, change, seen) => {
    const { world, good } = production();
    await kit.store.issue({ ...good, app: 'an-app-staging', ...change });
    if (change.app !== undefined) writeFileSync(file(), readFileSync(path.join(kit.folder, `${change.app}.json`)));
    await expectRefusal(world, 'survey', 'CertificateDiffers', seen, { call: { gate: 'go' } });
  });

  test('a soak that ended too long ago is refused; the day on which it was certified does not count', async () => {
    const { world, good } = production();
    const until = new Date(Date.now() - 8 * 86_400_000 - 90_000).toISOString();
    await kit.store.issue({ ...good, issuedAt: new Date().toISOString(), soak: { ...good.soak, until } });
    await expectRefusal(world, 'survey', 'CertificateTooOld', /192 h 1 min ago; an-app expects 168 h at most/, {
      call: { gate: 'go' },
    });
  });

  test('none, or one that is not signed, is refused', async () => {
    const { world, good } = production({ file: 'nowhere.json' });
    await expectRefusal(world, 'survey', 'CertificateMissing', /there is no certificate nowhere\.json/, {
      call: { gate: 'go' },
    });
    const signed = production();
    await kit.store.issue(good);
    writeFileSync(file(), JSON.stringify({ ...readFile(), signature: null }));
    await expectRefusal(signed.world, 'survey', 'CertificateInvalid', /it is not signed/, { call: { gate: 'go' } });
    writeFileSync(file(), 'no JSON');
    await expectRefusal(signed.world, 'survey', 'CertificateInvalid', /file: /, { call: { gate: 'go' } });
  });

  test('one that another key has signed is refused, and so is a key that is none', async () => {
    const { world, good } = production();
    const other = certificateKit();
    try {
      await other.store.issue(good);
      writeFileSync(file(), readFileSync(path.join(other.folder, 'an-app-staging.json')));
    } finally {
      other.remove();
    }
    await expectRefusal(world, 'survey', 'CertificateInvalid', /not one of what it says, by that key/, {
      call: { gate: 'go' },
    });
    await kit.store.issue(good);
    world.target = { ...world.target, certificateKey: 'no key' };
    await expectRefusal(world, 'survey', 'CertificateInvalid', /is no public key/, { call: { gate: 'go' } });
  });

  test('every field that is changed afterwards is found', async () => {
    const { world, good } = production();
    await kit.store.issue(good);
    const kept = readFile();
    const places = placesIn(kept.certificate);
    expect(places.length).toBeGreaterThan(25);
    for (const place of places) {
      writeFileSync(file(), JSON.stringify({ ...kept, certificate: changedAt(kept.certificate, place) }));
      await expect(world.perform('survey', { gate: 'go' })).rejects.toMatchObject({ type: 'CertificateInvalid' });
    }
    writeFileSync(file(), JSON.stringify({ ...kept, certificate: { ...kept.certificate, more: 1 } }));
    await expect(world.perform('survey', { gate: 'go' })).rejects.toMatchObject({ type: 'CertificateInvalid' });
    // Layout is no part of what is signed.
    writeFileSync(file(), JSON.stringify(kept));
    expect((await world.perform('survey', { gate: 'go' })).evidence.facts.stagingSoak?.kind).toBe('observed');
  });
});

test('an attested soak is told as what it is, and nothing is read', async () => {
  const attested = { kind: 'attested', by: 'Ada', on: '2026-05-15', link: 'https://ci.example/soak' };
  const world = new World(sampleTarget({ stagingCertificate: attested }));
  expect((await world.perform('survey', { gate: 'go' })).evidence.facts.stagingSoak).toEqual(attested);
});

/** Every value in a certificate, by its path. */
function placesIn(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...at]];
  return Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...at, key]));
}

function changedAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) {
    if (typeof value === 'number') return value + 1;
    // As it might be changed by somebody who knows the format.
    if (value === 'restart') return 'pause';
    if (value === 'pause') return 'restart';
    if (typeof value !== 'string') return 'something';
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return new Date(Date.parse(value) + 1000).toISOString();
    return value.startsWith('0') ? `1${value.slice(1)}` : `0${value.slice(1)}`;
  }
  const inner = (value as Record<string, unknown>)[key];
  const changed = changedAt(inner, rest);
  return Array.isArray(value)
    ? value.map((one: unknown, index) => (String(index) === key ? changed : one))
    : { ...(value as object), [key]: changed };
}
