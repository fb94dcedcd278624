import type { Facts, Plan } from '../../workflows/facts.ts';
import type { Evidence, StepId } from '../../workflows/steps.ts';

export const sampleDigest = { go: 'a1'.repeat(32), 'rm-11': 'b2'.repeat(32) } as const;

export const sampleFacts: Facts = {
  app: 'sample-app',
  targetDigest: 'c3'.repeat(32),
  database: {
    attachment: 'DATABASE',
    addonId: 'addon-1',
    addon: 'sample-db',
    plan: 'heroku-postgresql:standard-0',
    sharedWith: [],
    promote: null,
  },
  release: { version: 7, commit: 'd4'.repeat(20) },
  releaseCommand: null,
  migrations: { heads: ['0002'], current: null, pending: ['0001', '0002'], namingRole: [] },
  matrixDigest: 'e5'.repeat(32),
  role: { credential: 'sample_role', state: 'absent', bound: false, flag: false },
  pullRequest: null,
};

export function samplePlan(gate: keyof typeof sampleDigest): Plan {
  return {
    facts: sampleFacts,
    observations: {
      tables: 0,
      rows: 0,
      dynos: ['web.1 up'],
      serverVersion: '18.4',
      maintenance: false,
      connections: { used: 3, limit: 120 },
    },
    digest: sampleDigest[gate],
  };
}

const restarted = { release: 8, dynos: [{ name: 'web.1', state: 'up', since: '2026-05-15T00:00:00Z' }] };
const passed = {
  by: 'owner/name smoke.yml',
  link: 'https://ci.example/1',
  commit: 'd4'.repeat(20),
  conclusion: 'success',
};

/** One believable evidence for each step; a new step without one does not type-check. */
export const sampleEvidence: { readonly [S in StepId]: Evidence<S> } = {
  'config-check': {
    variable: 'DATABASE_URL',
    scheme: 'postgres',
    attachment: 'DATABASE',
    addon: 'sample-db',
    plan: 'heroku-postgresql:standard-0',
    promote: null,
    serverVersion: '18.4',
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: false, fingerprint: 'AB:CD' },
  },
  'inspect-pull-request': {
    number: 12,
    repository: 'owner/name',
    title: 'Grants',
    base: 'main',
    merged: false,
    revisionFiles: ['versions/0003.py'],
  },
  'await-pull-request': {
    number: 12,
    base: 'main',
    mergeCommit: 'd4'.repeat(20),
    release: 8,
    proof: 'the slug of v8 has 0003',
  },
  survey: samplePlan('go'),
  promote: { attachment: 'DATABASE', addon: 'sample-db', previous: 'small-db', release: 8 },
  upgrade: { from: null, to: '0002', applied: ['0001', '0002'], dyno: 'run.1' },
  'verify-schema': { tables: 3, columnsChecked: 4, cascades: 2, fingerprint: 'f6'.repeat(32) },
  restart: restarted,
  smoke: passed,
  'survey-rm-11': samplePlan('rm-11'),
  credential: { credential: 'sample_role', state: 'active' },
  'bind-url': { variable: 'SAMPLE_ROLE_DATABASE_URL', by: 'attachment', release: 9 },
  grants: {
    matrix: 'e5'.repeat(32),
    privileges: 12,
    refused: ['DROP TABLE orders'],
    allowed: ['SELECT 1 FROM orders'],
  },
  flag: { flag: 'FLAG_ROLE', release: 10 },
  'restart-rm-11': restarted,
  'smoke-rm-11': passed,
  'verify-sessions': { role: 2, owner: 0 },
};
