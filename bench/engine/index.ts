import path from 'node:path';
import { dbosOn } from '../dbos/engine.ts';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { started, type Measurement, type Place } from '../measurement.ts';
import { costFigures, costOfEngine, ratiosOf, type EngineCost, type Extent } from './cost.ts';
import type { Engine } from './engine.ts';
import { temporalEngine } from './temporal.ts';
import { devServer, devServerWith, serverOnPostgres } from './temporal-servers.ts';

const howItIsDone =
  "One worker process with production's options, one process that asks. A step is an activity that does nothing; what is " +
  'measured is what it takes to keep that it was done.';

/** As the runbook has it, and what each thing that can be changed about it does. */
const asItIs = temporalEngine(devServer);
const changed: readonly Engine[] = [
  temporalEngine(devServerWith('the server as Temporal ships it', {})),
  temporalEngine(
    devServerWith('eager activities', { ...devServer.settings, 'system.enableActivityEagerExecution': 'true' }),
  ),
  temporalEngine(devServerWith('local activities', devServer.settings), { kind: 'local' }),
  temporalEngine(devServerWith('two pollers of each kind', devServer.settings), { pollers: 2 }),
  temporalEngine(devServerWith('all runs kept in memory', devServer.settings), { runsInMemory: 1_000 }),
];

export const engineCost: Measurement = {
  title: "The engine's cost of steps that do nothing, and what changes it",
  async measure(place) {
    const extent: Extent = place.quick ? { rounds: 1, steps: 10, runs: 5 } : { rounds: 3, steps: 60, runs: 200 };
    const base = await costOfEngine(place, asItIs, extent);
    const costs: EngineCost[] = [];
    for (const engine of changed) costs.push(await costOfEngine(place, engine, extent));
    const figures = [...costs.flatMap((one) => ratiosOf(one, base)), ...[base, ...costs].flatMap(costFigures)];
    return {
      figures,
      notes: [
        howItIsDone,
        'Each of the others differs in one thing from the dev server as the rehearsal runs it. As Temporal ships its server, ' +
          'a shard looks for what is due 20 times a second at most, and a step takes two looks.',
      ],
    };
  },
};

/** All three anew, one behind the other; those that are kept in PostgreSQL, in databases of one server. */
export const dbosCost: Measurement = {
  title: 'The same steps on PostgreSQL: by Temporal, and by DBOS Transact',
  async measure(place) {
    const extent: Extent = place.quick ? { rounds: 2, steps: 20, runs: 25 } : { rounds: 5, steps: 100, runs: 500 };
    const postgres = await started(place, 'PostgreSQL', () =>
      startPostgres({ dir: path.join(place.dir, 'postgres'), outlivesPowerCut: true, signal: place.signal }),
    );
    const dev = await costOfEngine(place, asItIs, extent);
    const dbos = await costOnPostgres(place, postgres, dbosOn(postgres), extent);
    const server = await costOnPostgres(place, postgres, temporalEngine(serverOnPostgres(postgres)), extent);
    return {
      figures: [
        ...ratiosOf(dev, dbos),
        ...ratiosOf(server, dbos),
        ...ratiosOf(server, dev),
        ...[dev, server, dbos].flatMap(costFigures),
      ],
      notes: [
        'DBOS keeps each step by a row in PostgreSQL, written by the process that performs it. It is a library: no server ' +
          'schedules, no task waits for a worker, and nothing crosses a process.',
        "Temporal's server and DBOS have databases of one PostgreSQL, which has each commit on the disk before it answers. The " +
          'dev server keeps its state in memory here: what it does is lost with it.',
      ],
    };
  },
};

/** Begins where PostgreSQL has nothing left to do of what was before. */
async function costOnPostgres(
  place: Place,
  postgres: RehearsalPostgres,
  engine: Engine,
  extent: Extent,
): Promise<EngineCost> {
  const client = await postgres.connect('postgres');
  await client.query('CHECKPOINT').finally(() => client.end());
  return costOfEngine(place, engine, extent);
}
