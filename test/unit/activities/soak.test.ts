import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Target } from '../../../activities/target.ts';
import { soakRulesOf } from '../../../activities/soak-rules.ts';
import { readConfig } from '../../../worker/config.ts';
import { createCertificateStore } from '../../../worker/certificates.ts';
import { sampleEvidence } from '../../workflow/sample-evidence.ts';
import { certificateKit } from './certificate-kit.ts';
import { sampleTarget } from './sample-target.ts';
import { answerOverHttp } from './world-tests.ts';
import { World } from './world.ts';

const { certificate } = sampleEvidence.certify;
const { format: _format, app: _app, targetDigest: _digest, issuedAt: _issued, run: _run, ...claim } = certificate;

describe('certify', () => {
  test('without folder and key the certificate stands in the history alone', async () => {
    const world = new World();
    const since = Date.parse('2026-05-18T02:00:00Z');
    const { did, evidence } = await world.perform('certify', { certificate: claim, since });
    expect(did).toBe('observed');
    expect(evidence).toEqual({
      file: null,
      signature: null,
      certificate: {
        ...claim,
        format: 'cutover-certificate/1',
        app: 'an-app',
        targetDigest: world.target.digest,
        issuedAt: '2026-05-18T02:00:00.000Z',
        run: { workflowId: expect.any(String), runId: 'run-1', link: null },
      },
    });
  });

  test('with them it is signed and kept, as the newest of the app and by its run; twice is once', async () => {
    const kit = certificateKit();
    try {
      const world = new World(undefined, kit.store);
      const call = { certificate: claim, since: 1 };
      const { evidence } = await world.perform('certify', call);
      expect(evidence).toMatchObject({ file: 'an-app.json', signature: expect.any(String) });
      const { file, ...signed } = evidence;
      const read = (name: string): unknown => JSON.parse(readFileSync(path.join(kit.folder, name), 'utf8'));
      expect(read(file ?? '')).toEqual(signed);
      expect(read('an-app/run-1.json')).toEqual(signed);
      expect(await kit.store.isSignedBy(signed, kit.publicKey)).toBe(true);
      expect((await world.perform('certify', call)).evidence).toEqual(evidence);
    } finally {
      kit.remove();
    }
  });

  test('what keeps it from being written is told, and tried again', async () => {
    const kit = certificateKit();
    kit.remove();
    await expect(new World(undefined, kit.store).perform('certify', { certificate: claim })).rejects.toMatchObject({
      type: 'CertificateNotWritten',
      nonRetryable: false,
      message: expect.stringMatching(/an-app was not written: .*key\.pem cannot be read.*CUTOVER_SIGNING_KEY/),
    });
  });
});

test.each(['keyFile', 'folder'] as const)(
  'once its %s is back there is one certificate, whole and signed',
  async (lacking) => {
    const kit = certificateKit();
    try {
      const world = new World(undefined, kit.store);
      const call = { certificate: claim, since: 1 };
      renameSync(kit[lacking], `${kit[lacking]}.away`);
      // In the place of the folder there is a file.
      if (lacking === 'folder') writeFileSync(kit.folder, '');
      await expect(world.perform('certify', call)).rejects.toMatchObject({ type: 'CertificateNotWritten' });
      if (lacking === 'folder') rmSync(kit.folder);
      renameSync(`${kit[lacking]}.away`, kit[lacking]);
      const { evidence } = await world.perform('certify', call, { attempt: 2 });
      const { file: _file, ...signed } = evidence;
      expect(readdirSync(kit.folder, { recursive: true }).sort()).toEqual([
        'an-app',
        'an-app.json',
        'an-app/run-1.json',
      ]);
      expect(JSON.parse(readFileSync(path.join(kit.folder, 'an-app.json'), 'utf8'))).toEqual(signed);
      expect(await kit.store.isSignedBy(signed, kit.publicKey)).toBe(true);
    } finally {
      kit.remove();
    }
  },
);

test('a worker reads certificates in its folder, or beside the target files where it has none', async () => {
  const kit = certificateKit();
  try {
    await kit.store.issue(certificate);
    expect(await kit.store.read('sample-app.json')).toContain('cutover-certificate/1');
    const beside = createCertificateStore({
      certificatesFolder: undefined,
      signingKey: undefined,
      targets: kit.folder,
    });
    expect(await beside.read('sample-app.json')).toContain('cutover-certificate/1');
    expect(await beside.read('nowhere.json')).toBeUndefined();
    expect(await beside.issue(certificate)).toEqual({ signature: null, file: null });
    const tokens = { HEROKU_API_KEY: 'k', GITHUB_TOKEN: 't' };
    expect(readConfig(tokens)).toMatchObject({ certificatesFolder: undefined, signingKey: undefined });
    const env = { ...tokens, CUTOVER_CERTIFICATES_DIR: kit.folder, CUTOVER_SIGNING_KEY: kit.keyFile };
    expect(readConfig(env)).toMatchObject({ certificatesFolder: kit.folder, signingKey: kit.keyFile });
    expect(() => readConfig({ ...env, CUTOVER_SIGNING_KEY: kit.folder })).toThrow(/CUTOVER_SIGNING_KEY is not a file/);
  } finally {
    kit.remove();
  }
});

describe('the rules of a soak', () => {
  const rules = (changes: Parameters<typeof sampleTarget>[0]) => soakRulesOf(sampleTarget(changes));

  test('are those of RM-9 unless said', () => {
    expect(rules({ database: { promote: true } as never })).toEqual({
      forMs: 72 * 3_600_000,
      everyMs: 300_000,
      onRed: 'restart',
      onGap: 'pause',
      rehearses: true,
      whyNot: null,
    });
    expect(rules({ soak: { for: '10s', every: '2s', onRed: 'pause', onGap: 'restart' } })).toMatchObject({
      forMs: 10_000,
      everyMs: 2_000,
      onRed: 'pause',
      onGap: 'restart',
    });
  });

  test('say why the way back is not rehearsed', () => {
    const promote = { database: { promote: true } as never };
    expect(rules({ ...promote, soak: { rehearseWayBack: false } }).whyNot).toMatch(/turns it off/);
    const { rollback: _rollback, ...without } = sampleTarget(promote);
    expect(soakRulesOf(without as Target).whyNot).toMatch(/\(rollback\)/);
    expect(rules({ database: { promote: false } as never })).toMatchObject({
      rehearses: false,
      whyNot: expect.stringMatching(/database\.promote/),
    });
  });

  test('a time between samples that is longer than the soak is a mistake', () => {
    expect(() => sampleTarget({ soak: { for: '1m', every: '5m' } })).toThrow(/longer than soak\.for/);
  });
});

describe('a sample of a soak', () => {
  const soaked = (health?: Record<string, unknown>): World => {
    const world = new World(sampleTarget({ soak: { health } }));
    world.heroku.vars[world.target.flag.name] = world.target.flag.value;
    return world;
  };

  test('counts the errors of the health endpoint, and is red above the share that is allowed', async () => {
    const world = soaked({ path: '/health', requests: 4, maxErrorRate: 0.25 });
    let asked = 0;
    let failing = 1;
    answerOverHttp(world, (asks) => {
      if (asks !== '/health') return { status: 200, body: {} };
      asked += 1;
      return { status: asked <= failing ? 500 : 200, body: {} };
    });
    const one = (await world.perform('soak-sample')).evidence;
    expect(one).toMatchObject({ requests: 4, errors: 1 });
    expect(one.problems.filter((problem) => problem.includes('/health'))).toEqual([]);
    [asked, failing] = [0, 2];
    expect((await world.perform('soak-sample')).evidence.problems).toContain(
      '2 of 4 requests to /health failed; expected 25 % at most',
    );
  });

  test('asks no health endpoint where the target names none', async () => {
    const world = soaked();
    answerOverHttp(world);
    expect((await world.perform('soak-sample')).evidence).toMatchObject({ requests: 0, errors: 0 });
  });
});
