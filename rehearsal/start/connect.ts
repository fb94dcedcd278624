import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/**
 * Connects a client that can be closed while it waits for answers.
 *
 * By default a request that ends because its connection is closed is tried again, and that, in a timer where nobody can
 * catch it, throws "Channel has been shut down". [seen] @temporalio/client 1.24.0
 */
export async function connect(address: string): Promise<{ connection: Connection; close: () => Promise<void> }> {
  let closing = false;
  const retries = defaultGrpcRetryOptions();
  const connection = await Connection.connect({
    address,
    interceptors: [
      makeGrpcRetryInterceptor({
        ...retries,
        retryableDecider: (attempt, status) => !closing && retries.retryableDecider(attempt, status),
      }),
    ],
  });
  return {
    connection,
    close: () => {
      closing = true;
      return connection.close();
    },
  };
}
