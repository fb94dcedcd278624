import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { inOrder, readHistories } from '../../../audit/history.ts';
import { readFolder, recordOf, signatureFile, writeFolder } from '../../../audit/record-files.ts';
import { isSignedBy, signManifest } from '../../../audit/signature.ts';
import { verifyRecord } from '../../../audit/verify.ts';
import { eventfulRun, payload, runOf, savedChains, written } from './histories.ts';

const { files } = recordOf([eventfulRun()]);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cutover-record-'));
});
afterEach(() => rm(dir, { recursive: true }));
const at = (name: string): string => path.join(dir, name);

describe('the folder of a record', () => {
  test('has everything, and what is read back holds', async () => {
    await writeFolder(at('deep/record'), files);
    const { signature, ...read } = await readFolder(at('deep/record'));
    expect(signature).toBeUndefined();
    expect(read).toEqual(files);
    expect(verifyRecord(read)).toEqual([]);
    expect(await readdir(at('deep'))).toEqual(['record']);
  });

  test('is checked by sha256sum too', async () => {
    await writeFolder(at('record'), files);
    const said = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: at('record'), encoding: 'utf8' });
    expect(said.trim().split('\n')).toHaveLength(4);
  });

  test('takes the place of the one before, and a signature of that one is gone', async () => {
    await writeFolder(at('record'), files, () => Promise.resolve(Buffer.from('of another')));
    const { files: later } = recordOf([runOf([written.started({ app: 'written', requestedBy: 'Bo' })])]);
    await writeFolder(at('record'), later);
    const { signature, ...read } = await readFolder(at('record'));
    expect({ signature, read }).toEqual({ signature: undefined, read: later });
    expect(await readdir(dir)).toEqual(['record']);
  });

  test('is left as it is where it holds something else', async () => {
    await mkdir(at('mine'));
    await writeFile(at('mine/thesis.txt'), 'years of work');
    await expect(writeFolder(at('mine'), files)).rejects.toThrow(/thesis.txt, which is no part of a record/);
    expect(await readdir(at('mine'))).toEqual(['thesis.txt']);
  });

  test('is the old one where the new one cannot be finished', async () => {
    await writeFolder(at('record'), files);
    await expect(writeFolder(at('record'), files, () => Promise.reject(new Error('no key')))).rejects.toThrow('no key');
    expect((await readFolder(at('record')))['record.json']).toBe(files['record.json']);
    expect(await readdir(dir)).toEqual(['record']);
  });

  test('that is none is told', async () => {
    await expect(readFolder(at('nowhere'))).rejects.toThrow(/is no record/);
  });
});

describe('a signature', () => {
  const ed25519 = async (): Promise<[string, string]> => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await writeFile(at('key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    await writeFile(at('public.pem'), publicKey.export({ format: 'pem', type: 'spki' }));
    return [at('key.pem'), at('public.pem')];
  };
  const ssh = (name = 'id'): Promise<[string, string]> => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'auditor', '-f', at(name)]);
    return Promise.resolve([at(name), at(`${name}.pub`)]);
  };

  test.each([
    ['Ed25519 in PEM', ed25519],
    ['SSH', ssh],
  ] as const)('by a key of %s is its own, of this manifest alone', async (_, makeKey) => {
    const [key, publicKey] = await makeKey();
    await writeFolder(at('record'), files, (manifest) => signManifest(manifest, key));
    const { signature = Buffer.alloc(0), SHA256SUMS: manifest = '' } = await readFolder(at('record'));
    expect(await isSignedBy(manifest, signature, publicKey)).toBe(true);
    expect(await isSignedBy(manifest.replace('a', 'b'), signature, publicKey)).toBe(false);
    const broken = Buffer.from(signature);
    broken[40] = (broken[40] ?? 0) ^ 1;
    expect(await isSignedBy(manifest, broken, publicKey)).toBe(false);
    expect((await readdir(at('record'))).filter((name) => !Object.hasOwn(files, name))).toEqual([signatureFile]);
  });

  test('by another key of the same kind does not count', async () => {
    const [key] = await ssh();
    const [, other] = await ssh('other');
    expect(await isSignedBy('x', Buffer.from(await signManifest('x', key)), other)).toBe(false);
  });

  test('by SSH for another purpose does not count', async () => {
    const [key, publicKey] = await ssh();
    await writeFile(at('x'), 'x');
    execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', key, at('x')], { stdio: 'ignore' });
    expect(await isSignedBy('x', await readFile(at('x.sig')), publicKey)).toBe(false);
  });

  test('cannot be made with what is no such key, and the key is not shown', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    await writeFile(at('p256.pem'), pem);
    await writeFile(at('junk'), 'hunter2', { mode: 0o600 });
    await expect(signManifest('x', at('p256.pem'))).rejects.toThrow(/is no private Ed25519 key/);
    await expect(signManifest('x', at('nowhere'))).rejects.toThrow(/cannot be read \(ENOENT\)/);
    const refused = await signManifest('x', at('junk')).catch((error: Error) => error);
    expect((refused as Error).message).toMatch(/did not sign/);
    expect((refused as Error).message).not.toContain('hunter2');
  });
});

describe('a history', () => {
  const { events } = eventfulRun();
  const headOf = (text: string): string => recordOf(inOrder(readHistories(text, 'a file'))).record.head;

  test.each<[string, unknown]>([
    ['as the Web UI and the CLI write it', { events }],
    ['as the HTTP API answers it', { history: { events } }],
    ['as a bare list', events],
    ['as a list of runs', [{ events }]],
  ])('%s makes the same record', (_, exported) => {
    expect(headOf(JSON.stringify(exported))).toBe(recordOf([eventfulRun()]).record.head);
  });

  test('with types as older tools spell them, and payloads that a codec server decoded, tells the same', () => {
    const decoded = JSON.parse(JSON.stringify(events), (_key, value: unknown) => {
      const { metadata, data } = (value ?? {}) as { metadata?: unknown; data?: string };
      return metadata === undefined ? value : JSON.parse(Buffer.from(data ?? '', 'base64').toString());
    }) as { eventType: string }[];
    const spelled = decoded.map((event) => ({
      ...event,
      eventType: event.eventType
        .replace('EVENT_TYPE_', '')
        .toLowerCase()
        .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    }));
    const { record } = recordOf(inOrder(readHistories(JSON.stringify({ events: spelled }), 'a file')));
    const told = ({ entries }: typeof record) =>
      entries.map(({ kind, text, who, data }) => ({ kind, text, who, data }));
    const withoutNames = (list: ReturnType<typeof told>) => list.filter(({ kind }) => kind !== 'event');
    expect(withoutNames(told(record))).toEqual(withoutNames(told(recordOf([eventfulRun()]).record)));
  });

  test('of several runs is put in order, whichever way they are given', () => {
    const chain = Object.entries(savedChains).find(([name]) => name.endsWith('/continued-as-new'))?.[1] ?? [];
    expect(inOrder(chain.toReversed())).toEqual(chain);
    expect(() => inOrder([...chain, ...chain])).toThrow(/One run was given twice/);
    expect(() => inOrder(chain.filter((_, index) => index !== 1))).toThrow(/do not make one chain/);
    expect(inOrder(chain.slice(2))).toHaveLength(chain.length - 2);
  });

  test('whose first runs were deleted tells what was carried over, and which run is missing', () => {
    const chain = Object.entries(savedChains).find(([name]) => name.endsWith('/continued-as-new'))?.[1] ?? [];
    const { record, files: some } = recordOf(chain.slice(1));
    expect(record.continues).toBe(chain[0]?.runId);
    expect(record.entries.filter(({ kind }) => kind === 'carried').map(({ name }) => name)).toContain('gateOpened');
    expect(verifyRecord(some)).toEqual([]);
  });

  test.each([
    ['no JSON', '{', /is not JSON/],
    ['no history', '{"a":1}', /no history of a workflow/],
    ['a part of one', JSON.stringify({ events: events.slice(1) }), /does not begin with the start of a run/],
  ])('that is %s is refused with what was expected', (_, text, message) => {
    expect(() => readHistories(text, 'a file')).toThrow(message);
  });

  test('whose payloads are encrypted says how many could not be read', () => {
    const encrypted = { metadata: { encoding: Buffer.from('binary/encrypted').toString('base64') }, data: 'AAAA' };
    const start = written.started({ app: 'written', requestedBy: 'Rita' });
    const text = JSON.stringify(runOf([start, written.signal('approve', {})])).replace(
      JSON.stringify(payload({})),
      JSON.stringify(encrypted),
    );
    const { record } = recordOf(inOrder(readHistories(text, 'a file')));
    expect(record.unreadable).toBe(1);
    expect(record.entries.find(({ kind }) => kind === 'signal')?.data['payload']).toMatchObject({
      unreadable: 'binary/encrypted',
      bytes: 3,
    });
  });
});
