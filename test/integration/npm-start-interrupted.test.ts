import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { leftovers, startProgram, untilGone, type StartedProgram } from './started-program.ts';

/** All that is allowed between a signal and the end. */
const limitMs = 10_000;

async function interrupted(
  options: readonly string[],
  work: (program: StartedProgram) => Promise<void>,
): Promise<void> {
  const program = await startProgram(['node', 'scripts/start.mjs', ...options]);
  try {
    await work(program);
  } finally {
    await program.dispose();
  }
}

async function expectEnd(program: StartedProgram, signal: NodeJS.Signals, code: number): Promise<void> {
  const sent = Date.now();
  program.signal(signal);
  expect(await program.ended).toEqual({ code, signal: null });
  expect(Date.now() - sent).toBeLessThan(limitMs);
  expect(await leftovers(program.tmp)).toEqual([]);
}

test.each([
  ['as set-up begins', /starting Temporal/, 'SIGINT', 130],
  ['while the worker starts', /starting the worker/, 'SIGHUP', 129],
] as const)('%s, everything is stopped', async (_when, said, signal, code) => {
  await interrupted([], async (program) => {
    await program.says(said);
    await expectEnd(program, signal, code);
  });
});

// Mostly these wait for their moment to come, so they may do it at the same time.
test.concurrent('during a step, everything is stopped', async () => {
  await interrupted([], async (program) => {
    await program.says(/✔ inspect-pull-request/);
    await expectEnd(program, 'SIGINT', 130);
  });
});

test.concurrent('at a gate that waits for a person, everything is stopped', async () => {
  await interrupted(['--hold'], async (program) => {
    const [merge = ''] = await program.says(/\( \. .*\/merge" \)/);
    await promisify(exec)(merge);
    await program.says(/--name approve --input/);
    await expectEnd(program, 'SIGTERM', 143);
  });
});

test.concurrent('a rehearsal that is killed outright in the middle of the upgrade leaves nothing either', async () => {
  await interrupted([], async (program) => {
    await program.says(/✔ go /);
    program.signal('SIGKILL');
    await program.ended;
    expect(await untilGone(program.tmp, limitMs)).toEqual([]);
  });
});
