import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import type { Place } from '../measurement.ts';

/**
 * A Temporal server to measure. Another one, kept in PostgreSQL say, takes part by a value of this type in the list of
 * `index.ts`.
 */
export interface TemporalServer {
  readonly name: string;
  /** @returns once its namespace `default` answers */
  readonly start: (place: Place) => Promise<{ readonly address: string; stop(): Promise<void> }>;
}

/** The one of the rehearsal and of the small way: its state in SQLite, in memory here. */
export const devServer: TemporalServer = {
  name: "Temporal's dev server",
  start: async ({ dir, signal, report }) => {
    const cli = await findTemporalCli(report, { signal });
    return startTemporal({ dir, cli, ui: false, signal });
  },
};
