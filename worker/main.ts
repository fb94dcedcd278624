import { Runtime, type Logger } from '@temporalio/worker';
import { readConfig, tokensOf, type WorkerConfig } from './config.ts';
import { createWorker } from './create-worker.ts';
import { portProblem, readinessOf, startHealthServer, type Readiness } from './health.ts';
import { keepHeapsSmall } from './heap.ts';
import { KnownSecrets } from './known-secrets.ts';
import { createLogger } from './log.ts';
import { lookAtRuns } from './look-at-runs.ts';
import { countEveryMs, createRunGauges, prometheusOf, tellReplaced } from './metrics.ts';
import { findPrebuilt } from './prebuilt.ts';
import { StartError } from './start-error.ts';
import { checkTargets } from './targets.ts';

async function main(): Promise<void> {
  keepHeapsSmall();
  const config = readConfig(process.env);
  const targets = await checkTargets(config.targets);
  if (targets.problems.length > 0) throw new StartError(targets.problems.join('\n'));
  const known = new KnownSecrets(tokensOf(config));
  const say = (line: string): void => void process.stderr.write(line);
  // Node would print the error as it is.
  process.on('uncaughtException', (error) => {
    say(known.redact(`The worker stopped: ${error instanceof Error ? error.stack : String(error)}\n`));
    process.exit(1);
  });
  const logger = createLogger(known, say);
  config.warnings.forEach((warning) => logger.warn(warning));
  if (targets.apps.length === 0) logger.warn(`there is no target file in ${config.targets} yet`);
  try {
    await serve(config, known, logger);
  } catch (error) {
    if (error instanceof StartError) throw error;
    say(known.redact(`The worker stopped: ${error instanceof Error ? error.message : String(error)}\n`));
    process.exitCode = 1;
  }
}

function installRuntime({ metrics }: WorkerConfig, logger: Logger): void {
  try {
    Runtime.install({
      logger,
      telemetryOptions: {
        // What the SDK's native part logs comes the same way: else it would write past the logger.
        logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
        ...(metrics === undefined ? {} : { metrics: prometheusOf(metrics) }),
      },
    });
  } catch (error) {
    if (metrics === undefined) throw error;
    throw portProblem('CUTOVER_METRICS', metrics, { ...(error as Error), code: (error as Error).message });
  }
}

async function serve(config: WorkerConfig, known: KnownSecrets, logger: Logger): Promise<void> {
  let readiness: Readiness = () => Promise.resolve('the worker is starting');
  const stops: (() => unknown)[] = [];
  try {
    if (config.health !== undefined) {
      const health = await startHealthServer(config.health, () => readiness());
      stops.push(health.stop);
      logger.info('health is answered', { url: health.url });
    }
    // Not before: alone, with nothing to connect, it would keep the process from ending.
    installRuntime(config, logger);
    const prebuilt = await findPrebuilt(config.encryptionKeys !== undefined);
    const { worker, client, connection, secretsReplaced, close } = await createWorker(config, {
      listener: (activity, progress) => logger.info(`step ${progress}`, { ...activity }),
      known,
      ...('why' in prebuilt ? {} : { bundle: prebuilt }),
      notice: (level, text) => logger[level](text),
    });
    stops.push(close);
    logger.info('workflow bundle', 'why' in prebuilt ? { built: 'now', why: prebuilt.why } : { built: 'before' });
    readiness = readinessOf(worker, connection, config.temporal.namespace);
    const meter = config.metrics && Runtime.instance().metricMeter;
    if (meter !== undefined) stops.push(tellReplaced(secretsReplaced, meter));
    const tell = meter && createRunGauges(config.temporal.taskQueue, meter);
    stops.push(lookAtRuns({ client, everyMs: meter ? countEveryMs : 60_000, warn: (line) => logger.warn(line), tell }));
    takeLateSignals();
    await worker.run();
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/**
 * A supervisor signals a whole group, and the script above passes it on once more: what comes when the worker has just
 * stopped in order must not make its end look like a death.
 */
function takeLateSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
}

try {
  await main();
} catch (error) {
  // It says what is wrong in a sentence, without any secret.
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
