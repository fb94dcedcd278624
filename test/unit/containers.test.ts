import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  healthPathOf,
  projectFolder,
  readCompose,
  serverVersionOf,
  serviceOf,
  type ComposeFile,
} from '../../rehearsal/cluster/compose.ts';
import { checkTargets } from '../../worker/targets.ts';
import { readConfig } from '../../worker/config.ts';
import { copyOf, execForm, namesInContext, readDockerfile, type Instruction } from '../cluster/dockerfile.ts';

const { version } = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8')) as { version: string };
/** A version to the last digit, with what it stands on or without. */
const exact = /^[a-z0-9/-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$/;
const workers = ['worker-1', 'worker-2'];
const initServices = ['schema', 'namespace'];

let compose: ComposeFile;
let dockerfile: Instruction[];
beforeAll(async () => {
  [compose, dockerfile] = await Promise.all([readCompose(), readDockerfile()]);
});

const textOf = (keyword: string, stage: number): string[] =>
  dockerfile.filter((one) => one.keyword === keyword && one.stage === stage).map(({ text }) => text);
const lastStage = (): number => Math.max(...dockerfile.map(({ stage }) => stage));

describe('docker-compose.yml', () => {
  test('runs PostgreSQL, Temporal on it, its Web UI and two workers', () => {
    expect(Object.keys(compose.services)).toEqual([
      'postgres',
      'schema',
      'temporal',
      'namespace',
      'web-ui',
      ...workers,
    ]);
  });

  test('names every image to the last digit, and the server and what makes its schema alike', () => {
    for (const { image } of Object.values(compose.services)) expect(image).toMatch(exact);
    for (const name of initServices) {
      expect(serviceOf(compose, name).image).toBe(`temporalio/admin-tools:${serverVersionOf(compose)}`);
    }
    for (const name of workers) expect(serviceOf(compose, name).image).toBe(`raptor-cutover:${version}`);
  });

  test('publishes to this host alone, and PostgreSQL not at all', () => {
    const published = Object.entries(compose.services).flatMap(([name, { ports }]) =>
      ports.map((port) => [name, port]),
    );
    expect(published.map(([name]) => name)).toEqual(['temporal', 'web-ui', ...workers]);
    for (const [, port] of published) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('holds no secret: each is in a file that it names', () => {
    for (const { environment } of Object.values(compose.services)) {
      for (const [name, value] of Object.entries(environment)) {
        if (!/PASS|PWD|KEY|TOKEN|SECRET|CREDENTIAL/.test(name)) continue;
        expect([name, value]).toEqual([
          expect.stringMatching(/_FILE$/),
          expect.stringMatching(/^\/(run\/secrets|etc\/cutover)\//),
        ]);
      }
    }
    for (const { file } of Object.values(compose.secrets))
      expect(file).toMatch(/^\$\{CUTOVER_CONFIG:-\/etc\/cutover\}\//);
    expect(readFileSync(path.join(projectFolder, 'docker-compose.yml'), 'utf8')).not.toMatch(/:\/\/[^/\s]*:[^/\s]*@/);
  });

  test('starts each part when what it needs is there', () => {
    const needs = Object.entries(compose.services).map(([name, { depends_on: on }]) => [
      name,
      Object.entries(on).map(([other, { condition }]) => `${other} ${condition.replace('service_', '')}`),
    ]);
    expect(Object.fromEntries(needs)).toEqual({
      postgres: [],
      schema: ['postgres healthy'],
      temporal: ['schema completed_successfully'],
      namespace: ['temporal healthy'],
      'web-ui': ['temporal healthy'],
      'worker-1': ['namespace completed_successfully'],
      'worker-2': ['namespace completed_successfully'],
    });
  });

  test('checks the health of each part that stays, and starts it again', () => {
    for (const [name, { healthcheck, restart }] of Object.entries(compose.services)) {
      if (initServices.includes(name)) expect(restart).toBe('no');
      else expect(restart).toBe('unless-stopped');
      // A worker's own is in its image.
      expect(healthcheck !== undefined).toBe(!initServices.includes(name) && !workers.includes(name));
    }
    expect(healthPathOf(compose)).toBe('/api/v1/system-info');
  });

  test('keeps the workers away from the database, and lets them stop in order', () => {
    for (const name of workers) {
      expect(serviceOf(compose, name)).toMatchObject({
        networks: ['temporal'],
        stop_grace_period: '30s',
        init: true,
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
    expect(serviceOf(compose, 'postgres')).toMatchObject({ networks: ['database'] });
    expect(compose.networks['database']).toEqual({ internal: true });
  });

  test('defines every network, volume and secret that a part refers to', () => {
    const refers = { networks: new Set<string>(), volumes: new Set<string>(), secrets: new Set<string>() };
    for (const { networks, volumes = [], secrets = [] } of Object.values(compose.services)) {
      networks.forEach((name) => refers.networks.add(name));
      secrets.forEach((name) => refers.secrets.add(name));
      for (const volume of volumes) {
        const [name = ''] = typeof volume === 'string' ? volume.split(':') : ['.'];
        if (!name.startsWith('.')) refers.volumes.add(name);
      }
    }
    for (const kind of ['networks', 'volumes', 'secrets'] as const) {
      expect([kind, [...refers[kind]].sort()]).toEqual([kind, Object.keys(compose[kind]).sort()]);
    }
  });

  test('runs scripts that are there, with variables that they are given', () => {
    for (const name of [...initServices, 'temporal']) {
      const { entrypoint = [], environment } = serviceOf(compose, name);
      const [shell, script = ''] = entrypoint;
      expect([shell, path.dirname(script)]).toEqual(['/bin/sh', '/cluster']);
      const text = readFileSync(path.join(projectFolder, script), 'utf8');
      const wanted = [...text.matchAll(/\$\{?([A-Z][A-Z_]+)/g)].map(([, variable]) => variable ?? '');
      expect(Object.keys(environment)).toEqual(expect.arrayContaining(wanted));
    }
    const { environment } = serviceOf(compose, 'temporal');
    expect(statSync(path.join(projectFolder, environment['DYNAMIC_CONFIG_FILE_PATH'] ?? '')).isFile()).toBe(true);
  });
});

describe('the workers of docker-compose.yml', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'cutover-compose-'));
    for (const name of ['etc/cutover/targets', 'var/lib/cutover/records']) {
      await mkdir(path.join(folder, name), { recursive: true });
    }
    for (const name of ['heroku', 'github']) await writeFile(path.join(folder, 'etc/cutover', name), 'not-a-token\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A worker's environment, with the folders of the container in a scratch folder. */
  const environmentOf = (name: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(serviceOf(compose, name).environment).map(([variable, value]) => [
        variable,
        value.startsWith('/') ? path.join(folder, value) : value,
      ]),
    );

  test.each(workers)('%s starts with what it is given, and is warned of the connection in clear', (name) => {
    const config = readConfig(environmentOf(name));
    expect(config).toMatchObject({
      temporal: {
        address: 'temporal:7233',
        namespace: serviceOf(compose, 'namespace').environment['TEMPORAL_NAMESPACE'],
      },
      heroku: { token: { value: 'not-a-token' } },
      github: { token: { value: 'not-a-token' } },
      metrics: { host: '0.0.0.0', port: 9464 },
    });
    expect(config.warnings).toEqual([expect.stringContaining('leaves this machine without TLS')]);
  });

  test('are given only variables that a worker reads', () => {
    const given = environmentOf('worker-1');
    const seen = (variables: NodeJS.ProcessEnv): string => {
      try {
        return JSON.stringify(readConfig(variables));
      } catch (error) {
        return (error as Error).message;
      }
    };
    for (const name of Object.keys(given))
      expect([name, seen({ ...given, [name]: '- odd' })]).not.toEqual([name, seen(given)]);
    expect(seen({ ...given, CUTOVER_NO_SUCH: '- odd' })).toBe(seen(given));
  });

  test('find the shipped target in the folders that docs/production.md makes', async () => {
    const etc = makeFolders('mkdir -p /etc/cutover/worker', path.join(folder, 'made'));
    const inContainer = serviceOf(compose, 'worker-1').environment['CUTOVER_TARGETS'] ?? '';
    expect(await checkTargets(inContainer.replace('/etc/cutover', path.join(etc, 'worker')))).toEqual(shipped);
  });
});

/** Types what the page has for the folders, below another one. */
function makeFolders(command: string, made: string): string {
  const block = blocksOf(readFileSync(path.join(projectFolder, 'docs/production.md'), 'utf8')).find((text) =>
    text.includes(command),
  );
  const lines = (block ?? '').split('\n').filter((line) => /^(mkdir|cp) /.test(line));
  mkdirSync(made);
  const typed = lines.join('\n').replaceAll('/etc/cutover', made).replaceAll('/var/lib/cutover', made);
  execFileSync('/bin/sh', ['-ec', typed], { cwd: projectFolder });
  return made;
}
const shipped = { apps: ['raxx-api-prod'], problems: [] };

test('the small way finds the shipped target in the folders that docs/production.md makes', async () => {
  const scratch = await mkdtemp(path.join(tmpdir(), 'cutover-small-way-'));
  try {
    const etc = makeFolders('mkdir -p /etc/cutover/targets', path.join(scratch, 'made'));
    expect(await checkTargets(path.join(etc, 'targets'))).toEqual(shipped);
    expect(statSync(path.join(etc, 'records')).isDirectory()).toBe(true);
  } finally {
    await rm(scratch, { recursive: true });
  }
});

test('the commands of docs/production.md name parts that there are', () => {
  const lines = readFileSync(path.join(projectFolder, 'docs/production.md'), 'utf8').split('\n');
  const commands = lines.flatMap((line) => [
    ...line.matchAll(/docker compose (up|stop|start|build|exec|cp)([^|`;#<>]*)/g),
  ]);
  expect(commands.length).toBeGreaterThan(8);
  for (const [, verb = '', rest = ''] of commands) {
    const words = rest.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'));
    const named = verb === 'exec' ? words.slice(0, 1) : verb === 'cp' ? [words[0]?.split(':')[0] ?? ''] : words;
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(named));
  }
});

/** The fenced blocks of a document. */
function blocksOf(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
}

describe('the Dockerfile', () => {
  test('stands on a named version of Node that the project takes', () => {
    const bases = dockerfile.filter(({ keyword }) => keyword === 'FROM').map(({ text }) => text.split(' ')[0]);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:22\.\d+\.\d+-bookworm-slim$/);
  });

  test('copies what is there, and what .dockerignore lets in is all copied', async () => {
    const copied = dockerfile
      .filter(({ keyword }) => keyword === 'COPY')
      .map(copyOf)
      .flatMap(({ from, sources }) => (from === undefined ? sources : []));
    for (const source of copied) expect(statSync(path.join(projectFolder, source))).toBeDefined();
    expect(copied.sort()).toEqual((await namesInContext()).sort());
    // Whose secrets or policy lie there is the operator's business, and no image's.
    expect(copied).not.toContain('targets');
  });

  test("starts the worker itself, as nobody's superuser", () => {
    expect(execForm(textOf('CMD', lastStage())[0] ?? '')).toEqual(['node', '--enable-source-maps', 'dist/worker.js']);
    expect(textOf('USER', lastStage())).toEqual(['1000:1000']);
    expect(dockerfile.some(({ keyword }) => ['ENTRYPOINT', 'SHELL', 'ARG', 'ADD'].includes(keyword))).toBe(false);
  });

  test('says nothing secret, and where targets are looked for', () => {
    const env = textOf('ENV', lastStage()).join(' ');
    expect(env).not.toMatch(/KEY|TOKEN|PASS|SECRET/);
    for (const name of workers) {
      const { environment } = serviceOf(compose, name);
      expect(env).toContain(`CUTOVER_TARGETS=${environment['CUTOVER_TARGETS']}`);
      expect(environment['CUTOVER_HEALTH_PORT']).toBeUndefined();
    }
    expect(env).toContain('CUTOVER_HEALTH_PORT=');
  });
});
