import { targetsFolder } from '../../rehearsal/apps.ts';
import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import { started, type Measurement } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { median } from '../statistics.ts';
import { havePrebuilt } from './have-prebuilt.ts';
import { measureNpmStart, type Phase } from './npm-start.ts';
import { measureWorkerStart, type WorkerStart } from './worker-ready.ts';

/** Milliseconds in which a worker with a prebuilt bundle is to be ready. */
const readyWithin = 1_500;

export const start: Measurement = {
  title: 'Start',
  async measure(place) {
    const { dir, quick, signal, report } = place;
    await havePrebuilt(report);
    const cli = await findTemporalCli(report, { signal });
    const temporal = await started(place, 'Temporal', () => startTemporal({ dir, cli, ui: false, signal }));
    const env = {
      TEMPORAL_ADDRESS: temporal.address,
      CUTOVER_TARGETS: targetsFolder,
      HEROKU_API_KEY: 'no-token-is-wanted-here',
      GITHUB_TOKEN: 'no-token-is-wanted-here',
    };
    const starts: WorkerStart[] = [];
    for (let left = quick ? 2 : 10; left > 0; left -= 1) {
      report(`starting a worker from a prebuilt bundle (${left} left)`);
      starts.push(await measureWorkerStart(place, env));
    }
    await temporal.stop();
    const whole: (readonly Phase[])[] = [];
    for (let left = quick ? 1 : 3; left > 0; left -= 1) {
      report(`npm start, with everything cached (${left} left)`);
      whole.push(await measureNpmStart(place));
    }
    return {
      figures: [...workerFigures(starts), wholeFigure(whole)],
      comparisons: [
        {
          title: 'The phases of `npm start`, with everything cached',
          columns: ['phase', 'seconds'],
          rows: (whole[0] ?? []).map(({ what }, index) => [
            what,
            (median(whole.map((phases) => phases[index]?.ms ?? 0)) / 1000).toFixed(1),
          ]),
        },
      ],
      notes: ['The worker is a process of its own, from its spawning to the first 200 of `/readyz`, asked every 5 ms.'],
    };
  },
};

function workerFigures(starts: readonly WorkerStart[]): Figure[] {
  const figure = (what: string, grows: string, of: (one: WorkerStart) => number): Figure => {
    const values = starts.map(of);
    return {
      what,
      value: median(values),
      unit: 'ms',
      of: values.length,
      range: [Math.min(...values), Math.max(...values)],
      grows,
    };
  };
  const byCode = 'with the code that it loads';
  const byBundle = 'with the bundle, and with the sources that it is checked against';
  const byTemporal = 'with how long Temporal takes to answer';
  return [
    { ...figure('a worker is ready', byCode, ({ ready }) => ready), atMost: readyWithin },
    figure('of that: until its code is loaded', byCode, ({ loaded }) => loaded),
    figure('of that: until it has bundle and connection', byBundle, ({ loaded, created }) => created - loaded),
    figure('of that: until it takes work', byTemporal, ({ created, ready }) => ready - created),
  ];
}

function wholeFigure(whole: readonly (readonly Phase[])[]): Figure {
  const values = whole.map((phases) => (phases.at(-1)?.ms ?? 0) / 1000);
  return {
    what: '`npm start`, with everything cached',
    value: median(values),
    unit: 's',
    of: values.length,
    range: [Math.min(...values), Math.max(...values)],
    grows: 'with the steps of the cutover',
  };
}
