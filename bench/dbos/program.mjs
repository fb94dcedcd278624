// The same workflow on DBOS Transact: steps that do nothing, kept in PostgreSQL by the process that performs them. Its
// packages have a folder of their own, which the environment names.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { DBOS_PACKAGES = '', DBOS_DATABASE_URL } = process.env;
const { DBOS } = createRequire(join(DBOS_PACKAGES, 'package.json'))('@dbos-inc/dbos-sdk');

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: DBOS_DATABASE_URL, logLevel: 'error' });

const doNothing = () => Promise.resolve(null);
const stepsThatDoNothing = DBOS.registerWorkflow(
  async (count) => {
    for (let left = count; left > 0; left -= 1) await DBOS.runStep(doNothing, { name: 'doNothing' });
  },
  { name: 'stepsThatDoNothing' },
);

process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
process.on('message', ({ id, steps }) => {
  DBOS.withNextWorkflowID(id, () => stepsThatDoNothing(steps)).then(
    () => process.send({ id }),
    (error) => process.send({ id, failed: String(error) }),
  );
});
await DBOS.launch();
process.send('running');
