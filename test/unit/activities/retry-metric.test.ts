import { expect, test } from '@jest/globals';
import { noopMetricMeter, type MetricCounter, type MetricMeter, type MetricTags } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { atBoundary } from '../../../activities/boundary.ts';
import { silent } from './in-activity.ts';

async function countedAt(attempt: number, step: string): Promise<unknown[]> {
  const counted: unknown[] = [];
  const metricMeter = Object.create(noopMetricMeter) as MetricMeter;
  metricMeter.createCounter = (name, unit, description) => {
    const counter = Object.create(noopMetricMeter.createCounter(name, unit, description)) as MetricCounter;
    return Object.assign(counter, {
      add: (value: number, { step }: MetricTags = {}) => void counted.push([name, value, step]),
    });
  };
  const info = { attempt, activityType: 'restartApp', startToCloseTimeoutMs: 600_000 };
  const environment = new MockActivityEnvironment(info, { logger: silent, metricMeter });
  await environment.run(() =>
    atBoundary(environment.context, [{ step }], { listener: () => undefined }, () =>
      Promise.reject(new Error('never mind')),
    ).catch(() => undefined),
  );
  return counted;
}

test('an attempt after the first counts as a retry of its step, and what is no step is no label', async () => {
  expect(await countedAt(1, 'restart')).toEqual([]);
  expect(await countedAt(3, 'restart')).toEqual([['cutover_activity_retries', 1, 'restart']]);
  expect(await countedAt(2, 'of-anybody')).toEqual([['cutover_activity_retries', 1, 'restartApp']]);
});
