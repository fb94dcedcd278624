import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findTemporalCli } from '../../rehearsal/temporal-cli.ts';

const WORKS = 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"';

let dir: string;
let log: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'temporal-cli-'));
  log = [];
});
afterEach(() => rm(dir, { recursive: true }));

async function executable(path: string, body: string): Promise<string> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), `#!/bin/sh\n${body}\n`);
  await chmod(join(dir, path), 0o755);
  return join(dir, path);
}

/** A Go that builds what `body` says, and leaves a trace each time it is asked. */
const fakeGo = (body: string) =>
  executable(
    'go/go',
    `echo "$@" >> ${dir}/go-asked\nprintf '#!/bin/sh\\n%s\\n' '${body}' > "$GOBIN/temporal"\n/bin/chmod 755 "$GOBIN/temporal"`,
  );

const find = (options: { path?: string[]; given?: string; download?: string } = {}) =>
  findTemporalCli((line) => log.push(line), {
    env: {
      // Only the fakes are to be found, except for what they themselves need.
      PATH: (options.path ?? []).map((name) => join(dir, name)).join(delimiter),
      RAPTOR_CUTOVER_CACHE: join(dir, 'cache'),
      ...(options.given === undefined ? {} : { TEMPORAL_CLI_PATH: options.given }),
    },
    download: async (folder) => {
      if (options.download === undefined) return 'the host is out of reach';
      await writeFile(join(folder, 'temporal-sdk'), `#!/bin/sh\n${options.download}\n`, { mode: 0o755 });
      return undefined;
    },
  });

const cached = () => join(dir, 'cache', 'temporal', 'temporal-v1.5.1');

describe('the Temporal CLI is looked for', () => {
  test('first where the user says, and nowhere else', async () => {
    const given = await executable('mine/temporal-x', WORKS);
    await executable('bin/temporal', WORKS);
    expect(await find({ given, path: ['bin'] })).toBe(given);
    await executable('mine/temporal-x', 'exit 3');
    await expect(find({ given, path: ['bin'] })).rejects.toThrow(/TEMPORAL_CLI_PATH is .*--version/);
    await expect(find({ given: join(dir, 'gone'), path: ['bin'] })).rejects.toThrow('no executable file');
  });

  test('then on PATH, ahead of the cache', async () => {
    const onPath = await executable('bin/temporal', WORKS);
    await executable('cache/temporal/temporal-v1.5.1', WORKS);
    expect(await find({ path: ['none', 'bin'] })).toBe(onPath);
  });

  test('then in the cache, also when another program is called temporal', async () => {
    await executable('bin/temporal', 'echo "temporal anomaly 3"');
    await executable('cache/temporal/temporal-v1.5.1', WORKS);
    expect(await find({ path: ['bin'] })).toBe(cached());
    expect(log.join()).toContain('passed over');
  });

  test('then it is downloaded, once', async () => {
    await fakeGo(WORKS);
    expect(await find({ path: ['go'], download: WORKS })).toBe(cached());
    expect(await find({ path: ['go'] })).toBe(cached());
    expect(await readdir(dir)).not.toContain('go-asked');
    expect(await readdir(dirname(cached()))).toEqual(['temporal-v1.5.1']);
  });

  test('then it is built with Go, once, by one of those who ask at the same time', async () => {
    await fakeGo(WORKS);
    const found = await Promise.all([find({ path: ['go'] }), find({ path: ['go'] }), find({ path: ['go'] })]);
    expect(new Set(found)).toEqual(new Set([cached()]));
    const asked = await readFile(join(dir, 'go-asked'), 'utf8');
    expect(asked).toBe('install -v github.com/temporalio/cli/cmd/temporal@v1.5.1\n');
    expect(log.join()).toContain('building the Temporal CLI');
  });

  test('and what was built or downloaded is tried before it is kept', async () => {
    await fakeGo('exit 1');
    await expect(find({ path: ['go'], download: 'exit 1' })).rejects.toThrow('was not found');
    expect(await readdir(dirname(cached()))).toEqual([]);
  });

  test('in vain: the message says what to do', async () => {
    const failure = find();
    await expect(failure).rejects.toThrow(/the host is out of reach; `go install`: Go is not installed/);
    await expect(failure).rejects.toThrow(/Install it as .* or install Go .* or set TEMPORAL_CLI_PATH/);
  });
});
