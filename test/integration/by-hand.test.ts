import { exec } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor } from '../../rehearsal/apps.ts';
import type { Ending } from '../../rehearsal/start/command.ts';
import { rehearse } from '../../rehearsal/start/rehearse.ts';
import type { Rehearsal } from '../../rehearsal/start/set-up.ts';
import type { Status } from '../../workflows/view.ts';
import { encodings } from '../../drill/encodings.ts';
import { eventually } from './heroku-client.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { startProgram, type StartedProgram } from './started-program.ts';

const temporalCli = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';
process.env['TEMPORAL_CLI_PATH'] = temporalCli;

// It comes up while the first run is under way.
let idle: StartedProgram;
beforeAll(async () => {
  idle = await startProgram(['node', 'scripts/start.mjs', '--idle']);
});
afterAll(() => idle.dispose());

/** Runs a command as a person does who copied it, with the blanks filled in. */
async function type(command: string): Promise<string> {
  const filled = command.replace('<your name>', 'Kristerpher').replace('<why>', 'the suite is mended');
  return (await promisify(exec)(filled)).stdout;
}

/** What a command that fails says. */
async function refusal(command: string): Promise<string> {
  return type(command).then(
    (output) => Promise.reject(new Error(`it was accepted: ${output}`)),
    (error: unknown) => (error as { stdout: string }).stdout,
  );
}

describe('--hold: each thing that the run asks is answered by the printed command', () => {
  let recorder: Recorder;
  let rehearsal: Rehearsal;
  let ending: Promise<Ending>;
  const stop = new AbortController();

  beforeAll(async () => {
    recorder = createRecorder(true);
    const { terminal, next } = recorder;
    ending = rehearse({ hold: true, idle: false, terminal, signal: stop.signal, onUp: (up) => (rehearsal = up) });

    await type(await next(/^ +\( \. .*\/merge" \)$/));
    rehearsal.platform.github.setSmoke('fail');
    const approveGo = await next(/ workflow signal .*--name approve .*"gate":"go"/);
    // A slip of the pen first: it opens nothing, and the person is told.
    await type(approveGo.replace(/"plan":"[0-9a-f]{12}/, '"plan":"000000000000'));
    await next(/approve from Kristerpher was refused: it names the plan 000000000000/);
    await type(approveGo);
    const resolve = await next(/ workflow signal .*--name resolve .*"step":"smoke"/);
    rehearsal.platform.github.setSmoke('pass');
    await type(resolve);
    await type(await next(/ workflow signal .*--name approve .*"gate":"rm-11"/));
    await type(await next(/ workflow signal .*--name launch .*"continuousProtection":true/));
    await next(/Everything stays up/);
  });
  afterAll(async () => {
    stop.abort();
    await ending;
  });

  test('the run completes, and says who decided', () => {
    const text = recorder.lines.join('\n');
    expect(text).toMatch(/✔ go +[\d.]+ (s|min.*s) {2}approved by Kristerpher/);
    expect(text).toMatch(/✘ smoke +parked in attempt 1: SmokeFailed/);
    expect(text).toMatch(/✔ smoke +[\d.]+ s {2}done/);
    expect(text).toMatch(/Summary: completed/);
    expect(text).toMatch(/gate rm-11 +approved by Kristerpher/);
    expect(text).toMatch(/postgresql as raptor_app ✔/);
  });

  test('the Web UI gets the same message, ready to paste', () => {
    const blocks = recorder.lines.join('\n').matchAll(/Send a Signal > \w+, with\n( +)(\{\n.*?\n\1\})$/gms);
    const json = [...blocks].map((match) => JSON.parse(match[2] ?? '') as object);
    expect(json).toMatchObject([
      { gate: 'go', by: '<your name>', plan: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { step: 'smoke', attempt: 1, action: 'retry' },
      { gate: 'rm-11' },
      { by: '<your name>', backup: { continuousProtection: true } },
    ]);
  });

  test('no secret of the run was shown', () => {
    const text = recorder.lines.join('\n');
    const secrets = rehearsal.platform.secrets();
    expect(secrets.length).toBeGreaterThan(5);
    for (const form of secrets.flatMap(encodings)) expect(text.includes(form)).toBe(false);
  });

  test('it stays up until it is told to stop, and then everything is gone', async () => {
    expect(existsSync(rehearsal.dir)).toBe(true);
    stop.abort();
    expect(await ending).toBe('verified');
    expect(existsSync(rehearsal.dir)).toBe(false);
    expect(rehearsal.worker.process.exitCode ?? rehearsal.worker.process.signalCode).not.toBeNull();
  });
});

describe('--idle: the commands of the manual', () => {
  let cli: (rest: string) => string;
  const id = 'cutover-raxx-api-prod';
  const startOf = (workflowId: string, input: string): string =>
    cli(`start --type productionCutover --task-queue cutover --workflow-id ${workflowId} --input '${input}'`);

  beforeAll(async () => {
    const [, address = ''] = await idle.says(/Temporal +(127\.0\.0\.1:\d+)/);
    cli = (rest) => `${temporalCli} workflow ${rest.replace(/^\w+/, (verb) => `${verb} --address ${address}`)}`;
    await idle.says(/Ctrl-C stops everything/);
  });

  test.each([
    ['another field', id, '{"app":"raxx-api-prod","requestedby":"Rita"}', /requestedBy: Required.*requestedby/],
    [
      'an unknown app',
      'cutover-raxx-api-prd',
      '{"app":"raxx-api-prd","requestedBy":"Rita"}',
      /no target file for raxx-api-prd; this worker knows .*raxx-api-prod/,
    ],
    [
      'another workflow id',
      'cutover',
      '{"app":"raxx-api-prod","requestedBy":"Rita"}',
      /expected cutover-raxx-api-prod/,
    ],
  ])('%s is refused with what is wrong', async (_what, workflowId, input, said) => {
    await type(startOf(workflowId, input));
    expect(await refusal(cli(`result --workflow-id ${workflowId}`))).toMatch(said);
  });

  test('run the same cutover', async () => {
    await type(startOf(id, '{"app":"raxx-api-prod","requestedBy":"Rita"}'));
    const [merge = ''] = await idle.says(/\( \. .*\/merge" \)/);
    await type(merge);
    for (const gate of ['go', 'rm-11']) {
      const { waitingFor } = await statusWhere((status) => status.waitingFor?.message['gate'] === gate);
      // The memo says so too, for when no worker is up.
      expect(await type(cli(`describe --workflow-id ${id}`))).toContain(`approval of the gate ${gate}`);
      const plan = String(waitingFor?.message['plan']);
      await type(
        cli(
          `signal --workflow-id ${id} --name approve --input '{"gate":"${gate}","by":"Kristerpher","plan":"${plan}"}'`,
        ),
      );
    }
    const launch = (await statusWhere((status) => status.waitingFor?.signal === 'launch')).waitingFor?.message ?? {};
    const payload = JSON.stringify({ ...launch, by: 'Kristerpher' });
    await type(cli(`signal --workflow-id ${id} --name launch --input '${payload}'`));
    const result = await type(cli(`result --workflow-id ${id}`));
    expect(result).toMatch(/Every step is done and verified/);
    const [, app = ''] = await idle.says(/^ {2}app +(\S+)$/m);
    expect(await (await fetch(`${app}/ready`)).json()).toMatchObject({
      dialect: 'postgresql',
      current_user: 'raptor_app',
    });
  });

  async function statusWhere(isSo: (status: Status) => boolean): Promise<Status> {
    for (;;) {
      const output = await type(cli(`query --workflow-id ${id} --type status --output json`));
      const [status] = (JSON.parse(output) as { queryResult: Status[] }).queryResult;
      if (status !== undefined && isSo(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
});

describe('a rehearsal that cannot succeed says why', () => {
  const signal = new AbortController().signal;
  const common = { hold: false, idle: false, signal };

  test('a refused run ends at once, with its refusal', async () => {
    const { terminal, lines } = createRecorder(false);
    const app = { ...raptor, addon: { name: 'raxx-api-prod', plan: 'essential-0' } } as const;
    expect(await rehearse({ ...common, app, terminal })).toBe('failed');
    expect(lines.join('\n')).toMatch(/Summary: refused\n {2}DatabasePlanTooSmall: /);
    expect(lines.join('\n')).toMatch(/config-check +not finished\n +inspect-pull-request +not reached/);
  });

  test('a worker that cannot start is noticed, with the end of its log', async () => {
    const { terminal } = createRecorder(false);
    const refused = rehearse({ ...common, terminal, workerEnv: { HEROKU_API_KEY: '' } });
    await expect(refused).rejects.toThrow(/The worker has ended by itself\..*HEROKU_API_KEY is missing/s);
  });

  test('so is one that dies while nothing happens', async () => {
    const { terminal } = createRecorder(true);
    const logged = (dir: string) => (): Promise<string> => readFile(path.join(dir, 'worker.log'), 'utf8');
    // The SDK's entries are sorted before they are written, which takes a moment.
    const kill = ({ worker, dir }: Rehearsal): void =>
      void eventually(logged(dir), (log) => log.includes('RUNNING')).then(() => worker.process.kill('SIGKILL'));
    const died = rehearse({ ...common, idle: true, terminal, onUp: kill });
    await expect(died).rejects.toThrow(/The worker has ended by itself\..*"state":"RUNNING"/s);
  });
});
