// `npm run codec-server`.
import { ConfigError, readCodecServerConfig } from '../config.ts';
import { startCodecServer } from './server.ts';

try {
  const config = readCodecServerConfig(process.env);
  const server = await startCodecServer(config);
  process.stderr.write(`The codec server answers at ${server.url}, and pages of ${config.origin}.\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const isTaken = code === 'EADDRINUSE';
  if (!(error instanceof ConfigError) && !isTaken) throw error;
  process.stderr.write(isTaken ? 'The port is in use: set CUTOVER_CODEC_PORT.\n' : `${message}\n`);
  process.exitCode = 1;
}
