import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { readResults } from '../../bench/results.ts';
import { leftovers, startProgram } from './started-program.ts';

test('the benchmark measures what it is asked for, shows it, writes it down and leaves nothing', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'bench-test-'));
  const file = path.join(dir, 'figures.json');
  const program = await startProgram(['node', 'scripts/bench.mjs', '--quick', '--only', 'engine', '--json', file]);
  try {
    const { code } = await program.ended;
    expect([code, program.output()]).toEqual([0, expect.stringContaining('No target was missed.')]);
    const { measurements } = readResults(await readFile(file, 'utf8'));
    expect(measurements.map(({ id, quick }) => [id, quick])).toEqual([['engine', true]]);
    const named = new Map(measurements[0]?.figures.map((figure) => [figure.what, figure]));
    expect(named.get("Temporal's dev server: one step")).toMatchObject({ unit: 'ms', value: expect.any(Number) });
    expect(named.get("Temporal's dev server: 5 runs of 13 steps")).toMatchObject({ unit: 's' });
    expect(named.get('the server as Temporal ships it: one step')).toMatchObject({ unit: 'ms' });
    expect(named.get("one step: local activities ÷ Temporal's dev server")).toMatchObject({ unit: '×' });
    expect(program.output()).toContain('5 runs of 13 steps');
    expect(await leftovers(program.tmp)).toEqual([]);
  } finally {
    await program.dispose();
    await rm(dir, { recursive: true });
  }
});

test('a measurement that is interrupted stops what it has started, and says so by its exit code', async () => {
  const program = await startProgram(['node', 'scripts/bench.mjs', '--quick', '--only', 'engine']);
  try {
    await program.says(/one after the other/);
    program.signal('SIGINT');
    expect(await program.ended).toEqual({ code: 130, signal: null });
    expect(await leftovers(program.tmp)).toEqual([]);
  } finally {
    await program.dispose();
  }
});

test.each([
  [['--only', 'speed'], 'There is no measurement speed.'],
  [['--json', '/nowhere/figures.json'], 'There is no folder /nowhere to write the figures into.'],
  [['--from', '/nowhere/figures.json'], '/nowhere/figures.json holds no figures of the benchmark:'],
  [['--from', 'package.json'], 'package.json holds no figures of the benchmark:'],
])('%j is told with the usage', async (args, mistake) => {
  const program = await startProgram(['node', 'scripts/bench.mjs', ...args]);
  try {
    expect(await program.ended).toEqual({ code: 2, signal: null });
    expect(program.output()).toContain(mistake);
    expect(program.output()).toMatch(/\n\nUsage: npm run bench/);
  } finally {
    await program.dispose();
  }
});
