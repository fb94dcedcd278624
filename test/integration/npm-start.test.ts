import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { durationsFolder, readDurations } from '../../rehearsal/durations.ts';
import { portAnswers } from '../../rehearsal/ports.ts';
import { usualPort, usualUiPort } from '../../rehearsal/start/set-up.ts';
import { encodings } from '../../drill/encodings.ts';
import { leftovers, startProgram, type StartedProgram } from './started-program.ts';

const start = (options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<StartedProgram> =>
  startProgram(['node', 'scripts/start.mjs', ...options], env);

/** The ports of the addresses that a rehearsal prints when everything is up. */
function portsIn(output: string): number[] {
  const addresses = /^ {2}(?:Web UI|Temporal|app) .*?127\.0\.0\.1:(\d+)/gm;
  return [...output.matchAll(addresses)].map((match) => Number(match[1]));
}

/** The usual ports may have gone over to a rehearsal of another test by the time that they are looked at. */
const isOwn = (port: number): boolean => port !== usualPort && port !== usualUiPort;

async function taken(ports: readonly number[]): Promise<number[]> {
  const answers = await Promise.all(ports.filter(isOwn).map(async (port) => ((await portAnswers(port)) ? [port] : [])));
  return answers.flat();
}

describe('two rehearsals beside each other, without a terminal', () => {
  let idle: StartedProgram;
  let whole: StartedProgram;
  let ports: { whole: number[]; idle: number[] };
  let secrets: string[];

  const begun = Date.now();

  beforeAll(async () => {
    idle = await start(['--idle']);
    whole = await start();
    await Promise.all([idle, whole].map((one) => one.says(/^ {2}app .*\n/m)));
    ports = { whole: portsIn(whole.output()), idle: portsIn(idle.output()) };
    secrets = await secretsOf(whole);
    await whole.ended;
  });
  afterAll(() => Promise.all([idle, whole].map((one) => one.dispose())));

  test('the default one succeeds', async () => {
    expect(await whole.ended).toEqual({ code: 0, signal: null });
  });

  test('it says how the set-up goes, and shows each step with its time and evidence', () => {
    const output = whole.output();
    for (const progress of [
      'starting Temporal',
      'starting PostgreSQL',
      'starting the worker',
      'deploying raxx-api-prod',
    ]) {
      expect(output).toContain(`\n  ${progress}`);
    }
    expect(output).toMatch(/Web UI +http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows/);
    const [story = '', summary = ''] = output.split('Summary: completed');
    expect(story).toMatch(/✔ config-check +[\d.]+ s {2}checked {2}variable DATABASE_URL/);
    expect(story).toMatch(/✔ upgrade +[\d.]+ s {2}done {2}.*0001_raptor_baseline/);
    expect(story).toMatch(/✔ go +[\d.]+ s {2}approved by Kristerpher/);
    expect(story).toMatch(/about \d+ rows; \d+ of 120 connections in use/);
    expect(story).toMatch(/to run: 0001_raptor_baseline, 0002_paper_orders, 0003_audit_grants/);
    expect(summary).toMatch(/^ {2}flag +[\d.]+ s {2}done\n +flag FLAG_RAPTOR_APP_ROLE_SEPARATION/m);
    expect(summary).toMatch(/gate go +approved by Kristerpher at .* on plan [0-9a-f]{12}/);
    expect(summary).toMatch(/gate rm-11 +approved by/);
    expect(summary).toMatch(/gate launch +approved by/);
    expect(summary).toMatch(/asked for by Rehearsal Operator; [\d.]+ s in all, \d{2,} history events/);
    expect(summary).toMatch(/from outside: .* answers 200: postgresql as raptor_app ✔/);
    // Neither colours nor a spinner where nobody looks.
    expect(output).not.toContain('\x1b');
  });

  test('it leaves how long the steps took, for the plans to come', async () => {
    const left = await readDurations(durationsFolder(), 'raxx-api-prod');
    expect(Date.parse(left?.on ?? '')).toBeGreaterThan(begun);
    expect(Object.keys(left?.steps ?? {})).toEqual(expect.arrayContaining(['upgrade', 'grants', 'seal']));
  });

  test('no secret of the run is in its output', () => {
    expect(secrets.length).toBeGreaterThanOrEqual(4);
    for (const form of secrets.flatMap(encodings)) expect(whole.output().includes(form)).toBe(false);
  });

  test('it leaves no process, no file and no port', async () => {
    expect(await leftovers(whole.tmp)).toEqual([]);
    expect(ports.whole).toHaveLength(3);
    expect(await taken(ports.whole)).toEqual([]);
  });

  test('they share no port, and the other one goes on until Ctrl-C, pressed twice', async () => {
    expect(new Set([...ports.whole, ...ports.idle]).size).toBe(6);
    expect(await taken(ports.idle)).toEqual(ports.idle.filter(isOwn));

    const pressed = Date.now();
    idle.signal('SIGINT');
    setTimeout(() => idle.signal('SIGINT'), 600);
    expect(await idle.ended).toEqual({ code: 130, signal: null });
    expect(Date.now() - pressed).toBeLessThan(10_000);
    expect(await leftovers(idle.tmp)).toEqual([]);
    expect(await taken(ports.idle)).toEqual([]);
  });
});

describe('what cannot work is said in a sentence', () => {
  const said = async (options: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const program = await start(options, env);
    const { code } = await program.ended;
    const left = await leftovers(program.tmp);
    const text = program.output();
    await program.dispose();
    expect(text).not.toMatch(/^\s+at /m);
    return { code, text, left };
  };

  test('--help explains, and an unknown option is refused with what is known', async () => {
    const [help, unknown, both] = await Promise.all([said(['--help']), said(['--hlod']), said(['--hold', '--idle'])]);
    expect(help).toMatchObject({ code: 0, text: expect.stringMatching(/^Usage: npm start/) });
    expect(unknown).toMatchObject({
      code: 2,
      text: expect.stringMatching(/^Unknown option '--hlod'\.\n\nUsage: npm start/),
    });
    expect(both).toMatchObject({ code: 2, text: expect.stringMatching(/^--hold and --idle exclude each other/) });
  });

  test('no Temporal CLI at the path that was given', async () => {
    const { code, text, left } = await said([], { TEMPORAL_CLI_PATH: '/nowhere/temporal' });
    expect(text).toMatch(/\nTEMPORAL_CLI_PATH is \/nowhere\/temporal, but that is not a Temporal CLI that works/);
    expect({ code, left }).toEqual({ code: 1, left: [] });
  });

  test('no Python', async () => {
    const nothing = await startProgram(['true']);
    const bin = path.join(nothing.tmp, 'bin');
    await mkdir(bin);
    for (const tool of ['sh', 'rm', 'sleep', 'grep', 'cat']) await symlink(await which(tool), path.join(bin, tool));
    await symlink(process.execPath, path.join(bin, 'node'));
    const { code, text, left } = await said([], { PATH: bin });
    expect(text).toMatch(
      /\nPython 3\.9 or newer is needed .* None was found on PATH\. Install it and run this again\.\n/,
    );
    expect({ code, left }).toEqual({ code: 1, left: [] });
    await nothing.dispose();
  });
});

test('on a terminal it shows what it does, stays up, and ends on Ctrl-C', async () => {
  const python = path.join(process.env['RC_TEST_PYTHON_BIN'] ?? '', 'python3');
  const inTerminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])) % 256)';
  const program = await startProgram([python, '-c', inTerminal, 'node', 'scripts/start.mjs', '--idle'], {
    TERM: 'xterm',
  });
  try {
    await program.says(/Ctrl-C stops everything/);
    const pressed = Date.now();
    program.type('\x03');
    expect(await program.ended).toEqual({ code: 130, signal: null });
    expect(Date.now() - pressed).toBeLessThan(10_000);
    expect(await leftovers(program.tmp)).toEqual([]);
    expect(program.output()).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]\S* starting/);
    const shown = screenOf(program.output());
    expect(shown).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
    expect(shown.replace(/\x1b\[\d+m/g, '')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
    expect(shown).toMatch(/^ {2}everything is up after [\d.]+ s$/m);
  } finally {
    await program.dispose();
  }
});

/** What is left to see after a terminal has done what it was told: erasing a line and going to its beginning. */
function screenOf(output: string): string {
  const lines = output.replaceAll('\r\n', '\n').split('\n');
  return lines.map((line) => line.slice(line.lastIndexOf('\r\x1b[2K') + 1).replace(/^\x1b\[2K/, '')).join('\n');
}

/** The tokens that a rehearsal keeps for commands by hand, and with them what the app's variables hold. */
async function secretsOf(program: StartedProgram): Promise<string[]> {
  const [scratch = ''] = (await readdir(program.tmp)).filter((name) => name.startsWith('raptor-cutover-'));
  const text = await readFile(path.join(program.tmp, scratch, 'rehearsal.env'), 'utf8');
  const env = Object.fromEntries(
    [...text.matchAll(/^export (\w+)='?(.*?)'?$/gm)].map((match) => [match[1], match[2] ?? '']),
  );
  const response = await fetch(`${env['HEROKU_API_URL']}/apps/raxx-api-prod/config-vars`, {
    headers: { accept: 'application/vnd.heroku+json; version=3', authorization: `Bearer ${env['HEROKU_API_KEY']}` },
  });
  const { DATABASE_URL: url = '' } = (await response.json()) as Record<string, string>;
  return [env['HEROKU_API_KEY'] ?? '', env['GITHUB_TOKEN'] ?? '', url, new URL(url).password];
}

async function which(tool: string): Promise<string> {
  const program = await startProgram(['sh', '-c', `command -v ${tool}`]);
  await program.ended;
  const found = program.output().trim();
  await program.dispose();
  return found;
}
