import { writeFile } from 'node:fs/promises';
import { raptor, type RehearsedApp } from '../apps.ts';
import type { AppOptions } from '../deploy-app.ts';
import { startPlatform } from '../platform.ts';
import { preparePython } from '../python.ts';
import { scenarios, type Scenario } from '../scenarios.ts';
import { untilAborted } from '../start/abort.ts';
import type { Ending } from '../start/command.ts';
import { createReporter, stopAll } from '../start/reporter.ts';
import { scratchFolder } from '../start/scratch.ts';
import { createTeardown } from '../start/teardown.ts';
import type { Terminal } from '../start/terminal.ts';
import { duration, exportLines, shellWord } from '../start/text.ts';
import type { PracticeOptions } from './options.ts';

/**
 * Starts the stand-ins with Raptor on them, says how the official CLI is pointed at them, and keeps them up until it is
 * told to stop.
 *
 * @throws when a part could not be started; the message is for people
 */
export async function practise(options: PracticeOptions, terminal: Terminal, signal: AbortSignal): Promise<Ending> {
  const teardown = createTeardown();
  const report = createReporter(terminal);
  try {
    const began = Date.now();
    const { app, state } = startingState(options);
    terminal.line(terminal.colors.bold(`Raptor Cutover: stand-ins with ${app.herokuApp} on them, on this machine`));
    const { dir } = await scratchFolder(teardown);
    const { bin } = await preparePython(report, { signal });
    report('starting PostgreSQL and the stand-ins for Heroku and GitHub');
    const platform = await startPlatform({ dir, pythonBin: bin, signal });
    teardown.layer().add('the stand-ins', () => platform.stop());
    report(`deploying ${app.herokuApp}`);
    await platform.addApp(app, state);
    signal.throwIfAborted();

    const { GITHUB_API_URL = '', GITHUB_TOKEN = '' } = platform.workerEnv;
    const lines = exportLines({ ...platform.cliEnv, GITHUB_API_URL, GITHUB_TOKEN });
    if (options.envFile !== undefined) await writeFile(options.envFile, `${lines.join('\n')}\n`, { mode: 0o600 });
    terminal.busy('');
    terminal.line(`  everything is up after ${duration(Date.now() - began)}`);
    terminal.line(`  Heroku    ${platform.heroku.url}`);
    terminal.line(`  GitHub    ${platform.github.url}/repos/${app.repository}`);
    terminal.line(`  app       ${platform.heroku.webUrl(app.herokuApp)}`);
    terminal.line('\nIn another terminal, to point the official Heroku CLI there (and nowhere else):\n');
    const said = options.envFile === undefined ? lines : [`. ${shellWord(sourced(options.envFile))}`];
    for (const line of said) terminal.line(`  ${line}`);
    terminal.line(`\nThen, for example: heroku config:get DATABASE_URL -a ${app.herokuApp}`);
    terminal.line('The whole procedure by hand: docs/practice.md. Ctrl-C stops everything.');
    await untilAborted(signal);
    return 'interrupted';
  } catch (error) {
    if (!signal.aborted) throw error;
    return 'interrupted';
  } finally {
    if (signal.aborted) terminal.line('\nInterrupted: stopping everything.');
    await stopAll(terminal, teardown);
  }
}

/** A file without a folder would be looked for on PATH by `.`. */
function sourced(file: string): string {
  return file.includes('/') ? file : `./${file}`;
}

function startingState(options: PracticeOptions): { app: RehearsedApp; state: AppOptions } {
  const scenario: Scenario = scenarios[options.scenario ?? 'clean'];
  const elsewhere: AppOptions = options.unattached || options.sqlite ? { attachAs: 'HEROKU_POSTGRESQL_AMBER' } : {};
  const byHand: AppOptions = options.sqlite ? { configVars: { DATABASE_URL: 'sqlite+pysqlite:///./raptor.db' } } : {};
  const plan = options.plan ?? raptor.addon.plan;
  return {
    app: { ...raptor, addon: { ...raptor.addon, plan } },
    state: { ...scenario.options, ...elsewhere, ...byHand, merged: options.merged },
  };
}
