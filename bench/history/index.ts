import { createHarness, type Harness } from '../../test/workflow/harness.ts';
import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import { started, type Measurement, type Place } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { growthOf, killedAtGate, repeated } from './growth.ts';
import { recordedCosts, type Cost } from './recorded.ts';

/** What a cutover without incident may cost. */
export const cleanCutover = { events: 300, kib: 256 };

/** Paths by the names of their recorded histories. */
const paths: Readonly<Record<string, string>> = {
  planned: 'the plan alone',
  completed: 'a cutover without incident, launch included',
  solo: 'a cutover that one person approves, and may take back',
  'decided-by-updates': 'a cutover that is approved by updates',
  'killed-in-the-watch': 'a cutover, and the kill switch in the watch',
  'kill-switch-alone': 'the kill switch as a run of its own',
  'undo-alone': 'the undo of RM-11 as a run of its own',
  'parked-and-retried': 'a cutover with a step that parks, and is tried again',
  'failed-in-passing': 'a cutover with a step that the server tries three times',
  'watched-and-launched': 'a cutover with a watch of several samples',
};

export const historyCost: Measurement = {
  title: 'Cost of history',
  async measure(place) {
    const costs = await recordedCosts();
    const costOfPath = (name: string): Cost => {
      const cost = costs.get(name);
      if (cost === undefined) throw new Error(`there is no recorded history of ${name}`);
      return cost;
    };
    const clean = costOfPath('completed');
    const harness = await openHarness(place);
    const recorded = Object.entries(paths).map(([name, what]) => rowOf(what, costOfPath(name)));
    const killed = rowOf('a cutover, and the kill switch at the gate rm-11', await killedAtGate(harness));
    return {
      figures: [...cleanFigures(clean), ...(await growth(place, harness))],
      comparisons: [{ title: 'Paths', columns: ['path', 'events', 'KiB'], rows: [...recorded, killed] }],
      notes: [
        'The paths are the histories that `npm test` replays, and one that is played here: real workflow code, with activities whose evidence is small. ' +
          'What a whole cutover on the stand-ins costs stands with its times.',
      ],
    };
  },
};

function cleanFigures({ events, bytes }: Cost): Figure[] {
  const what = paths['completed'] ?? '';
  return [
    { what, value: events, unit: 'events', atMost: cleanCutover.events, grows: 'with the steps' },
    {
      what,
      value: bytes / 1024,
      unit: 'KiB',
      atMost: cleanCutover.kib,
      grows: 'with the steps and their evidence',
    },
  ];
}

const rowOf = (what: string, { events, bytes }: Cost): string[] => [what, String(events), (bytes / 1024).toFixed(0)];

async function openHarness(place: Place): Promise<Harness> {
  const { dir, signal, report } = place;
  const cli = await findTemporalCli(report, { signal });
  const temporal = await started(place, 'Temporal', () => startTemporal({ dir, cli, ui: false, signal }));
  const harness = await createHarness(temporal.address);
  place.teardown.layer().add('the connection to Temporal', () => harness.close());
  return harness;
}

/** What is repeated costs the same each time: then the runs lie on a straight line. */
async function growth({ quick, signal, report }: Place, harness: Harness): Promise<Figure[]> {
  // A step parks when its twelfth attempt has failed.
  const often = quick ? [1, 2, 4] : [1, 2, 4, 8, 11];
  const figures: Figure[] = [];
  for (const one of repeated) {
    report(`counting what ${one.what} costs`);
    const { events, bytes, off } = await growthOf(one, harness, often, signal);
    const grows =
      `in a straight line: runs with ${often[0]} to ${often.at(-1)} of them are off it ` +
      `by ${off.toFixed(0)} events at most`;
    figures.push(
      { what: `one more: ${one.what}`, value: events, unit: 'events', of: often.length, grows },
      {
        what: `one more: ${one.what}`,
        value: bytes,
        unit: 'bytes',
        of: often.length,
        grows: 'with its events, and with what they carry',
      },
    );
  }
  return figures;
}
