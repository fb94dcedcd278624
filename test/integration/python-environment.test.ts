import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { preparePython } from '../../rehearsal/python.ts';

let dir: string;
let env: NodeJS.ProcessEnv;
let requirements: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'python-environment-'));
  env = { ...process.env, RAPTOR_CUTOVER_CACHE: join(dir, 'cache') };
  requirements = join(dir, 'requirements.txt');
  await writeFile(requirements, '# nothing to download\n');
});
afterAll(() => rm(dir, { recursive: true }));

test('two at once make it once, and an interrupted one is made again', async () => {
  const log: string[] = [];
  const prepare = () => preparePython((line) => log.push(line), { requirements, env });
  const [one, two] = await Promise.all([prepare(), prepare()]);
  expect(one).toEqual(two);
  expect(log.filter((line) => line.startsWith('preparing'))).toHaveLength(1);
  const { stdout } = await promisify(execFile)(join(one.bin, 'python3'), ['-c', 'import sys; print(sys.prefix)']);
  expect(stdout.trim()).toBe(join(one.bin, '..'));

  await rm(join(one.bin, '..', 'complete'));
  await prepare();
  expect(log.filter((line) => line.startsWith('preparing'))).toHaveLength(2);
  expect(await readdir(join(dir, 'cache', 'python'))).toHaveLength(1);
});

test('what pip could not install is named, and nothing half made is kept', async () => {
  const broken = join(dir, 'broken.txt');
  await writeFile(broken, './no-such-folder\n');
  await expect(preparePython(() => undefined, { requirements: broken, env })).rejects.toThrow(
    /pip failed.*no-such-folder/s,
  );
  expect(await readdir(join(dir, 'cache', 'python'))).toHaveLength(1);
});

test('a machine without Python is told so', async () => {
  const bare = { ...env, PATH: dir };
  await expect(preparePython(() => undefined, { requirements, env: bare })).rejects.toThrow(
    'Python 3.9 or newer is needed',
  );
});
