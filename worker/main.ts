import { Runtime } from '@temporalio/worker';
import { readConfig, tokensOf } from './config.ts';
import { createWorker } from './create-worker.ts';
import { KnownSecrets } from './known-secrets.ts';
import { createLogger } from './log.ts';
import { StartError } from './start-error.ts';
import { checkTargets } from './targets.ts';

async function main(): Promise<void> {
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
  // What the SDK's native part logs comes the same way: else it would write past the logger.
  Runtime.install({ logger, telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } } });
  config.warnings.forEach((warning) => logger.warn(warning));
  const listener = (activity: object, progress: string): void => logger.info(`step ${progress}`, { ...activity });
  try {
    const { worker, close } = await createWorker(config, {
      listener,
      known,
      notice: (level, text) => logger[level](text),
    });
    try {
      takeLateSignals();
      await worker.run();
    } finally {
      await close();
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    say(known.redact(`The worker stopped: ${error instanceof Error ? error.message : String(error)}\n`));
    process.exitCode = 1;
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
