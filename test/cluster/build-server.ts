import { buildTemporalServer } from '../../rehearsal/cluster/build.ts';
import { readCompose, serverVersionOf } from '../../rehearsal/cluster/compose.ts';

// The version of Temporal's server that docker-compose.yml runs. Says where it is in one line of JSON.

try {
  const programs = await buildTemporalServer(serverVersionOf(await readCompose()), (line) => console.error(line));
  process.stdout.write(`${JSON.stringify(programs)}\n`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
