import type { Facts, Plan, PlanGate, SurveyedGate } from '../../workflows/facts.ts';
import { ownStep, type OwnStepId } from '../../workflows/rehearsal-steps.ts';
import type { RotationPlan } from '../../workflows/rotation-plan.ts';
import { stepIds, type Evidence, type StepId } from '../../workflows/steps.ts';

export const sampleDigest: Readonly<Record<SurveyedGate, string>> = {
  go: 'a1'.repeat(32),
  'rm-11': 'b2'.repeat(32),
  launch: 'f0'.repeat(32),
  soak: '5a'.repeat(32),
  rotate: '9d'.repeat(32),
};

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
  release: { version: 7, slug: 'slug-7', commit: 'd4'.repeat(20) },
  releaseCommand: null,
  killSwitchBlocked: null,
  config: {
    names: ['SETTING'],
    digest: '0d'.repeat(32),
    attachments: ['HEROKU_POSTGRESQL_AMBER: sample-db'],
  },
  migrations: { heads: ['0002'], current: null, pending: ['0001', '0002'], namingRole: [] },
  matrixDigest: 'e5'.repeat(32),
  role: { credential: 'sample_role', state: 'absent', bound: false, flag: false },
  pullRequest: null,
};

/** Where the cutover is done: at the head, and as the role. */
const soakedFacts: Facts = {
  ...sampleFacts,
  release: { ...sampleFacts.release, version: 10 },
  migrations: { heads: ['0002'], current: '0002', pending: [], namingRole: [] },
  role: { credential: 'sample_role', state: 'active', bound: true, flag: true },
};

export function samplePlan(gate: PlanGate): Plan {
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

export const sampleRotation: RotationPlan = {
  facts: {
    app: 'sample-app',
    targetDigest: 'c3'.repeat(32),
    which: 'role',
    credential: 'sample_role',
    addonId: 'addon-1',
    addon: 'sample-db',
    plan: 'heroku-postgresql:standard-0',
    fingerprint: '5f'.repeat(16),
    bindings: [
      { app: 'sample-app', variable: 'SAMPLE_ROLE_DATABASE_URL', by: 'attachment' },
      { app: 'sample-reports', variable: 'REPORTS_URL', by: 'attachment' },
    ],
    unreadable: [],
    asRole: true,
  },
  observations: {
    sessions: [{ user: 'sample_role', sessions: 2 }],
    dynos: ['web.1 up'],
    release: 10,
    releaseCommand: null,
  },
  digest: sampleDigest.rotate,
};

const restarted = { release: 8, dynos: [{ name: 'web.1', state: 'up', since: '2026-05-15T00:00:00Z' }] };
const passed = {
  by: 'owner/name smoke.yml',
  link: 'https://ci.example/1',
  commit: 'd4'.repeat(20),
  conclusion: 'success',
};

const formation = [
  { type: 'web', quantity: 1 },
  { type: 'worker', quantity: 2 },
];
const counted = { tables: 12, ignored: ['alembic_version'], addons: ['sample-db'] };

/** One believable evidence for each step; a new step without one does not type-check. */
const ownEvidence: { readonly [S in OwnStepId]: Evidence<S> } = {
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
  confirm: { digest: sampleDigest.go },
  promote: {
    attachment: 'DATABASE',
    addon: 'sample-db',
    previous: 'small-db',
    kept: ['HEROKU_POSTGRESQL_JADE: small-db'],
    release: 8,
  },
  upgrade: { from: null, to: '0002', applied: ['0001', '0002'], dyno: 'run.1' },
  'verify-schema': { tables: 3, columnsChecked: 4, cascades: 2, fingerprint: 'f6'.repeat(32) },
  restart: restarted,
  smoke: passed,
  'survey-rm-11': samplePlan('rm-11'),
  'confirm-rm-11': { digest: sampleDigest['rm-11'] },
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
  'verify-sessions': { role: 2, owner: 0, encrypted: 2 },
  'read-seal': { addon: 'sample-db', copiedFrom: null },
  'survey-way-back': {
    addon: 'sample-db',
    plan: 'heroku-postgresql:standard-0',
    variable: { name: 'DATABASE_URL', is: 'postgresql' },
    attachments: [
      { name: 'DATABASE', namespace: null },
      { name: 'SAMPLE_ROLE_DATABASE', namespace: 'credential:sample_role' },
    ],
    credential: 'active',
    flag: true,
    maintenance: false,
    fenced: false,
    formation,
    release: 10,
    releaseCommand: null,
    databaseReachable: true,
    sealed: false,
    revision: '0002',
  },
  'settle-dynos': { stopped: ['run.1'], others: [] },
  'count-rows': counted,
  fence: { kept: formation, keptIn: 'database', others: [] },
  'count-rows-fenced': counted,
  'to-sqlite': {
    variable: 'DATABASE_URL',
    addon: 'sample-db',
    attachment: 'HEROKU_POSTGRESQL_AMBER',
    release: 12,
  },
  'verify-sqlite': { command: 'python -m app.selfcheck', dyno: 'run.2', release: 12 },
  'lift-fence': { restored: formation, from: 'database' },
  'verify-serving': {
    link: 'https://sample-app.example',
    checks: 1,
    servingAt: '2026-05-15T00:00:30Z',
    secondsSinceKilled: 30,
  },
  'flag-off': { flag: 'FLAG_ROLE', release: 11 },
  'restart-undo': restarted,
  'restart-unbound': restarted,
  'smoke-undo': passed,
  'verify-owner-sessions': { role: 0, owner: 2 },
  'revoke-grants': { role: 'sample_role', exists: true, privileges: 0 },
  'unbind-url': { variable: 'SAMPLE_ROLE_DATABASE_URL', release: 12 },
  'drop-credential': { credential: 'sample_role', addon: 'sample-db' },
  'survey-launch': samplePlan('launch'),
  'confirm-launch': { digest: sampleDigest.launch },
  'watch-sample': {
    healthy: true,
    problems: [],
    release: 10,
    revision: '0002',
    tokenHoursLeft: null,
    at: '2026-05-15T01:00:00Z',
  },
  'check-backup': {
    kind: 'backup',
    addon: 'sample-db',
    plan: 'heroku-postgresql:standard-0',
    id: 'b001',
    finishedAt: '2026-05-15T00:50:00Z',
  },
  seal: { addon: 'sample-db', by: 'Rita', run: 'run-1', at: '2026-05-15T02:00:00Z' },
  'open-follow-ups': {
    issues: [{ title: 'Clean up', number: 21, link: 'https://github.example/owner/name/issues/21' }],
    comment: 'https://github.example/owner/name/issues/7#issuecomment-1',
  },
  'survey-rotation': sampleRotation,
  'confirm-rotation': { digest: sampleDigest.rotate },
  'rotate-credential': {
    credential: 'sample_role',
    addon: 'sample-db',
    fingerprint: '6a'.repeat(16),
    changed: ['SAMPLE_ROLE_DATABASE_URL of sample-app', 'REPORTS_URL of sample-reports'],
    oldPassword: 'refused',
    rotatedAt: 1_778_803_200_000,
    release: 12,
  },
  'restart-rotated': restarted,
  'smoke-rotated': passed,
  'verify-rotated': { as: 'role', connected: 2, old: 0 },
  'survey-soak': { ...samplePlan('soak'), facts: soakedFacts },
  'soak-sample': {
    healthy: true,
    problems: [],
    release: 10,
    revision: '0002',
    tokenHoursLeft: null,
    requests: 20,
    errors: 0,
    at: '2026-05-15T01:00:00Z',
  },
  'confirm-soak': { digest: sampleDigest.soak },
  certify: {
    file: 'sample-app.json',
    signature: 'c2lnbmVk',
    certificate: {
      format: 'cutover-certificate/1',
      app: 'sample-app',
      targetDigest: 'c3'.repeat(32),
      issuedAt: '2026-05-18T02:00:00.000Z',
      run: { workflowId: 'cutover-sample-app', runId: 'run-1', link: null },
      requestedBy: 'Rita',
      approvals: [{ gate: 'go', by: 'Ada' }],
      buildId: null,
      commit: 'd4'.repeat(20),
      head: '0002',
      matrixDigest: 'e5'.repeat(32),
      soak: {
        forSeconds: 259_200,
        everySeconds: 300,
        onRed: 'restart',
        onGap: 'pause',
        since: '2026-05-15T01:00:00.000Z',
        until: '2026-05-18T01:00:00.000Z',
        cleanSeconds: 259_200,
        clockSince: '2026-05-15T01:00:00.000Z',
        samples: 865,
        red: 0,
        gaps: 0,
        gapSeconds: 0,
        restarts: 0,
      },
      rehearsedRollback: { at: '2026-05-15T00:00:00.000Z', seconds: 30, secondsBack: 90 },
      notRehearsed: null,
    },
  },
};

/** What a rehearsed step saw is what the step itself would have. */
export const sampleEvidence = Object.fromEntries(stepIds.map((id) => [id, ownEvidence[ownStep(id)]])) as {
  readonly [S in StepId]: Evidence<S>;
};
