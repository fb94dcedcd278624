import { buildTemporalServer } from '../../rehearsal/cluster/build.ts';
import { readCompose, serverVersionOf } from '../../rehearsal/cluster/compose.ts';
import { buildComposeChecker } from './compose-checker.ts';

// What is built for these tests and kept: the version of Temporal's server that docker-compose.yml runs, and the checker
// of that file. Says where they are in one line of JSON.

const log = (line: string): void => console.error(line);
try {
  const server = await buildTemporalServer(serverVersionOf(await readCompose()), log);
  const checker = await buildComposeChecker(log);
  const env = { RC_TEST_TEMPORAL_SERVER: JSON.stringify(server), RC_TEST_COMPOSE_CHECKER: checker };
  process.stdout.write(`${JSON.stringify(env)}\n`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
