import { expect, test } from '@jest/globals';
import { allCases } from '../../drill/cases.ts';
import { leftovers, startProgram } from './started-program.ts';

test('the drill performs what it is asked for, shows it and leaves nothing', async () => {
  const program = await startProgram(['node', 'scripts/drill.mjs', '--seed', '5', '--only', 'plan/none']);
  try {
    const { code } = await program.ended;
    expect([code, program.output()]).toEqual([0, expect.stringContaining('Every case survived.')]);
    expect(program.output()).toContain('Seed 5: 1 cases');
    expect(program.output()).toContain('plan/none: survived');
    expect(program.output()).toMatch(/^ {2}disturbance +injected +survived +duplicate effects +lost effects/m);
    expect(await leftovers(program.tmp)).toEqual([]);
  } finally {
    await program.dispose();
  }
});

test('a drill that is interrupted stops what it has started, and says so by its exit code', async () => {
  const program = await startProgram(['node', 'scripts/drill.mjs', '--only', 'plan/none']);
  try {
    await program.says(/starting Temporal/);
    program.signal('SIGINT');
    expect(await program.ended).toEqual({ code: 130, signal: null });
    expect(await leftovers(program.tmp)).toEqual([]);
  } finally {
    await program.dispose();
  }
});

test('the list has every case, and starts nothing', async () => {
  const program = await startProgram(['node', 'scripts/drill.mjs', '--list']);
  try {
    expect(await program.ended).toEqual({ code: 0, signal: null });
    const ids = program.output().trim().split('\n');
    expect(ids).toEqual([...ids].sort((a, b) => a.localeCompare(b)));
    expect(ids.sort()).toEqual(
      allCases()
        .map(({ id }) => id)
        .sort(),
    );
  } finally {
    await program.dispose();
  }
});

test('a mistake is told with the usage', async () => {
  const program = await startProgram(['node', 'scripts/drill.mjs', '--only', 'no-such-case']);
  try {
    expect(await program.ended).toEqual({ code: 2, signal: null });
    expect(program.output()).toContain('No case has no-such-case in its id.');
    expect(program.output()).toMatch(/\n\nUsage: npm run drill/);
  } finally {
    await program.dispose();
  }
});
