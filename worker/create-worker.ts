import { Client } from '@temporalio/client';
import { NativeConnection, TransportError, Worker, type WorkerOptions } from '@temporalio/worker';
import type { ProgressListener } from '../activities/boundary.ts';
import { createGithubClient } from '../activities/clients/github.ts';
import { createHerokuClient } from '../activities/clients/heroku.ts';
import { createPostgresClient } from '../activities/clients/postgres.ts';
import { createWebhook } from '../activities/clients/webhook.ts';
import { createActivities } from '../activities/index.ts';
import type { Services } from '../activities/services.ts';
import { buildWorkflowBundle } from './bundle.ts';
import { EncryptionCodec } from './codec/encryption.ts';
import { tokensOf, type WorkerConfig } from './config.ts';
import { createGuard } from './guard.ts';
import { KnownSecrets } from './known-secrets.ts';
import { createRecordWriter } from './records.ts';
import { hasSearchAttributes } from './search-attributes.ts';
import { createTargetStore } from './targets.ts';

/** There is no Temporal server at the address, or none that can be reached. */
export class NoTemporalError extends Error {
  override readonly name = 'NoTemporalError';
  constructor(address: string, cause: Error) {
    super(
      `There is no Temporal server at ${address}. Start it, or set TEMPORAL_ADDRESS, then start the worker again.`,
      {
        cause,
      },
    );
  }
}

export interface RunningWorker {
  readonly worker: Worker;
  /** How many payloads the last net had to clean so far: none, unless something gets past the boundary. */
  secretsReplaced(): number;
  /** Closes the connection to Temporal; call it when the worker has stopped. */
  close(): Promise<void>;
}

/** What activities reach the world through, as a configuration says. */
export function servicesOf(config: WorkerConfig): Services {
  return {
    heroku: createHerokuClient(config.heroku),
    postgres: createPostgresClient({ ca: config.databaseCa }),
    github: createGithubClient(config.github),
    targets: createTargetStore(config.targets),
    slugReports: new Map(),
    hostEnv: config.hostEnv,
  };
}

/** How people are told, where the configuration names a webhook. */
function peopleOf({ webhookUrl, webUiUrl }: WorkerConfig, known: KnownSecrets): Services['people'] {
  if (webhookUrl === undefined) return undefined;
  return { webhook: createWebhook(webhookUrl, (json) => known.redactJson(json)), webUi: webUiUrl ?? null };
}

/**
 * A worker of the runbook, not yet running.
 *
 * @param listener told when an activity gets further
 * @param bundle a prebuilt workflow bundle; without one the worker builds it as it starts
 * @param known what the log must not say either, where the caller writes one
 */
export async function createWorker(
  config: WorkerConfig,
  listener: ProgressListener,
  bundle?: WorkerOptions['workflowBundle'],
  known = new KnownSecrets(tokensOf(config)),
): Promise<RunningWorker> {
  const guard = createGuard(known, config.encryptionKeys, listener);
  const { address } = config.temporal;
  const connection = await NativeConnection.connect({ address }).catch((error: unknown) => {
    if (error instanceof TransportError) throw new NoTemporalError(address, error);
    throw error;
  });
  const { namespace } = config.temporal;
  const records =
    config.auditFolder === undefined
      ? undefined
      : createRecordWriter(
          config.auditFolder,
          new Client({ connection, namespace }),
          config.encryptionKeys && new EncryptionCodec(config.encryptionKeys, 'client'),
        );
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: config.temporal.taskQueue,
    workflowBundle: bundle ?? (await buildWorkflowBundle(undefined, config.encryptionKeys !== undefined)),
    activities: createActivities({
      ...servicesOf(config),
      records,
      people: peopleOf(config, known),
      isSearchable: await hasSearchAttributes(connection, namespace),
    }),
    ...guard.options,
    // A heartbeat is due every 2 s: with the default throttle of 30 s a dead worker would be noticed late and a
    // cancellation would arrive late.
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '2s',
    // How long a workflow task waits for the worker that has the run in memory: short, so that a dead one is passed over.
    stickyQueueScheduleToStartTimeout: '3s',
    // Zero by default: activities would be cut off in the middle of a deploy.
    shutdownGraceTime: '10s',
  }).catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  return { worker, secretsReplaced: guard.secretsReplaced, close: () => connection.close() };
}
