import type { TLSSocket } from 'node:tls';
import pg from 'pg';
import {
  ConnectionError,
  createPool,
  SchemaValidationError,
  sql,
  type DatabasePoolConnection,
  type DatabaseTransactionConnection,
  type Interceptor,
  type QueryResultRow,
} from 'slonik';
import { currentScope } from '../scope.ts';

/** How the runbook's own sessions name themselves, so that they are told from the app's. */
export const applicationName = 'cutover-runbook';

const connectTimeoutMs = 10_000;
const statementTimeoutMs = 60_000;
/** A session of the runbook's gives up on a lock, and the step is tried again: it never makes others queue behind it. */
const lockTimeoutMs = 5_000;

export type Connection = DatabasePoolConnection;
export type Transaction = DatabaseTransactionConnection;
export type PostgresClient = ReturnType<typeof createPostgresClient>;

export interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
  /** True where the certificate was checked against a configured CA. */
  readonly verified: boolean;
  /** SHA-256 of the server's certificate. */
  readonly fingerprint: string;
}

/**
 * PostgreSQL over TLS, always. Heroku's URLs carry no `sslmode`, and its server certificates do not verify against
 * public roots, so TLS is asked for explicitly: verified where a CA is configured, else encrypted, with the
 * certificate's fingerprint as evidence [docs].
 *
 * @param options.ca PEM of the CA to verify with
 * @param options.lockTimeout milliseconds that a statement waits for a lock
 */
export function createPostgresClient(options: { ca?: string | undefined; lockTimeout?: number }) {
  const { ca, lockTimeout = lockTimeoutMs } = options;
  const ssl = ca === undefined ? { rejectUnauthorized: false } : { ca, rejectUnauthorized: true };

  return {
    /** One connection for the length of `work`. Retrying is the step's business, so the driver does none. */
    async connected<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
      currentScope().secrets.addUrl(url);
      const pool = await createPool(dsn(url, lockTimeout), {
        ssl,
        maximumPoolSize: 1,
        connectionTimeout: connectTimeoutMs,
        statementTimeout: statementTimeoutMs,
        // An advisory lock is held on an idle connection for as long as a migration takes.
        idleTimeout: 'DISABLE_TIMEOUT',
        gracefulTerminationTimeout: 1_000,
        connectionRetryLimit: 0,
        queryRetryLimit: 0,
        transactionRetryLimit: 0,
        interceptors: [checkRows],
      });
      try {
        return await pool.connect(work);
      } finally {
        await pool.end();
      }
    },

    /** What the TLS session with the server is made of. Its own connection, for the driver above does not show it. */
    async inspectTls(url: string): Promise<TlsFacts> {
      currentScope().secrets.addUrl(url);
      const client = new pg.Client({
        connectionString: dsn(url, lockTimeout),
        ssl,
        connectionTimeoutMillis: connectTimeoutMs,
      });
      await client.connect().catch((error: unknown) => {
        // As the driver above says it: a certificate that does not verify has no code that stands for all of them.
        throw new ConnectionError((error as Error).message, { cause: error as Error });
      });
      try {
        const { rows } = await client.query<{ version: string | null; cipher: string | null }>(
          'SELECT version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
        );
        const socket = (client as unknown as { connection: { stream: TLSSocket } }).connection.stream;
        return {
          version: rows[0]?.version ?? '',
          cipher: rows[0]?.cipher ?? '',
          verified: ca !== undefined,
          fingerprint: socket.getPeerCertificate().fingerprint256,
        };
      } finally {
        await client.end();
      }
    },
  };
}

/** A statement that comes from a checked file, not from this code: the tag accepts template literals only. */
export function statement(text: string) {
  return sql.unsafe(Object.assign([text], { raw: Object.freeze([text]) }));
}

/** Runs `work` in a transaction in which the server refuses every write. */
export function readOnly<T>(connection: Connection, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return connection.transaction(async (tx) => {
    await tx.query(sql.unsafe`SET TRANSACTION READ ONLY`);
    return work(tx);
  });
}

class RolledBack extends Error {}

/** Runs `work` in a transaction that is rolled back whatever happens in it. */
export async function rolledBack<T>(connection: Connection, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let result: { value: T } | undefined;
  try {
    await connection.transaction(async (tx) => {
      result = { value: await work(tx) };
      throw new RolledBack();
    });
  } catch (error) {
    if (!(error instanceof RolledBack) || result === undefined) throw error;
  }
  return (result as { value: T }).value;
}

/**
 * The SQLSTATE of a failure, from the driver's error or the chain of causes under it; undefined when the failure did
 * not come from the server.
 */
export function sqlState(error: unknown): string | undefined {
  for (
    let current: unknown = error, depth = 0;
    current instanceof Error && depth < 6;
    current = current.cause, depth++
  ) {
    const { code } = current as { code?: unknown };
    // Every SQLSTATE that a server sends has a digit; some of Node's own codes (EPIPE) are five letters too.
    if (typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) return code;
  }
  return undefined;
}

/**
 * Whether the server refused something for a reason that passes by itself: a lost connection or a restart (08, 57P), a
 * want of connections or memory (53), a deadlock (40), a lock or a statement timeout (55P03, 57014).
 */
export function isPassing(state: string): boolean {
  return /^(08|57P|53|40|55P03|57014)/.test(state);
}

function dsn(url: string, lockTimeout: number): string {
  const parsed = new URL(url);
  parsed.searchParams.delete('sslmode');
  parsed.searchParams.set('application_name', applicationName);
  parsed.searchParams.set('options', `-c lock_timeout=${lockTimeout}`);
  return parsed.href;
}

/** Rows are checked against the schema of their query: the driver leaves that to an interceptor. */
const checkRows: Interceptor = {
  transformRow: ({ resultParser }, query, row) => {
    if (!resultParser) return row;
    const parsed = resultParser.safeParse(row);
    if (!parsed.success) throw new SchemaValidationError(query, row, parsed.error.issues);
    return parsed.data as QueryResultRow;
  },
};
