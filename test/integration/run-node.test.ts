import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { typescriptFlags } from '../../scripts/run-node.mjs';

const runNode = new URL('../../scripts/run-node.mjs', import.meta.url).href;
let dir: string;
let program: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'run-node-'));
  program = join(dir, 'program.ts');
  await writeFile(
    program,
    `
    let presses: number = 0;
    const end = (code: number): void => void setTimeout(() => process.exit(code), 700);
    process.on('SIGINT', () => { presses += 1; console.log('SIGINT', presses); if (presses === 1) end(7); });
    process.on('SIGTERM', () => { console.log('SIGTERM'); end(9); });
    setInterval(() => undefined, 1_000);
    console.log('up', process.argv.slice(2).join());
    `,
  );
});
afterAll(() => rm(dir, { recursive: true }));

/** Starts the program by way of the script, in a process group of its own, as a terminal does. */
async function start() {
  const script = `
    const { main, runNode, typescriptFlags } = await import(${JSON.stringify(runNode)});
    await main(() => runNode([...typescriptFlags(), ${JSON.stringify(program)}, 'one', 'two']));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  const closed = once(child.stdout, 'close');
  const exited = once(child, 'exit');
  await new Promise<void>((resolve) => {
    reader.on('line', (line) => {
      lines.push(line);
      resolve();
    });
  });
  return { pid: child.pid ?? 0, lines, exited, closed };
}

describe('a program that a script starts', () => {
  test('gets its arguments, takes one Ctrl-C as one, and its exit code is passed on', async () => {
    const { pid, lines, exited } = await start();
    // The terminal signals the whole group, npm the script once more, and the script passes both on.
    process.kill(-pid, 'SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(pid, 'SIGINT');
    expect(await exited).toEqual([7, null]);
    expect(lines).toEqual(['up one,two', 'SIGINT 1']);
  });

  test('gets a signal that only the script was sent', async () => {
    const { pid, lines, exited } = await start();
    process.kill(pid, 'SIGTERM');
    expect(await exited).toEqual([9, null]);
    expect(lines).toEqual(['up one,two', 'SIGTERM']);
  });

  test('is ended when the script is killed outright', async () => {
    const { pid, lines, exited, closed } = await start();
    process.kill(pid, 'SIGKILL');
    expect(await exited).toEqual([null, 'SIGKILL']);
    await closed;
    expect(lines).toEqual(['up one,two', 'SIGTERM']);
  });
});

test('TypeScript is loaded without a process in between, by what each Node knows', () => {
  expect(typescriptFlags('20.6.0')).toEqual(['--import', 'tsx']);
  expect(typescriptFlags('24.0.0')).toEqual(['--import', 'tsx']);
  expect(typescriptFlags('20.3.1')).toContain('--loader');
});
