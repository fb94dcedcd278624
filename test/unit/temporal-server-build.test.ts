import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { buildTemporalServer } from '../../rehearsal/cluster/build.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'temporal-server-build-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A Go that builds programs which say a version, has a module with a schema, and leaves a trace of each question. */
async function fakeGo(says: string): Promise<string> {
  const versioned = path.join(dir, 'module/schema/postgresql/v12/temporal/versioned/v1.0');
  await mkdir(versioned, { recursive: true });
  await writeFile(path.join(versioned, 'base.sql'), 'CREATE TABLE one ();');
  // As Go keeps it.
  await chmod(versioned, 0o555);
  await mkdir(path.join(dir, 'bin'));
  const script = `#!/bin/sh
echo "$@" >> '${dir}/asked'
if [ "$1" = mod ]; then echo '{"Dir":"${dir}/module"}'; exit; fi
name=\${3##*/}; name=\${name%%@*}
printf '#!/bin/sh\\necho "${says}"\\n' > "$GOBIN/$name"
chmod 755 "$GOBIN/$name"
`;
  await writeFile(path.join(dir, 'bin/go'), script, { mode: 0o755 });
  return `${path.join(dir, 'bin')}:/usr/bin:/bin`;
}

const build = (PATH: string) =>
  buildTemporalServer('1.2.3', () => undefined, { env: { PATH, RAPTOR_CUTOVER_CACHE: path.join(dir, 'cache') } });

describe("Temporal's server", () => {
  test('is built once, with its schema beside it, by one of those who ask at the same time', async () => {
    const on = await fakeGo('temporal version 1.2.3');
    const [first, second] = await Promise.all([build(on), build(on)]);
    expect(second).toEqual(first);
    expect((await readFile(path.join(dir, 'asked'), 'utf8')).trim().split('\n')).toEqual([
      'install -v go.temporal.io/server/cmd/server@v1.2.3',
      'install -v go.temporal.io/server/cmd/tools/sql@v1.2.3',
      'mod download -json go.temporal.io/server@v1.2.3',
    ]);
    expect(await readFile(path.join(first.schemas, 'temporal/versioned/v1.0/base.sql'), 'utf8')).toMatch(/^CREATE/);
    expect((await readdir(first.bin)).sort()).toEqual(['schema', 'temporal-server', 'temporal-sql-tool']);
    expect(await readdir(path.dirname(first.bin))).toEqual(['v1.2.3']);
    // What is there needs no Go.
    expect(await build('/nowhere')).toEqual(first);
  });

  test('that says another version is not kept', async () => {
    await expect(build(await fakeGo('temporal version 1.2.4'))).rejects.toThrow(/was built, and does not work/);
    expect(await readdir(path.join(dir, 'cache/temporal-server'))).toEqual([]);
  });

  test('cannot be had without Go: the message says what to do', async () => {
    await expect(build('/nowhere')).rejects.toThrow(
      /Temporal's server 1\.2\.3 is needed .*Go is not installed.\nInstall Go \(https:\/\/go\.dev\/dl\)/,
    );
  });
});
