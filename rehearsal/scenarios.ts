import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AppOptions } from './deploy-app.ts';
import type { Status } from '../workflows/view.ts';

/** A state of production that a cutover must be right in, and how it must end there. */
export interface Scenario {
  /** One line for people. */
  readonly summary: string;
  /** What the target file says otherwise, for this one. */
  readonly target?: Record<string, unknown>;
  /** How the app stands before the cutover. */
  readonly options: AppOptions;
  /** What is wrong with the way the run went, or null. The app serving as the role is checked beside it, always. */
  readonly judge: (status: Status) => string | null;
}

const migrateOnRelease = async (dir: string): Promise<void> => {
  const procfile = path.join(dir, 'Procfile');
  await writeFile(procfile, `${(await readFile(procfile, 'utf8')).trimEnd()}\nrelease: alembic upgrade head\n`);
};

/** Plays a role in `npm start -- --scenario NAME`, and in the tests. */
export const scenarios = {
  clean: {
    summary: 'Standard-0 is attached, nothing is migrated, the pull request is open',
    options: {},
    judge: (status) => expectDid(status, { upgrade: 'acted', credential: 'acted', grants: 'acted', flag: 'acted' }),
  },
  'from-essential-0': {
    summary: 'DATABASE is still the Essential-0 add-on; Standard-0 is attached under another name',
    options: {
      others: [{ name: 'raxx-api-prod-essential', plan: 'essential-0', attachAs: 'DATABASE' }],
      attachAs: 'HEROKU_POSTGRESQL_AMBER',
    },
    judge: (status) => expectDid(status, { promote: 'acted', upgrade: 'acted' }),
  },
  'pr-adds-revision': {
    summary: 'the pull request adds a revision: it is merged and deployed before the plan is made',
    options: {},
    judge: (status) => expectOrder(status, ['await-pull-request', 'survey', 'credential', 'upgrade']),
  },
  'pr-without-revision': {
    summary: 'the pull request adds no revision: it is waited for only before RM-11',
    options: { pullFiles: [{ filename: 'docs/audit-grants.md', status: 'added' }] },
    judge: (status) => expectOrder(status, ['upgrade', 'smoke', 'await-pull-request', 'survey-rm-11', 'credential']),
  },
  'release-command': {
    summary: 'the app migrates in its release command: at every deploy and at every config change',
    options: { alterSlug: migrateOnRelease },
    judge: (status) => expectDid(status, { upgrade: 'already', credential: 'acted', flag: 'acted' }),
  },
  preboot: {
    summary: 'old web dynos serve on for a while beside the new ones',
    options: { platform: { preboot: true } },
    // The stand-in's router goes over after three seconds; Heroku's after about three minutes.
    target: { restart: { prebootSeconds: 6 } },
    judge: (status) => expectDid(status, { upgrade: 'acted', restart: 'acted', flag: 'acted' }),
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

function expectDid(status: Status, expected: Record<string, string>): string | null {
  for (const [id, did] of Object.entries(expected)) {
    const item = status.items.find((one) => one.id === id);
    if (item?.did !== did) return `${id} is ${item?.did ?? item?.state ?? 'not part of the run'}; expected ${did}`;
  }
  return null;
}

function expectOrder(status: Status, expected: readonly string[]): string | null {
  const order = status.items.map((item) => item.id).filter((id) => expected.includes(id));
  return order.join() === expected.join() ? null : `the order was ${order.join(', ')}; expected ${expected.join(', ')}`;
}
