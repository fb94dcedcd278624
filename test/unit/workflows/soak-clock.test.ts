import { describe, expect, test } from '@jest/globals';
import {
  afterSoakSample,
  isSoaked,
  lengthText,
  soakNews,
  soakText,
  usualSoak,
  viewSoak,
  type Soak,
  type SoakRules,
} from '../../../workflows/soak-clock.ts';

const every = 100;
type Sample = readonly [at: number, 'green' | 'red' | 'missed'];

const seenAs = {
  green: { healthy: true, problems: [] },
  red: { healthy: false, problems: ['no answer'] },
  missed: undefined,
};

/** The clock behind some samples, a line for each that the journal would have. */
function run(samples: readonly Sample[], rules: Partial<SoakRules> = {}): { soak: Soak; news: string[] } {
  let soak: Soak | null = null;
  const news: string[] = [];
  for (const [at, how] of samples) {
    const after: Soak = afterSoakSample(soak, seenAs[how], at, { ...usualSoak, everyMs: every, ...rules });
    const line = soakNews(soak, after);
    if (line !== null) news.push(line);
    soak = after;
  }
  if (soak === null) throw new Error('no sample');
  return { soak, news };
}

const both = { onRed: 'pause', onGap: 'pause' } as const;

describe('the clock of a soak', () => {
  test.each<[rule: string, samples: Sample[], rules: Partial<SoakRules>, expected: Partial<Soak>]>([
    ['the first sample begins it, and counts nothing', [[1000, 'green']], {}, { since: 1000, cleanMs: 0, samples: 1 }],
    [
      'the time between two green samples counts',
      [
        [0, 'green'],
        [100, 'green'],
        [210, 'green'],
      ],
      {},
      { cleanMs: 210, restarts: 0, gaps: 0 },
    ],
    [
      'a first sample that is red begins it too, and loses nothing',
      [
        [0, 'red'],
        [100, 'green'],
        [200, 'green'],
      ],
      {},
      { red: 1, cleanMs: 100, restarts: 0, clockSince: 0 },
    ],
    [
      'red, restart: the clock begins from nothing',
      [
        [0, 'green'],
        [100, 'green'],
        [200, 'red'],
      ],
      { onRed: 'restart' },
      { cleanMs: 0, clockSince: 200, red: 1, restarts: 1, last: 'red', problems: ['no answer'] },
    ],
    [
      'red, pause: what was clean stays',
      [
        [0, 'green'],
        [100, 'green'],
        [200, 'red'],
      ],
      both,
      { cleanMs: 100, clockSince: 0, red: 1, restarts: 0 },
    ],
    [
      'from red to the next green nothing counts',
      [
        [0, 'green'],
        [100, 'red'],
        [200, 'green'],
        [300, 'green'],
      ],
      both,
      { cleanMs: 100, last: 'green', problems: [] },
    ],
    [
      'red again and again loses clean time once',
      [
        [0, 'green'],
        [100, 'green'],
        [200, 'red'],
        [300, 'red'],
      ],
      { onRed: 'restart' },
      { red: 2, restarts: 1, clockSince: 300 },
    ],
    [
      'a sample twice as late as it should be is a gap, pause: its time does not count',
      [
        [0, 'green'],
        [100, 'green'],
        [300, 'green'],
        [400, 'green'],
      ],
      both,
      { cleanMs: 200, gaps: 1, gapMs: 200, restarts: 0 },
    ],
    [
      'a gap, restart: the clock begins from nothing',
      [
        [0, 'green'],
        [100, 'green'],
        [300, 'green'],
        [400, 'green'],
      ],
      { onGap: 'restart' },
      { cleanMs: 100, gaps: 1, restarts: 1, clockSince: 300 },
    ],
    [
      'a little late is no gap',
      [
        [0, 'green'],
        [199, 'green'],
      ],
      { onGap: 'restart' },
      { cleanMs: 199, gaps: 0 },
    ],
    [
      'a sample that could not be taken is a gap, and not one of the samples',
      [
        [0, 'green'],
        [100, 'missed'],
      ],
      both,
      { samples: 1, gaps: 1, gapMs: 100, last: 'missed', problems: ['the sample could not be taken'] },
    ],
    [
      'from it to the next green nothing counts',
      [
        [0, 'green'],
        [100, 'missed'],
        [200, 'green'],
        [300, 'green'],
      ],
      both,
      { cleanMs: 100, gaps: 1 },
    ],
    [
      'one that could not be taken, restart',
      [
        [0, 'green'],
        [100, 'green'],
        [200, 'missed'],
      ],
      { onGap: 'restart' },
      { cleanMs: 0, restarts: 1 },
    ],
    [
      'the first could not be taken: the soak begins, with nothing known',
      [
        [0, 'missed'],
        [100, 'green'],
        [200, 'green'],
      ],
      both,
      { since: 0, cleanMs: 100, gaps: 1, samples: 2 },
    ],
    [
      'late and red is both, and either may set it back',
      [
        [0, 'green'],
        [100, 'green'],
        [400, 'red'],
      ],
      { onRed: 'pause', onGap: 'restart' },
      { red: 1, gaps: 1, gapMs: 300, cleanMs: 0, restarts: 1 },
    ],
    [
      'late and red, pause: what was clean stays',
      [
        [0, 'green'],
        [100, 'green'],
        [400, 'red'],
      ],
      both,
      { red: 1, gaps: 1, cleanMs: 100, restarts: 0 },
    ],
    [
      'a clock that goes backwards takes nothing away',
      [
        [100, 'green'],
        [50, 'green'],
      ],
      {},
      { cleanMs: 0, gaps: 0 },
    ],
  ])('%s', (_rule, samples, rules, expected) => {
    expect(run(samples, rules).soak).toMatchObject(expected);
  });

  test('has run out once enough is clean, at a sample that is green', () => {
    const rules = { forMs: 200 };
    expect(isSoaked(null, rules)).toBe(false);
    expect(
      isSoaked(
        run([
          [0, 'green'],
          [100, 'green'],
        ]).soak,
        rules,
      ),
    ).toBe(false);
    expect(
      isSoaked(
        run([
          [0, 'green'],
          [100, 'green'],
          [200, 'green'],
        ]).soak,
        rules,
      ),
    ).toBe(true);
    expect(
      isSoaked(
        run(
          [
            [0, 'green'],
            [100, 'green'],
            [200, 'green'],
            [300, 'red'],
          ],
          both,
        ).soak,
        rules,
      ),
    ).toBe(false);
  });

  test('tells changes, and not each sample', () => {
    const samples: Sample[] = [
      [0, 'green'],
      [100, 'green'],
      [200, 'red'],
      [300, 'red'],
      [400, 'green'],
      [500, 'green'],
      [9000, 'green'],
      [20000, 'green'],
      [20100, 'missed'],
    ];
    expect(run(samples, both).news).toEqual([
      'soak: red: no answer',
      'soak: green again; 0 s clean',
      'soak: no sample for 8 s',
      'soak: no sample for 0 s',
    ]);
    expect(
      run(
        [
          [0, 'green'],
          [100, 'green'],
          [200, 'red'],
        ],
        { onRed: 'restart' },
      ).news,
    ).toEqual(['soak: red, and the clock begins from nothing: no answer']);
  });

  test('says how much was clean and how much is left', () => {
    const { soak } = run([
      [0, 'green'],
      [100, 'green'],
      [200, 'red'],
      [300, 'green'],
    ]);
    const view = viewSoak({ ...soak, cleanMs: 3_900_000 }, usualSoak);
    expect(view).toMatchObject({ forMs: 259_200_000, leftMs: 255_300_000 });
    expect(view && soakText(view)).toBe(
      '1 h 5 min of 72 h clean, 70 h 55 min left; 4 samples, 1 red, 0 gaps, begun anew 1 times',
    );
    expect(viewSoak({ ...soak, cleanMs: 300_000_000 }, usualSoak)?.leftMs).toBe(0);
    expect(viewSoak(null, usualSoak)).toBeNull();
    expect(viewSoak(soak, undefined)).toBeNull();
  });

  test.each([
    [0, '0 s'],
    [40_900, '40 s'],
    [3_600_000, '1 h'],
    [3_601_000, '1 h'],
    [93_784_000, '26 h 3 min'],
  ])('%i ms is %s', (ms, text) => {
    expect(lengthText(ms)).toBe(text);
  });
});
