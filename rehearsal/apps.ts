import { fileURLToPath } from 'node:url';
import type { IssueOptions, PullFile } from './github/index.ts';
import type { Plan } from './heroku/index.ts';
import { pullRequestFiles, type RehearsedApp as SlugSource } from './slugs.ts';

/** How one app stands on the platform before its cutover. */
export interface DeployedApp {
  /** What is deployed. */
  readonly source: SlugSource;
  readonly herokuApp: string;
  readonly addon: { readonly name: string; readonly plan: Plan };
  readonly repository: string;
  readonly base: string;
  readonly pull: { readonly number: number; readonly title: string; readonly files: readonly PullFile[] };
  /** Issues of the repository that stand open before the cutover. */
  readonly issues: readonly IssueOptions[];
  readonly smokeWorkflow: string;
  /** What CI runs as the smoke suite, in a shell at the root of the slug; the slug's own smoke.py unless said. */
  readonly smokeCommand?: string;
  /** The restricted role, as which it must be connected in the end. */
  readonly role: string;
}

/** An app that itself says what it is connected to. */
export interface RehearsedApp extends DeployedApp {
  readonly source: Extract<SlugSource, string>;
  /** The app's readiness endpoint, and how it calls the dialect and the user that it is connected as. */
  readonly ready: { readonly path: string; readonly dialect: string; readonly user: string };
}

/** Raptor as its own document leaves it: Standard-0 attached, nothing migrated, the grant-matrix pull request open. */
export const raptor: RehearsedApp = {
  source: 'raptor',
  herokuApp: 'raxx-api-prod',
  addon: { name: 'raxx-api-prod', plan: 'standard-0' },
  repository: 'raxx-app/TradeMasterAPI',
  base: 'main',
  pull: { number: 2173, title: 'Audit role grant matrix', files: pullRequestFiles('raptor') },
  issues: [{ number: 1569, title: 'RM-11: SC-A1 reactivation' }],
  smokeWorkflow: 'smoke.yml',
  ready: { path: '/ready', dialect: 'dialect', user: 'current_user' },
  role: 'raptor_app',
};

/** Another app, with other names in everything: what shows that the runbook is not about Raptor. */
export const ledger: RehearsedApp = {
  source: 'ledger',
  herokuApp: 'ledger-api-prod',
  addon: { name: 'ledger-db', plan: 'standard-0' },
  repository: 'ledger-co/ledger',
  base: 'trunk',
  pull: { number: 88, title: 'Describe the runtime role', files: pullRequestFiles('ledger') },
  issues: [],
  smokeWorkflow: 'production-smoke.yml',
  ready: { path: '/readyz', dialect: 'database', user: 'role' },
  role: 'ledger_runtime',
};

export function isRehearsed(app: DeployedApp): app is RehearsedApp {
  return 'ready' in app;
}

/** Folder of the target files that the project ships. */
export const targetsFolder = fileURLToPath(new URL('../targets', import.meta.url));
