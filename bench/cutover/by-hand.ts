import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from '../../rehearsal/packages-apart.ts';
import { runTool } from '../../rehearsal/run-tool.ts';
import type { Place } from '../measurement.ts';
import type { Stage } from './stage.ts';
import type { StepTime } from './step-time.ts';

const script = fileURLToPath(new URL('sop.sh', import.meta.url));
const grants = fileURLToPath(new URL('../../migrations/grants/raptor_app.sql', import.meta.url));
/** The very ones that the stand-in is tested with. */
const herokuCli = {
  from: fileURLToPath(new URL('../../test/heroku-cli/official', import.meta.url)),
  name: 'heroku-cli',
  what: 'the official Heroku CLI',
};
const limitMs = 10 * 60_000;

/**
 * The folder of the official CLI, which is installed where it is not yet.
 *
 * @throws Error where it, or psql, cannot be had
 */
export async function findHerokuCli({ signal, report }: Pick<Place, 'signal' | 'report'>): Promise<string> {
  const psql = await runTool('psql', ['--version'], { limitMs: 10_000, signal });
  if (psql.code !== 0)
    throw new Error(
      'psql is missing, which `heroku pg:psql` runs: install it (Debian: postgresql-client), then try again',
    );
  const folder = await installApart(herokuCli, report, signal);
  return path.join(folder, 'node_modules', '.bin');
}

/** A cutover by the document's own commands, typed by a shell. */
export async function cutOverByHand(
  { signal }: Place,
  { dir, app, platform }: Stage,
  cliBin: string,
): Promise<{ ms: number; steps: readonly StepTime[] }> {
  const home = path.join(dir, 'home');
  await mkdir(home);
  const marks: { at: number; step: string }[] = [];
  const began = performance.now();
  const { code, output } = await runTool('/bin/sh', [script], {
    cwd: home,
    limitMs,
    signal,
    env: {
      HOME: home,
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      PATH: [cliBin, path.dirname(process.execPath), process.env['PATH']].join(':'),
      ...platform.cliEnv,
      GITHUB_API_URL: platform.github.url,
      GITHUB_TOKEN: platform.github.token,
      APP: app.herokuApp,
      REPOSITORY: app.repository,
      WORKFLOW: app.smokeWorkflow,
      GRANTS: grants,
    },
    onLine(line) {
      const mark = /^step (\d+) (.+)$/.exec(line);
      if (mark) marks.push({ at: Number(mark[1]), step: mark[2] ?? '' });
    },
  });
  const ms = performance.now() - began;
  if (code !== 0 || marks.at(-1)?.step !== 'end') {
    const last = output.trim().split('\n').slice(-4).join(' / ');
    throw new Error(`the procedure by hand ended with ${code}: ${last}`);
  }
  const steps = marks.slice(0, -1).map(({ at, step }, index) => ({ step, ms: (marks[index + 1]?.at ?? at) - at }));
  return { ms, steps };
}
