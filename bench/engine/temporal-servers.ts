import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { buildTemporalServer } from '../../rehearsal/cluster/build.ts';
import { readCompose, serverVersionOf } from '../../rehearsal/cluster/compose.ts';
import { startCluster } from '../../rehearsal/cluster/start.ts';
import type { RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { findTemporalCli, serverSettings, startTemporal } from '../../rehearsal/temporal.ts';
import type { Place } from '../measurement.ts';

/** A Temporal server to measure: a value of this type in a list of `index.ts`. */
export interface TemporalServer {
  readonly name: string;
  /** @returns once its namespace `default` answers */
  readonly start: (place: Place) => Promise<{ readonly address: string; stop(): Promise<void> }>;
}

/** The dev server with a dynamic configuration. */
export interface DevServer extends TemporalServer {
  readonly settings: Readonly<Record<string, string>>;
}

/** The one of the rehearsal and of the small way: its state in SQLite, in memory here. */
export const devServer = devServerWith("Temporal's dev server", serverSettings);

/** @param settings its dynamic configuration */
export function devServerWith(name: string, settings: DevServer['settings']): DevServer {
  return {
    name,
    settings,
    start: async ({ dir, signal, report }) => {
      const cli = await findTemporalCli(report, { signal });
      return startTemporal({ dir, cli, ui: false, settings, signal });
    },
  };
}

/** The one of docker-compose.yml, without its containers. */
export function serverOnPostgres(postgres: RehearsalPostgres): TemporalServer {
  return {
    name: "Temporal's server on PostgreSQL",
    start: async (place) => {
      const { signal, report } = place;
      const programs = await buildTemporalServer(serverVersionOf(await readCompose()), report, { signal });
      const cli = await findTemporalCli(report, { signal });
      const dir = path.join(place.dir, 'server-on-postgres');
      await mkdir(dir);
      return startCluster({ dir, programs, cli, postgres, signal });
    },
  };
}
