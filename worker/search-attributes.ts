import proto from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';
import { searchNames } from '../workflows/search.ts';

/** Milliseconds for a question without whose answer the worker starts as well. */
const askFor = 5_000;
const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;

/**
 * Whether a namespace has every search attribute that runs set. Asked before any run sets one: a workflow task that
 * sets one which is not registered fails for ever [ran: 1.29.1]. Where the server does not say, there are none.
 */
export async function hasSearchAttributes(connection: NativeConnection, namespace: string): Promise<boolean> {
  const ask = () => connection.operatorService.listSearchAttributes({ namespace });
  const answer = await connection.withDeadline(Date.now() + askFor, ask).catch(() => undefined);
  return searchNames.every((name) => answer?.customAttributes[name] === INDEXED_VALUE_TYPE_KEYWORD);
}
