import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Scenario } from '../scenarios.ts';
import { expectDid, expectOrder } from './expect.ts';

const migrateOnRelease = async (dir: string): Promise<void> => {
  const procfile = path.join(dir, 'Procfile');
  await writeFile(procfile, `${(await readFile(procfile, 'utf8')).trimEnd()}\nrelease: alembic upgrade head\n`);
};

/** States of production in which a cutover may find an app. */
export const states = {
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
