import { defaultPayloadConverter } from '@temporalio/common';
import { expect, test } from '@jest/globals';
import { sharesOf } from '../../../bench/cutover/history-times.ts';
import type { HistoryEvent } from '../../../bench/event-time.ts';

/** A history from its events, each at a time in milliseconds. */
function history(...events: (readonly [at: number, event: Record<string, unknown>])[]): HistoryEvent[] {
  return events.map(([at, event], index) => ({
    eventId: (index + 1) as never,
    eventTime: { seconds: Math.floor(at / 1000) as never, nanos: (at % 1000) * 1e6 },
    ...event,
  }));
}

const scheduled = (call: unknown) => ({
  activityTaskScheduledEventAttributes: { input: { payloads: [defaultPayloadConverter.toPayload(call)] } },
});
const begun = (scheduledEventId: number) => ({ activityTaskStartedEventAttributes: { scheduledEventId } });
const done = (scheduledEventId: number) => ({ activityTaskCompletedEventAttributes: { scheduledEventId } });
const task = {
  scheduled: { workflowTaskScheduledEventAttributes: {} },
  started: { workflowTaskStartedEventAttributes: {} },
  completed: (scheduledEventId: number, startedEventId: number) => ({
    workflowTaskCompletedEventAttributes: { scheduledEventId, startedEventId },
  }),
};

const events = history(
  [0, { workflowExecutionStartedEventAttributes: {} }],
  [0, task.scheduled],
  [5, task.started],
  [25, task.completed(2, 3)],
  [25, scheduled({ step: 'one' })], // 5
  [25, scheduled('who sent it')], // 6: beside the steps
  [30, begun(5)],
  [130, done(5)],
  [130, task.scheduled], // 9
  [132, task.started],
  [140, done(6)],
  [150, task.completed(9, 10)],
  [1150, scheduled({ step: 'two' })], // 13
  [1155, begun(13)],
  [1160, task.scheduled], // 15: while a step is under way
  [1161, task.started],
  [1170, task.completed(15, 16)],
  [1255, done(13)],
  [1300, scheduled({ step: 'three' })],
);

test('every millisecond up to the end of the step is somebody’s', () => {
  const shares = sharesOf(events, 'two');
  expect(shares).toEqual({
    total: 1255,
    activities: 200,
    activityWaits: 10,
    workflowWaits: 7,
    workflowTasks: 38,
    rest: 1000,
    steps: [
      { step: 'one', ms: 100 },
      { step: 'two', ms: 100 },
    ],
  });
});

test('a step that has not ended is said', () => {
  expect(() => sharesOf(events, 'three')).toThrow(/does not tell how three ended/);
  expect(() => sharesOf([], 'one')).toThrow(/does not tell/);
});
