import { readMatrix } from '../../../activities/matrix.ts';
import { targetSchema, type Target } from '../../../activities/target.ts';

const app = 'an-app';

/** A small target, as a target file writes it. */
export const targetFile = {
  app,
  database: { attachment: 'DATABASE' },
  migrations: {
    upgrade: 'alembic upgrade head',
    history: 'alembic history',
    versions: 'migrations/versions',
    versionTable: 'version_table',
    schema: 'public',
  },
  schema: {
    tables: ['customers', 'orders'],
    columns: { orders: { id: 'bigint not null', customer: 'bigint not null', at: 'timestamp with time zone' } },
    cascadesFrom: 'customers',
  },
  role: {
    credential: 'app_role',
    attachment: 'APP_ROLE_DATABASE',
    bindBy: 'attachment',
    grants: 'grants.sql',
    may: ['SELECT FROM orders'],
    mayNot: ['DROP orders'],
  },
  flag: { name: 'FLAG_ROLE', value: '1' },
  smoke: { kind: 'github', repository: 'owner/name', workflow: 'smoke.yml', ref: 'main' },
  rollback: {
    sqliteUrl: 'sqlite+pysqlite:///./app.db',
    verify: 'python -m app.selfcheck',
    checks: [{ path: '/ready', json: { dialect: 'sqlite' } }],
    patienceSeconds: 5,
  },
  followUps: {
    repository: 'owner/name',
    trackingIssue: 7,
    items: [
      { title: 'Take the bridge away: `auth.py`', body: 'It still bridges.', labels: ['chore'] },
      { title: 'Clean up billing', body: 'It goes through the wrapper.', labels: [] },
    ],
  },
  approvals: { approvers: ['Ada', 'Bo'], onCall: ['Kim'] },
  pullRequest: { repository: 'owner/name', number: 12, base: 'main', versions: 'db/versions', pollSeconds: 5 },
};

type DeepPartial<T> = { [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

/** The target as the worker's store gives it, with some fields changed one level down. */
export function sampleTarget(changes: DeepPartial<typeof targetFile> & Record<string, unknown> = {}): Target {
  const merged = Object.fromEntries(
    Object.entries({ ...targetFile, ...changes }).map(([key, value]) => {
      const base = (targetFile as Record<string, unknown>)[key];
      const replaces = typeof value === 'object' && value !== null && 'kind' in value;
      return [key, typeof base === 'object' && !replaces ? { ...base, ...(value as object) } : value];
    }),
  );
  return {
    ...targetSchema.parse(merged),
    digest: 'c3'.repeat(32),
    matrix: readMatrix(app, 'GRANT SELECT ON orders TO app_role; REVOKE DROP ON orders FROM app_role;'),
    expectedSchema: null,
    certificateKey: null,
  };
}
