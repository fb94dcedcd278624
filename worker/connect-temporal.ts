import { isGrpcServiceError } from '@temporalio/client';
import { NativeConnection, TransportError } from '@temporalio/worker';
import { createSecretSource, type SecretNotice } from './secret-files.ts';
import { StartError } from './start-error.ts';
import type { TemporalConnection } from './temporal-config.ts';

/** Milliseconds in which the server says what it knows of the namespace. */
const answerLimitMs = 10_000;
const notFound = 5;
const permissionDenied = 7;
const unauthenticated = 16;

export interface TemporalLink {
  readonly connection: NativeConnection;
  close(): Promise<void>;
}

/**
 * Connects to Temporal, and has the server say that the namespace is there and that this worker may use it. An API key
 * from a file is looked at again while the connection is open.
 *
 * @param learn told each new API key
 * @param lookEveryMs milliseconds between two looks at the file of the API key
 * @throws StartError that says what is wrong and what to do
 */
export async function connectTemporal(
  temporal: TemporalConnection,
  learn: (secret: string) => void,
  notice: SecretNotice,
  lookEveryMs = 5_000,
): Promise<TemporalLink> {
  const { address, namespace, tls, apiKey, metadata } = temporal;
  const connection = await NativeConnection.connect({
    address,
    tls,
    metadata: { ...metadata },
    ...(apiKey === undefined ? {} : { apiKey: apiKey.value }),
  }).catch((error: unknown) => {
    throw error instanceof TransportError ? noConnection(temporal, error) : error;
  });
  try {
    await connection.withDeadline(Date.now() + answerLimitMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    await connection.close();
    throw isGrpcServiceError(error) ? noNamespace(temporal, error) : error;
  }
  const follow = apiKey?.file === undefined ? undefined : keyFollower(connection, apiKey, learn, notice);
  const looking = follow && setInterval(follow, lookEveryMs).unref();
  return {
    connection,
    close() {
      clearInterval(looking);
      return connection.close();
    },
  };
}

function keyFollower(
  connection: NativeConnection,
  apiKey: NonNullable<TemporalConnection['apiKey']>,
  learn: (secret: string) => void,
  notice: SecretNotice,
): () => void {
  const current = createSecretSource(apiKey, { name: 'TEMPORAL_API_KEY', learn, notice });
  let used = apiKey.value;
  return () => {
    const key = current();
    if (key === used) return;
    used = key;
    void connection.setApiKey(key);
  };
}

/** The SDK has words only for why there is no connection, no code [source: 1.24.0]; what they do not tell is told so. */
function noConnection({ address, tls }: TemporalConnection, cause: Error): StartError {
  const { message } = cause;
  if (/valid authentication credentials|does not have permission/.test(message)) return refused(address, cause);
  // It was reached, and then closed: a server says so in several ways, from one time to the next.
  const brokenOff = message.startsWith('Failed to call GetSystemInfo');
  if (brokenOff && tls === false) {
    return new StartError(
      `The server at ${address} does not speak to a client without TLS. Set TEMPORAL_TLS=1 or a profile with TLS, then start the worker again.`,
      { cause },
    );
  }
  if (brokenOff || /certificate|InvalidMessage/i.test(message)) {
    const why = brokenOff
      ? 'it broke off, as one does that wants a (or another) client certificate'
      : tlsProblem(message);
    return new StartError(
      `No TLS connection to the server at ${address} came about: ${why}. Correct TEMPORAL_TLS_…, then start the worker again.`,
      { cause },
    );
  }
  return new StartError(
    `There is no Temporal server at ${address}. Start it, or set TEMPORAL_ADDRESS, then start the worker again.`,
    { cause },
  );
}

function tlsProblem(message: string): string {
  if (/CertificateParseError/.test(message)) return 'the CA or the client certificate is not one in PEM';
  if (message.includes('InvalidMessage')) return 'it does not speak TLS';
  if (/UnknownIssuer|BadSignature/.test(message)) return 'no CA that is known here has signed its certificate';
  if (message.includes('NotValidForName')) return 'its certificate is for another name';
  return 'its certificate is not valid';
}

function noNamespace({ address, namespace }: TemporalConnection, cause: Error & { code: number }): StartError {
  if (cause.code === unauthenticated || cause.code === permissionDenied) return refused(address, cause);
  const what =
    cause.code === notFound
      ? `The Temporal server at ${address} has no namespace ${namespace}. Create it, or set TEMPORAL_NAMESPACE`
      : `The Temporal server at ${address} did not say whether it has the namespace ${namespace} (gRPC status ${cause.code}). See to the server`;
  return new StartError(`${what}, then start the worker again.`, { cause });
}

function refused(address: string, cause: Error): StartError {
  return new StartError(
    `The Temporal server at ${address} refused this worker: its API key or its certificate is missing, wrong, expired or not allowed this namespace. Set TEMPORAL_API_KEY_FILE or TEMPORAL_TLS_CLIENT_CERT_PATH to one that is good, then start the worker again.`,
    { cause },
  );
}
