import { Runtime } from '@temporalio/worker';
import { ConfigError, readConfig, tokensOf } from './config.ts';
import { createWorker, NoTemporalError } from './create-worker.ts';
import { KnownSecrets } from './known-secrets.ts';
import { createLogger } from './log.ts';

async function main(): Promise<void> {
  const config = readConfig(process.env);
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
  const listener = (activity: object, progress: string): void => logger.info(`step ${progress}`, { ...activity });
  try {
    const { worker, close } = await createWorker(config, listener, undefined, known);
    try {
      await worker.run();
    } finally {
      await close();
    }
  } catch (error) {
    if (error instanceof NoTemporalError) throw error;
    say(known.redact(`The worker stopped: ${error instanceof Error ? error.message : String(error)}\n`));
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  // Both say what is wrong in a sentence, without any value.
  if (!(error instanceof ConfigError || error instanceof NoTemporalError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
