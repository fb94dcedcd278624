import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { isRehearsed, type DeployedApp } from '../apps.ts';
import { lookAtSessions, lookFromOutside } from '../outside.ts';
import { startPostgres } from '../postgres.ts';
import { judge, type Scenario } from '../scenarios.ts';
import { createPeople } from '../people.ts';
import { judgeSoak, startSoak } from '../soak.ts';
import type { productionCutover } from '../../workflows/index.ts';
import type { Status } from '../../workflows/view.ts';
import type { ByHand } from './by-hand.ts';
import { follow } from './follow.ts';
import { createQuestions } from './questions.ts';
import { taskQueue, type Rehearsal } from './set-up.ts';
import { summaryLines } from './summary.ts';
import type { Teardown } from './teardown.ts';
import type { Terminal } from './terminal.ts';
import { plain } from './text.ts';
import { countHistoryEvents } from './watch.ts';

export interface Performance {
  readonly rehearsal: Rehearsal;
  readonly app: DeployedApp;
  readonly scenario: Scenario;
  readonly byHand: ByHand;
  readonly terminal: Terminal;
  /** Whether a person answers what the run asks. */
  readonly hold: boolean;
}

export interface Performed {
  readonly verified: boolean;
  readonly status: Status;
}

/**
 * Soaks the app that a scenario has before its cutover, telling it.
 *
 * @returns what is wrong with how it ended, or null
 */
export async function performSoak(
  { rehearsal, scenario, terminal }: Performance,
  teardown: Teardown,
): Promise<string | null> {
  const { client, platform, alive } = rehearsal;
  const { soak: app } = scenario;
  if (app === undefined) return null;
  terminal.line(`\n${terminal.colors.bold(`The soak of ${app.herokuApp}`)}`);
  // Roles belong to a server, and each of the two databases has one of the same name.
  const dir = path.join(rehearsal.dir, 'postgres-of-staging');
  await mkdir(dir);
  const postgres = await startPostgres({ dir, signal: alive });
  teardown.layer().add('the PostgreSQL of staging', () => postgres.stop());
  await platform.addApp(app, { addon: { postgres } });
  const handle = await startSoak(client, taskQueue, app, 'Rehearsal Operator');
  const people = createPeople(handle, platform, app);
  const last = await follow(handle, alive, terminal, async (status) => {
    await people.answer(status);
    return status.stage === 'parked';
  });
  const problem = last === undefined ? 'the soak gave no status' : judgeSoak(last);
  terminal.line(
    `  ${problem === null ? plain(last?.outcome?.reason ?? '') : `${terminal.colors.red('✘')} ${plain(problem)}`}`,
  );
  return problem;
}

/**
 * Performs the cutover once, telling it, and looks at the app from outside in the end.
 *
 * @returns whether it succeeded and was verified from outside, and the run's last status
 */
export async function perform({ rehearsal, app, scenario, byHand, terminal, hold }: Performance): Promise<Performed> {
  const { client, platform, alive } = rehearsal;
  const workflowId = `cutover-${app.herokuApp}`;
  const handle = await client.workflow.start<typeof productionCutover>('productionCutover', {
    taskQueue,
    workflowId,
    args: [{ app: app.herokuApp, requestedBy: 'Rehearsal Operator' }],
  });
  const people = createPeople(handle, platform, app, scenario.people);
  const questions = createQuestions(terminal, byHand, hold);

  const last = await follow(handle, alive, terminal, async (status) => {
    questions.show(status);
    const answer = hold ? undefined : await people.answer(status);
    if (answer !== undefined) terminal.line(`      ${terminal.colors.dim(answer)}`);
    const isStuck = status.stage === 'parked' || status.stage === 'seal-parked';
    const isLeft = isStuck && !hold && !terminal.interactive && !people.hasAnswered(status);
    if (isLeft) terminal.line('  Nobody is here to decide about it, so the rehearsal ends.');
    return isLeft;
  });
  if (last === undefined) throw new Error('the run gave no status');

  terminal.busy('looking from outside');
  const outside = await (isRehearsed(app)
    ? lookFromOutside(platform.heroku.webUrl(app.herokuApp), app, scenario.serves)
    : lookAtSessions(platform, app));
  const closedAs = (await handle.describe()).status.name;
  const historyEvents = await countHistoryEvents(client, workflowId);
  terminal.busy('');
  for (const line of summaryLines({ status: last, closedAs, historyEvents, outside }, terminal.colors))
    terminal.line(line);
  const tell = (text: string): void => terminal.line(`  ${plain(text)}`);
  const problem =
    judge(scenario, last) ?? (await scenario.after?.({ handle, platform, app, status: last, tell })) ?? null;
  if (problem !== null) terminal.line(`  ${terminal.colors.red('✘')} ${plain(problem)}`);
  return { verified: problem === null && outside.ok, status: last };
}
