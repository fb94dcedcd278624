import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import pc from 'picocolors';
import { raptor, type RehearsedApp } from './apps.ts';
import { createByHand, type ByHand } from './by-hand.ts';
import { readOptions, usage, UsageError, type Options } from './options.ts';
import { lookFromOutside } from './outside.ts';
import { createPeople, waitsForMerge } from './people.ts';
import { setUp, type Rehearsal } from './rehearsal.ts';
import { createStory, planLines } from './story.ts';
import { summaryLines } from './summary.ts';
import { createTerminal, duration, plain, type Terminal } from './terminal.ts';
import type { productionCutover } from '../workflows/index.ts';
import type { Status } from '../workflows/view.ts';

/** Milliseconds between two looks at the run. */
const lookEvery = 200;

async function main(options: Options): Promise<number> {
  const terminal = createTerminal(process.stdout);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    return await rehearse(options, terminal, cleanups, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 130;
  } finally {
    terminal.busy('stopping everything');
    for (const cleanup of cleanups.reverse()) await cleanup().catch(() => undefined);
    terminal.close();
  }
}

async function rehearse(
  options: Options,
  terminal: Terminal,
  cleanups: (() => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<number> {
  const app = raptor;
  const began = Date.now();
  terminal.line(pc.bold(`Raptor Cutover: a rehearsal of ${app.herokuApp} on this machine`));
  const rehearsal = await setUp(app, progress(terminal), cleanups, signal);
  const byHand = await createByHand(rehearsal.dir, rehearsal.temporal, rehearsal.platform, app);
  terminal.busy('');
  terminal.line(`  everything is up after ${duration(Date.now() - began)}`);
  terminal.line(`  Web UI  ${rehearsal.temporal.uiUrl ?? 'none'}/namespaces/default/workflows`);
  terminal.line(`  app     ${rehearsal.platform.heroku.webUrl(app.herokuApp)}`);

  if (options.idle) {
    terminal.line('\nNo run was started. Start one, then approve its gates:');
    for (const line of [byHand.start(), ...byHand.merge()]) terminal.line(`  ${line}`);
    terminal.line('\nCtrl-C stops everything.');
    await untilStopped(signal);
    return 0;
  }

  const ok = await perform(rehearsal, app, options, terminal, byHand, signal);
  if (terminal.interactive) {
    terminal.line('\nEverything stays up, so that you can look around. Ctrl-C stops it.');
    await untilStopped(signal);
  }
  return ok ? 0 : 1;
}

async function perform(
  rehearsal: Rehearsal,
  app: RehearsedApp,
  options: Options,
  terminal: Terminal,
  byHand: ByHand,
  signal: AbortSignal,
): Promise<boolean> {
  const handle = await rehearsal.start(app, 'Rehearsal Operator');
  const people = createPeople(handle, rehearsal.platform, app);
  const story = createStory(terminal);
  const asked = new Set<string>();

  const status = await follow(handle, signal, async (seen) => {
    story.tell(seen);
    const question = ask(seen);
    if (question !== undefined && !asked.has(question)) {
      asked.add(question);
      showQuestion(seen, options.hold, terminal, byHand);
    }
    const answer = options.hold ? undefined : await people.answer(seen);
    if (answer !== undefined) terminal.line(`      ${pc.dim(answer)}`);
  });

  terminal.busy('looking from outside');
  const outside = await lookFromOutside(rehearsal.platform.heroku.webUrl(app.herokuApp), app);
  terminal.busy('');
  const { historyLength } = await handle.describe();
  for (const line of summaryLines(status, outside, historyLength)) terminal.line(line);
  return status.outcome?.result === 'completed' && outside.ok;
}

/** What the run asks of people, as one text: a new text is a new question. */
function ask(status: Status): string | undefined {
  if (status.waitingFor !== null) return JSON.stringify(status.waitingFor.message);
  return waitsForMerge(status) ? 'merge' : undefined;
}

function showQuestion(status: Status, hold: boolean, terminal: Terminal, byHand: ByHand): void {
  const gate = status.waitingFor?.message['gate'];
  const plan = gate === 'go' || gate === 'rm-11' ? status.plans[gate] : null;
  if (plan !== null) for (const line of planLines(plan, plan.digest)) terminal.line(`      ${pc.dim(line)}`);
  if (!hold && status.waitingFor?.signal !== 'resolve') return;
  const lines = status.waitingFor === null ? byHand.merge() : byHand.approve(status);
  terminal.line('');
  for (const line of lines) terminal.line(`    ${plain(line)}`);
  terminal.line('');
}

/** Looks at a run again and again until it has ended, and answers its last status. */
async function follow(
  handle: WorkflowHandle<typeof productionCutover>,
  signal: AbortSignal,
  look: (status: Status) => Promise<void>,
): Promise<Status> {
  for (;;) {
    const status = await handle.query<Status>('status');
    await look(status);
    if (status.stage === 'ended') {
      await handle.result().catch((error: unknown) => {
        // A refused run fails; its last status says everything that is to be shown.
        if (!(error instanceof WorkflowFailedError)) throw error;
      });
      return status;
    }
    await delay(lookEvery, undefined, { signal });
  }
}

/** Set-up can take minutes the first time: each thing that it does is a line of its own where there is no spinner. */
function progress(terminal: Terminal): (text: string) => void {
  let last = '';
  return (text) => {
    if (text === last) return;
    last = text;
    if (terminal.interactive) terminal.busy(text);
    else terminal.line(`  ${text}`);
  };
}

function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // A pending signal handler does not keep Node running.
    const alive = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => (clearInterval(alive), resolve()), { once: true });
  });
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${usage}\n`);
  else process.exitCode = await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
