import type proto from '@temporalio/proto';

export type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

/** When an event happened, by the server, in milliseconds since 1970. */
export function timeOf({ eventTime }: HistoryEvent): number {
  return Number(eventTime?.seconds ?? NaN) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
}
