import { createHarness } from '../../test/workflow/harness.ts';
import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import { started, type Measurement, type Place } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { growthOf, repeated } from './growth.ts';
import { recordedCosts, type Cost } from './recorded.ts';

/** What a cutover without incident may cost. */
export const cleanCutover = { events: 300, kib: 256 };

/** Paths by the names of their recorded histories. */
const paths: Readonly<Record<string, string>> = {
  planned: 'the plan alone',
  completed: 'a cutover without incident, launch included',
  solo: 'the same, approved by one person who may take it back',
  'decided-by-updates': 'the same, decided by updates',
  'killed-in-the-watch': 'cutover, and the kill switch in the watch',
  'kill-switch-alone': 'the kill switch as a run of its own',
  'undo-alone': 'the undo of RM-11 as a run of its own',
  'parked-and-retried': 'a step that parks, and is tried again',
  'failed-in-passing': 'a step that the server tries three times',
  'watched-and-launched': 'a watch of several samples, and the launch',
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
    const rows = Object.entries(paths).map(([name, what]) => {
      const { events, bytes } = costOfPath(name);
      return [what, String(events), (bytes / 1024).toFixed(0)];
    });
    return {
      figures: [
        { what: paths['completed'] ?? '', value: clean.events, unit: 'events', atMost: cleanCutover.events },
        { what: paths['completed'] ?? '', value: clean.bytes / 1024, unit: 'KiB', atMost: cleanCutover.kib },
        ...(await growth(place)),
      ],
      comparisons: [{ title: 'Paths', columns: ['path', 'events', 'KiB'], rows }],
      notes: [
        'The paths are the histories that `npm test` replays: real workflow code, with activities whose evidence is small. ' +
          'What a whole cutover on the stand-ins costs stands with its times.',
      ],
    };
  },
};

/** What is repeated costs the same each time: then the runs lie on a straight line. */
async function growth(place: Place): Promise<Figure[]> {
  const { dir, quick, signal, report } = place;
  const cli = await findTemporalCli(report, { signal });
  const temporal = await started(place, 'Temporal', () => startTemporal({ dir, cli, ui: false, signal }));
  const harness = await createHarness(temporal.address);
  place.teardown.layer().add('the connection to Temporal', () => harness.close());
  const often = quick ? [1, 2, 4] : [1, 2, 4, 8, 12];
  const figures: Figure[] = [];
  for (const one of repeated) {
    report(`counting what ${one.what} costs`);
    const { events, bytes, off } = await growthOf(one, harness, often, signal);
    const grows =
      `the same each time: runs with ${often[0]} to ${often.at(-1)} of them are off a straight line ` +
      `by ${off.toFixed(0)} events at most`;
    figures.push(
      { what: `one more: ${one.what}`, value: events, unit: 'events', of: often.length, grows },
      { what: `one more: ${one.what}`, value: bytes, unit: 'bytes', of: often.length },
    );
  }
  return figures;
}
