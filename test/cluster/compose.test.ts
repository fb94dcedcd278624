import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectFolder } from '../../rehearsal/cluster/compose.ts';

// The library with which Docker Compose reads its files, on ours: schema and anchors. Its program for that knows no
// variables, and not what refers to what: a unit test looks at that.

interface Model {
  readonly services: Record<string, { ports?: { host_ip: string; target: number; published: string }[] } & Json>;
  readonly secrets: Record<string, { file: string }>;
}
type Json = Record<string, unknown>;

let dir: string;
let text: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cutover-compose-'));
  text = await readFile(path.join(projectFolder, 'docker-compose.yml'), 'utf8');
});
afterAll(() => rm(dir, { recursive: true }));

async function check(content: string) {
  const file = path.join(dir, 'docker-compose.yml');
  await writeFile(file, content);
  const checker = process.env['RC_TEST_COMPOSE_CHECKER'] ?? '';
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(checker, ['--format', 'json', file], { cwd: dir, env: {} }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test('docker-compose.yml is what Compose takes', async () => {
  const { code, stdout, stderr } = await check(text);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { services, secrets } = JSON.parse(stdout) as Model;
  const ports = Object.values(services).flatMap(({ ports: published = [] }) => published);
  expect(ports.map(({ host_ip: ip, published, target }) => `${ip}:${published}:${target}`)).toEqual([
    '127.0.0.1:7233:7233',
    '127.0.0.1:8233:8080',
    '127.0.0.1:9464:9464',
    '127.0.0.1:9465:9464',
  ]);
  expect(secrets['postgres_password']?.file).toBe('/etc/cutover/postgres_password');
  expect(services['worker-1']).toMatchObject({
    volumes: [
      { type: 'bind', source: '/etc/cutover/worker', target: '/etc/cutover', read_only: true },
      { type: 'volume', source: 'records', target: '/var/lib/cutover/records' },
    ],
  });
  expect({ ...services['worker-2'], ports: null }).toEqual({ ...services['worker-1'], ports: null });
});

describe('one with a mistake is refused', () => {
  test.each([
    ['a key that Compose does not know', 'stop_grace_period: 30s', 'stop_grace_periods: 30s'],
    ['a condition that Compose does not know', 'condition: service_healthy', 'condition: healthy'],
    ['a number where a duration belongs', 'interval: 5s', 'interval: 5'],
  ])('%s', async (_what, right, wrong) => {
    expect(text).toContain(right);
    const { code, stderr } = await check(text.replace(right, wrong));
    expect(code).toBe(1);
    expect(stderr).not.toBe('');
  });
});
