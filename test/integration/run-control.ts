import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type pg from 'pg';
import { queryStatus } from '../../rehearsal/query-status.ts';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import type { StepId } from '../../workflows/steps.ts';
import type { ItemStatus, Status } from '../../workflows/view.ts';
import { playPeople, type Rig, type TargetChange } from './cutover-rig.ts';
import { clientOf, eventually } from './heroku-client.ts';
import { configVars } from './world.ts';

type Handle = Awaited<ReturnType<Rig['start']>>;

/** The line of a step in the checklist. */
export function stepOf(status: Status, id: StepId): ItemStatus {
  const found = status.items.find((item) => item.id === id);
  if (found === undefined) throw new Error(`the run has no step ${id}`);
  return found;
}

/** Plays the people until a step is done or under way, or until the run stops before that. */
export function playTo(
  rig: Rig,
  handle: Handle,
  app: RehearsedApp,
  id: StepId,
  state: ItemStatus['state'] = 'done',
): Promise<Status> {
  return playPeople(
    rig,
    handle,
    app,
    (status) =>
      status.stage === 'ended' ||
      status.stage === 'parked' ||
      status.items.some((item) => item.id === id && (item.state === state || item.state === 'done')),
  );
}

/** A person's decision to try the parked step again. */
export async function retry(handle: Handle, status: Status): Promise<void> {
  await handle.signal('resolve', {
    ...status.waitingFor?.message,
    by: 'Ada',
    action: 'retry',
    reason: 'it was mended',
  });
  await eventually(
    () => queryStatus(handle),
    ({ stage }) => stage !== 'parked',
  );
}

/** Ends a run that has shown what it was to show. */
export async function endRun(handle: Handle): Promise<void> {
  await handle.cancel();
  await handle.result();
}

/** The type and message with which the running activity failed last, once it did. */
export async function whyRetried(handle: WorkflowHandle): Promise<{ type: string; message: string }> {
  const failure = await eventually(
    async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure,
    (seen) => seen != null,
    30_000,
  );
  return { type: failure?.applicationFailureInfo?.type ?? '', message: failure?.message ?? '' };
}

export interface ListedDyno {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly command: string;
  readonly created_at: string;
  readonly release: { readonly version: number };
}

/** The app's dynos as the official client lists them. */
export async function dynosOf({ platform }: Rig, app: RehearsedApp): Promise<ListedDyno[]> {
  const { body } = await clientOf(platform.heroku)('GET', `/apps/${app.herokuApp}/dynos`);
  return body as ListedDyno[];
}

/** A session of the database's superuser, as nobody of the app or the runbook. */
export async function withSuperuser<T>(
  rig: Rig,
  app: RehearsedApp,
  work: (client: pg.Client) => Promise<T>,
  variable = 'DATABASE_URL',
): Promise<T> {
  const url = (await configVars(rig, app))[variable] ?? '';
  const client = await rig.platform.postgres.connect(new URL(url).pathname.slice(1));
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The revision at which the app's database is, or undefined where it has no version table. */
export function revisionOf(rig: Rig, app: RehearsedApp): Promise<string | undefined> {
  return withSuperuser(rig, app, async (client) => {
    const { rows } = await client.query<{ found: boolean }>(
      "SELECT to_regclass('alembic_version') IS NOT NULL AS found",
    );
    if (rows[0]?.found !== true) return undefined;
    return (await client.query<{ version_num: string }>('SELECT version_num FROM alembic_version')).rows[0]
      ?.version_num;
  });
}

/** Without a pull request, so that no revision names the role: one server then holds several apps. */
export const withoutPullRequest: TargetChange = (target) => {
  delete target['pullRequest'];
};

/** Replaces a text in a file of a slug. */
export async function editSlug(dir: string, file: string, from: string, to: string): Promise<void> {
  const name = path.join(dir, file);
  const text = await readFile(name, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
  await writeFile(name, text.replace(from, to));
}

/** Adds a revision to a slug of Raptor's. */
export async function addRevision(dir: string, revision: string, parent: string, body: string): Promise<void> {
  await writeFile(
    path.join(dir, 'backend_v2/alembic/versions', `${revision}.py`),
    [
      `"""${revision}"""`,
      'from alembic import op',
      `revision = "${revision}"`,
      `down_revision = "${parent}"`,
      'branch_labels = None',
      'depends_on = None',
      'def upgrade():',
      ...body.split('\n').map((line) => `    ${line}`),
      '',
    ].join('\n'),
  );
}

/** What a target's list of tables holds besides its own, once revisions have added some. */
export function withTables(...names: string[]): TargetChange {
  return (target) => {
    const { tables } = target['schema'] as { tables: string[] };
    tables.push(...names);
  };
}
