import { Client } from '@temporalio/client';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { ProgressListener } from '../activities/boundary.ts';
import { createGithubClient } from '../activities/clients/github.ts';
import { createHerokuClient } from '../activities/clients/heroku.ts';
import { createPostgresClient } from '../activities/clients/postgres.ts';
import { createWebhook } from '../activities/clients/webhook.ts';
import { createActivities } from '../activities/index.ts';
import type { Services } from '../activities/services.ts';
import { buildWorkflowBundle } from './bundle.ts';
import { EncryptionCodec } from './codec/encryption.ts';
import { createCertificateStore } from './certificates.ts';
import { tokensOf, type WorkerConfig } from './config.ts';
import { connectTemporal } from './connect-temporal.ts';
import { createGuard } from './guard.ts';
import { KnownSecrets } from './known-secrets.ts';
import { createRecordWriter } from './records.ts';
import { hasSearchAttributes } from './search-attributes.ts';
import { createSecretSource, type ConfiguredSecret, type SecretNotice } from './secret-files.ts';
import { createTargetStore } from './targets.ts';

export interface RunningWorker {
  readonly worker: Worker;
  /** On the worker's own connection; reads what is encrypted where the worker does. */
  readonly client: Client;
  readonly connection: NativeConnection;
  /** How many payloads the last net had to clean so far: none, unless something gets past the boundary. */
  secretsReplaced(): number;
  /** Closes the connection to Temporal; call it when the worker has stopped. */
  close(): Promise<void>;
}

/**
 * What activities reach the world through, as a configuration says.
 *
 * @param known told each token that takes the place of another one
 */
export function servicesOf(
  config: WorkerConfig,
  known = new KnownSecrets(tokensOf(config)),
  notice: SecretNotice = () => undefined,
): Services {
  const { heroku, github } = config;
  const source = (name: string, secret: ConfiguredSecret): (() => string) =>
    createSecretSource(secret, { name, learn: known.keep, notice });
  return {
    heroku: createHerokuClient({ ...heroku, token: source('HEROKU_API_KEY', heroku.token) }),
    postgres: createPostgresClient({ ca: config.databaseCa }),
    github: createGithubClient({ ...github, token: source('GITHUB_TOKEN', github.token) }),
    targets: createTargetStore(config.targets),
    certificates: createCertificateStore(config),
    slugReports: new Map(),
    hostEnv: config.hostEnv,
  };
}

/** How people are told, where the configuration names a webhook. */
function peopleOf({ webhookUrl, webUiUrl }: WorkerConfig, known: KnownSecrets): Services['people'] {
  if (webhookUrl === undefined) return undefined;
  return { webhook: createWebhook(webhookUrl, (json) => known.redactJson(json)), webUi: webUiUrl ?? null };
}

/** A run stays on the build that it began on: what replays its history is the code that made it. */
export function deploymentOf(version: WorkerConfig['version']): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (version === undefined) return {};
  return { workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' } };
}

/** How every worker of the runbook is run, whatever its activities are. */
export const tuning = {
  // A heartbeat is due every 2 s: with the default throttle of 30 s a dead worker would be noticed late and a
  // cancellation would arrive late.
  maxHeartbeatThrottleInterval: '2s',
  defaultHeartbeatThrottleInterval: '2s',
  // How long a workflow task waits for the worker that has the run in memory: short, so that a dead one is passed over.
  stickyQueueScheduleToStartTimeout: '3s',
  // Runs wait for days, and one that is needed again is replayed in milliseconds: what the worker keeps in memory is for
  // those that are on their way. By default it would keep as many as its heap takes, thousands.
  maxCachedWorkflows: 100,
  // Zero by default: activities would be cut off in the middle of a deploy.
  shutdownGraceTime: '10s',
} as const satisfies Partial<WorkerOptions>;

export interface WorkerParts {
  /** Told when an activity gets further. */
  readonly listener: ProgressListener;
  /** A prebuilt workflow bundle; without one the worker builds it as it starts. */
  readonly bundle?: WorkerOptions['workflowBundle'];
  /** What the log must not say either, where the caller writes one. */
  readonly known?: KnownSecrets;
  /** Told what becomes of secrets in files. */
  readonly notice?: SecretNotice;
}

/**
 * A worker of the runbook, not yet running.
 *
 * @throws StartError where Temporal cannot be reached, does not know the namespace, or refuses the worker
 */
export async function createWorker(config: WorkerConfig, parts: WorkerParts): Promise<RunningWorker> {
  const { listener, bundle, known = new KnownSecrets(tokensOf(config)), notice = () => undefined } = parts;
  const guard = createGuard(known, config.encryptionKeys, listener);
  const { connection, close } = await connectTemporal(config.temporal, known.keep, notice);
  const { namespace } = config.temporal;
  const codec = config.encryptionKeys && new EncryptionCodec(config.encryptionKeys, 'client');
  const client = new Client({ connection, namespace, ...(codec ? { dataConverter: { payloadCodecs: [codec] } } : {}) });
  const records =
    config.auditFolder === undefined
      ? undefined
      : createRecordWriter(config.auditFolder, new Client({ connection, namespace }), codec);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: config.temporal.taskQueue,
    workflowBundle: bundle ?? (await buildWorkflowBundle(undefined, config.encryptionKeys !== undefined)),
    activities: createActivities({
      ...servicesOf(config, known, notice),
      records,
      people: peopleOf(config, known),
      isSearchable: await hasSearchAttributes(connection, namespace),
    }),
    ...guard.options,
    ...deploymentOf(config.version),
    ...tuning,
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { worker, client, connection, secretsReplaced: guard.secretsReplaced, close };
}
