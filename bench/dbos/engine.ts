import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from '../../rehearsal/packages-apart.ts';
import type { RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { startWorkerProcess } from '../../rehearsal/worker-process.ts';
import type { Engine } from '../engine/engine.ts';
import { started } from '../measurement.ts';

const packages = {
  from: fileURLToPath(new URL('official', import.meta.url)),
  name: 'dbos',
  what: 'DBOS Transact',
};
const entry = fileURLToPath(new URL('program.mjs', import.meta.url));
const database = 'dbos';

type Told = 'running' | { readonly id: string; readonly failed?: string };

/** DBOS Transact: a library that keeps in PostgreSQL what its own process has done. */
export const dbosOn = (postgres: RehearsalPostgres): Engine => ({
  name: 'DBOS Transact',
  async open(place) {
    const { dir, guard, signal, report } = place;
    const folder = await installApart(packages, report, signal);
    const client = await postgres.connect('postgres');
    await client.query(`CREATE DATABASE ${database}`).finally(() => client.end());
    const { user, password } = postgres.superuser;
    const env = {
      DBOS_PACKAGES: folder,
      DBOS_DATABASE_URL: `postgresql://${user}:${password}@${postgres.host}:${postgres.port}/${database}?sslmode=no-verify`,
    };
    const logFile = path.join(dir, 'dbos.log');
    const program = await started(place, 'DBOS', () => startWorkerProcess({ env, logFile, entry }));
    guard.watchGroup(program.pid);
    const waiting = new Map<string, (told: Exclude<Told, string>) => void>();
    const running = new Promise<void>((resolve, reject) => {
      program.process.on('message', (told: Told) => {
        if (told === 'running') resolve();
        else waiting.get(told.id)?.(told);
      });
      void program.ended.then(() => reject(new Error(`DBOS has ended; see ${logFile}`)));
    });
    await running;
    return {
      async perform(id, steps) {
        const told = new Promise<Exclude<Told, string>>((resolve) => waiting.set(id, resolve));
        program.process.send({ id, steps });
        const { failed } = await told;
        waiting.delete(id);
        if (failed !== undefined) throw new Error(`DBOS: ${failed}`);
      },
      stop: () => program.stop(),
    };
  },
});
