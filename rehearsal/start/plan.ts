import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { typescriptFlags } from '../../scripts/run-node.mjs';
import { createTargetStore } from '../../worker/targets.ts';
import type { productionCutover } from '../../workflows/index.ts';
import type { Plan } from '../../workflows/facts.ts';
import type { DeployedApp } from '../apps.ts';
import { readDurations } from '../durations.ts';
import { runTool } from '../run-tool.ts';
import { follow } from './follow.ts';
import { planLines } from './plan-lines.ts';
import { taskQueue, type Rehearsal } from './set-up.ts';
import type { Terminal } from './terminal.ts';
import { plain } from './text.ts';

const sqlEntry = fileURLToPath(new URL('../../worker/plan-sql.ts', import.meta.url));
/** A one-off dyno has to start, twice. */
const sqlLimitMs = 5 * 60_000;

export interface Planning {
  readonly rehearsal: Rehearsal;
  readonly app: DeployedApp;
  readonly terminal: Terminal;
  /** Takes the SQL, in place of the terminal. */
  readonly sqlFile?: string | undefined;
  /** Where rehearsals leave their durations. */
  readonly durations?: string | undefined;
}

/**
 * Makes the plan of a cutover, and shows it.
 *
 * @returns whether there is one
 */
export async function performPlan(planning: Planning): Promise<boolean> {
  const { rehearsal, app, terminal } = planning;
  const handle = await rehearsal.client.workflow.start<typeof productionCutover>('productionCutover', {
    taskQueue,
    workflowId: `cutover-${app.herokuApp}`,
    args: [{ app: app.herokuApp, requestedBy: 'Rehearsal Operator', mode: 'plan' }],
  });
  // Parked, it says why, and what to do; there is nobody here who could mend it.
  const last = await follow(handle, rehearsal.alive, terminal, ({ stage }) => stage === 'parked');
  terminal.busy('');
  const plan = last?.outcome?.result === 'planned' ? last.plans.go : null;
  if (plan === null) {
    terminal.line(
      `\n${terminal.colors.red('✘')} There is no plan. ${plain(last?.outcome?.reason ?? 'See above what stands in the way.')}`,
    );
    return false;
  }
  await tell(planning, plan);
  return true;
}

async function tell({ rehearsal, app, terminal, sqlFile, durations }: Planning, plan: Plan): Promise<void> {
  terminal.busy('reading the SQL of the revisions');
  const sql = await readSql(rehearsal, app, plan);
  if (sql !== null && sqlFile !== undefined) await writeFile(sqlFile, sql);
  const { followUps } = await createTargetStore(rehearsal.targets).read(app.herokuApp);
  const rehearsed = durations === undefined ? null : await readDurations(durations, app.herokuApp);
  terminal.busy('');
  const told = { plan, sql, rehearsed, hasFollowUps: followUps !== undefined };
  for (const line of planLines({ ...told, ...(sqlFile === undefined ? {} : { sqlFile }) }, terminal.colors))
    terminal.line(line);
}

/**
 * The SQL is in no history: as an operator would, this asks for it anew, and has it compared with the digest in the plan.
 *
 * @throws where it is another one
 */
async function readSql({ dir, workerEnv, alive }: Rehearsal, app: DeployedApp, plan: Plan): Promise<string | null> {
  const digest = plan.preview?.sql?.sha256;
  if (digest === undefined) return null;
  const file = path.join(dir, 'revisions.sql');
  const args = [...typescriptFlags(), sqlEntry, app.herokuApp, '--sha256', digest, '--out', file];
  const { PATH, HOME, TMPDIR } = process.env;
  const env = { PATH, HOME, TMPDIR, ...workerEnv };
  const { code, output } = await runTool(process.execPath, args, { env, limitMs: sqlLimitMs, signal: alive });
  if (code !== 0) throw new Error(`The SQL of the revisions could not be shown. ${output.trim()}`);
  return readFile(file, 'utf8');
}
