import { raptor, type DeployedApp, type RehearsedApp } from '../apps.ts';
import { keepDurations } from '../durations.ts';
import { writeFingerprint } from '../fingerprint.ts';
import type { OwnApp } from '../own-app/read.ts';
import { scenarios, type Scenario } from '../scenarios.ts';
import { untilAborted } from './abort.ts';
import { createByHand, type ByHand } from './by-hand.ts';
import type { Ending } from './command.ts';
import type { Options } from './options.ts';
import { perform, performSoak } from './perform.ts';
import { performPlan } from './plan.ts';
import { createReporter, stopAll } from './reporter.ts';
import { setUp, type Rehearsal } from './set-up.ts';
import { stageOwn, stageShipped } from './staging.ts';
import { createTeardown } from './teardown.ts';
import type { Terminal } from './terminal.ts';
import { duration } from './text.ts';

export interface RehearseOptions
  extends
    Pick<Options, 'hold' | 'idle' | 'scenario' | 'fingerprint'>,
    Partial<Pick<Options, 'encrypt' | 'plan' | 'sqlFile'>> {
  readonly terminal: Terminal;
  /** Ends the rehearsal, whatever it is doing. */
  readonly signal: AbortSignal;
  /** Raptor, unless given. */
  readonly app?: RehearsedApp;
  /** The user's app, in place of one of ours. */
  readonly own?: OwnApp;
  /** Added to the worker's environment. */
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** Folder in which rehearsals leave how long their steps took; without one, nothing is left or read. */
  readonly durations?: string;
  /** Told when everything is up. */
  readonly onUp?: (rehearsal: Rehearsal) => void;
}

/**
 * A whole rehearsal: brings everything up, performs the cutover or leaves that to a person, and stops what it started,
 * however it ends.
 *
 * @throws when a part could not be started or died; the message is for people
 */
export async function rehearse(options: RehearseOptions): Promise<Ending> {
  const { terminal, signal, hold, idle, encrypt = false, own, workerEnv = {}, onUp } = options;
  const scenario: Scenario = scenarios[options.scenario ?? 'clean'];
  const staging = own ? stageOwn(own, terminal) : stageShipped(options.app ?? raptor, scenario);
  const { app } = staging;
  const teardown = createTeardown();
  try {
    const began = Date.now();
    terminal.line(terminal.colors.bold(`Raptor Cutover: a rehearsal of ${app.herokuApp} on this machine`));
    const report = createReporter(terminal);
    const rehearsal = await setUp({ staging, report, teardown, signal, workerEnv, encrypt });
    // Before anything is announced: what it writes down is there for whoever reads the announcement.
    const byHand = await createByHand(rehearsal, app);
    terminal.busy('');
    terminal.line(`  everything is up after ${duration(Date.now() - began)}`);
    for (const line of [...addresses(rehearsal, app), ...byHand.reading()]) terminal.line(`  ${line}`);
    onUp?.(rehearsal);
    if (idle) {
      tellHowToStart(terminal, byHand);
      await untilAborted(rehearsal.alive);
      throw rehearsal.alive.reason;
    }
    if (options.scenario !== undefined) terminal.line(`  scenario  ${options.scenario}: ${scenario.summary}`);
    if (options.plan === true) {
      const { sqlFile, durations } = options;
      return (await performPlan({ rehearsal, app, terminal, sqlFile, durations })) ? 'verified' : 'failed';
    }
    const performance = { rehearsal, app, scenario, byHand, terminal, hold };
    if ((await performSoak(performance, teardown)) !== null) return 'failed';
    const { verified, status } = await perform(performance);
    if (verified && options.durations !== undefined) {
      await keepDurations(options.durations, status, options.scenario ?? 'clean');
    }
    if (verified && options.fingerprint !== undefined) {
      await writeFingerprint(rehearsal.platform, app, options.fingerprint, own?.database);
      terminal.line(`  the shape of the schema stands in ${options.fingerprint}`);
    }
    if (terminal.interactive) {
      terminal.line('\nEverything stays up, so that you can look around. Ctrl-C stops it.');
      await untilAborted(signal);
    }
    return verified ? 'verified' : 'failed';
  } catch (error) {
    if (!signal.aborted) throw error;
    terminal.line('\nInterrupted: stopping everything.');
    return 'interrupted';
  } finally {
    await stopAll(terminal, teardown);
  }
}

function addresses({ temporal, platform }: Rehearsal, app: DeployedApp): string[] {
  return [
    `Web UI    ${temporal.uiUrl ?? 'none'}/namespaces/default/workflows`,
    `Temporal  ${temporal.address}`,
    `app       ${platform.heroku.webUrl(app.herokuApp)}`,
  ];
}

function tellHowToStart(terminal: Terminal, byHand: ByHand): void {
  const lines = [...byHand.start(), ...byHand.merge(), ...byHand.approveSomeGate()];
  terminal.line('\nNo run was started. By hand:');
  for (const line of lines) terminal.line(`  ${line}`);
  terminal.line('\nCtrl-C stops everything.');
}
