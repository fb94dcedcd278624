import { setTimeout as delay } from 'node:timers/promises';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/**
 * Connects a client that can be closed while it waits for answers.
 *
 * By default a request that ends because its connection is closed is tried again, and that, in a timer where nobody can
 * catch it, throws "Channel has been shut down". [seen] @temporalio/client 1.24.0
 */
export async function connect(address: string): Promise<{ connection: Connection; close: () => Promise<void> }> {
  let closing = false;
  /** Milliseconds since 1970 until which a request may be waiting to be tried again. */
  let waitingUntil = 0;
  const retries = defaultGrpcRetryOptions();
  const connection = await Connection.connect({
    address,
    interceptors: [
      makeGrpcRetryInterceptor({
        ...retries,
        retryableDecider: (attempt, status) => !closing && retries.retryableDecider(attempt, status),
        delayFunction: (attempt, status) => {
          const ms = retries.delayFunction(attempt, status);
          waitingUntil = Math.max(waitingUntil, Date.now() + ms);
          return ms;
        },
      }),
    ],
  });
  return {
    connection,
    async close() {
      closing = true;
      if (waitingUntil > Date.now()) await delay(waitingUntil - Date.now() + 20);
      await connection.close();
    },
  };
}
