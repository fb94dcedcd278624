import { DefaultLogger, Runtime } from '@temporalio/worker';
import { ConfigError, readConfig } from './config.ts';
import { createWorker, NoTemporalError } from './create-worker.ts';

/** One line of JSON for each entry, on standard error. */
const logger = new DefaultLogger('INFO', ({ level, message, timestampNanos, meta }) => {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  process.stderr.write(
    `${JSON.stringify({ time, level, message, ...meta }, (_key, value: unknown) => (value instanceof Error ? value.message : value))}\n`,
  );
});

async function main(): Promise<void> {
  const config = readConfig(process.env);
  Runtime.install({ logger });
  const { worker, close } = await createWorker(config, (activity, progress) =>
    logger.info(`step ${progress}`, activity),
  );
  try {
    await worker.run();
  } finally {
    await close();
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof ConfigError || error instanceof NoTemporalError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`The worker stopped: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
