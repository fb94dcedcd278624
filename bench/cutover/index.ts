import { Client } from '@temporalio/client';
import { connect } from '../../rehearsal/connect.ts';
import { preparePython } from '../../rehearsal/python.ts';
import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import { cleanCutover } from '../history/index.ts';
import { started, type Measurement, type Place } from '../measurement.ts';
import { havePrebuilt } from '../start/have-prebuilt.ts';
import { cutOverByHand, findHerokuCli } from './by-hand.ts';
import { cutOverByRunbook, type ByRunbook } from './by-runbook.ts';
import { cutOverByScript } from './by-script.ts';
import { comparisonsOf, figuresOf } from './figures.ts';
import { setStage, type Stage } from './stage.ts';
import type { StepTime } from './step-time.ts';

export interface Timed {
  readonly ms: number;
  readonly steps: readonly StepTime[];
}

/** What was measured, one of each for each round. */
export interface Rounds {
  readonly runbook: ByRunbook[];
  readonly script: Timed[];
  readonly byHand: Timed[];
}

export const cutover: Measurement = {
  title: 'A whole cutover',
  async measure(place) {
    const { dir, quick, signal, report } = place;
    await havePrebuilt(report);
    const cliBin = await findHerokuCli(place);
    const { bin: pythonBin } = await preparePython(report, { signal });
    const cli = await findTemporalCli(report, { signal });
    const temporal = await started(place, 'Temporal', () => startTemporal({ dir, cli, ui: false, signal }));
    const { connection, close } = await connect(temporal.address);
    place.teardown.layer().add('the connection to Temporal', close);
    const here = { address: temporal.address, connection, client: new Client({ connection }) };

    const rounds: Rounds = { runbook: [], script: [], byHand: [] };
    const times = quick ? 1 : 5;
    for (let round = 1; round <= times; round += 1) {
      const on = <T>(way: string, perform: (stage: Stage) => Promise<T>): Promise<T> => {
        report(`${way} (${round} of ${times})`);
        return onStage(place, `bench-${round}-${letters[way] ?? 'x'}`, pythonBin, perform);
      };
      // One after the other: what else the machine does is shared among them.
      rounds.runbook.push(await on('the runbook', (stage) => cutOverByRunbook(place, stage, here)));
      rounds.script.push(await on('its activities without an engine', (stage) => cutOverByScript(place, stage)));
      rounds.byHand.push(await on('the official Heroku CLI', (stage) => cutOverByHand(place, stage, cliBin)));
    }
    return {
      figures: figuresOf(rounds, cleanCutover),
      comparisons: comparisonsOf(rounds),
      notes: [
        'RM-10 and RM-11, to the step that sees the app connected as the role; each on stand-ins of its own, where nothing was ' +
          'done yet, with the pull request merged and deployed. Loading code is no part of it, but for the CLI, which loads ' +
          'anew for each command.',
        'Without an engine, the activities run behind the same boundary, in a process of their own. They do not ask Temporal ' +
          "before each write whether the run is still open, for there is none: those questions are the engine's share.",
        'The runbook does more than the procedure: it makes and confirms two plans, verifies schema, privileges and sessions, ' +
          'and tries what the role must be refused.',
      ],
    };
  },
};

const letters: Readonly<Record<string, string>> = {
  'the runbook': 'a',
  'its activities without an engine': 'b',
  'the official Heroku CLI': 'c',
};

/** Sets a stage, performs on it, and takes it down. */
async function onStage<T>(
  place: Place,
  name: string,
  pythonBin: string,
  perform: (stage: Stage) => Promise<T>,
): Promise<T> {
  const stage = await started(place, `the stand-ins of ${name}`, () => setStage(place, name, pythonBin));
  try {
    return await perform(stage);
  } finally {
    await stage.stop();
  }
}
