import { describe, expect, test } from '@jest/globals';
import { afterSample } from '../../../workflows/watch.ts';
import { sampleEvidence } from '../../workflow/sample-evidence.ts';

const every = 60_000;
const healthy = sampleEvidence['watch-sample'];
const red = { ...healthy, healthy: false, problems: ['the app is connected as the owner'] };
const first = afterSample(null, healthy, 1_000, every);

test('the first sample begins the watch', () => {
  expect(first).toEqual({ since: 1_000, samples: 1, red: 0, lastAt: 1_000, healthy: true, problems: [], gapMs: 0 });
});

test('a red sample is counted, and what was wrong is shown until a sample shows better', () => {
  const ill = afterSample(first, red, 61_000, every);
  expect(ill).toMatchObject({ samples: 2, red: 1, healthy: false, problems: red.problems, lastAt: 61_000 });
  expect(afterSample(ill, healthy, 121_000, every)).toMatchObject({ samples: 3, red: 1, healthy: true, problems: [] });
});

describe('time in which nobody looked is a gap, and not health', () => {
  test('a sample that could not be taken', () => {
    expect(afterSample(first, undefined, 61_000, every)).toMatchObject({
      samples: 2,
      red: 1,
      healthy: false,
      problems: ['the sample could not be taken'],
      gapMs: 60_000,
    });
  });

  test('hours without a worker', () => {
    const late = afterSample(first, healthy, 1_000 + every + 3_600_000, every);
    expect(late).toMatchObject({ healthy: true, gapMs: 3_600_000 });
    expect(afterSample(late, healthy, late.lastAt + every, every).gapMs).toBe(3_600_000);
  });

  test('the seconds that a sample takes are none', () => {
    expect(afterSample(first, healthy, 1_000 + every + 5_000, every).gapMs).toBe(0);
  });
});
