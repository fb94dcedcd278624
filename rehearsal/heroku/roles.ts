import pg from 'pg';
import type { RehearsalPostgres } from '../postgres.ts';

/**
 * What the platform does in PostgreSQL as its superuser. Each add-on is a database of its own in one server, and the
 * server's roles are common to all of them: CONNECT is what keeps one add-on's roles out of another's database.
 */
async function asSuperuser<T>(
  postgres: RehearsalPostgres,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await postgres.connect(database);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const quote = pg.escapeIdentifier;
const literal = pg.escapeLiteral;
/** What the default credential is not allowed either: it cannot `CREATE ROLE` on the managed service. */
const PLAIN_LOGIN = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';

/** A database and the role that owns it, which is the add-on's default credential. */
export async function createDatabase(
  postgres: RehearsalPostgres,
  database: string,
  owner: { user: string; password: string },
): Promise<void> {
  await asSuperuser(postgres, 'postgres', async (client) => {
    await client.query(`CREATE ROLE ${quote(owner.user)} ${PLAIN_LOGIN} PASSWORD ${literal(owner.password)}`);
    await client.query(`CREATE DATABASE ${quote(database)} OWNER ${quote(owner.user)}`);
    await client.query(`REVOKE ALL ON DATABASE ${quote(database)} FROM PUBLIC`);
  });
  // [docs] A new credential has no access to schema public until it is granted.
  await asSuperuser(postgres, database, (client) => client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC'));
}

/**
 * The nearest to a replica that one server has: a write is refused with 25006, as on one. Not a standby all the same:
 * `pg_is_in_recovery()` is false, nothing of the leader's arrives, and a session may set itself back to writing.
 */
export async function makeReadOnly(postgres: RehearsalPostgres, database: string): Promise<void> {
  await asSuperuser(postgres, 'postgres', (client) =>
    client.query(`ALTER DATABASE ${quote(database)} SET default_transaction_read_only = on`),
  );
}

/** Refuses more sessions with 53300, as the platform does [docs: "too many connections for role" or database]. */
export async function limitConnections(postgres: RehearsalPostgres, database: string, limit: number): Promise<void> {
  await asSuperuser(postgres, 'postgres', (client) =>
    client.query(`ALTER DATABASE ${quote(database)} CONNECTION LIMIT ${limit}`),
  );
}

export async function roleExists(postgres: RehearsalPostgres, user: string): Promise<boolean> {
  const found = await asSuperuser(postgres, 'postgres', (client) =>
    client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [user]),
  );
  return found.rowCount === 1;
}

/** A role that may connect, and nothing more. */
export async function createRole(
  postgres: RehearsalPostgres,
  database: string,
  user: string,
  password: string,
): Promise<void> {
  await asSuperuser(postgres, 'postgres', async (client) => {
    await client.query(`CREATE ROLE ${quote(user)} ${PLAIN_LOGIN} PASSWORD ${literal(password)}`);
    await client.query(`GRANT CONNECT ON DATABASE ${quote(database)} TO ${quote(user)}`);
  });
}

/** A second user name with the same rights, by membership. */
export async function createMemberRole(
  postgres: RehearsalPostgres,
  user: string,
  password: string,
  of: string,
): Promise<void> {
  await asSuperuser(postgres, 'postgres', (client) =>
    client.query(
      `CREATE ROLE ${quote(user)} ${PLAIN_LOGIN} INHERIT PASSWORD ${literal(password)} IN ROLE ${quote(of)}`,
    ),
  );
}

/** Gives a role another password and, unless said, ends its sessions, which were begun with the old one. */
export async function changePassword(
  postgres: RehearsalPostgres,
  user: string,
  password: string,
  { endSessions: ends = true }: { endSessions?: boolean } = {},
): Promise<void> {
  await asSuperuser(postgres, 'postgres', async (client) => {
    await client.query(`ALTER ROLE ${quote(user)} PASSWORD ${literal(password)}`);
    if (ends) await endSessions(client, user);
  });
}

/** Removes a role; what it owned goes to another one, and every privilege and default privilege that names it goes. */
export async function dropRole(
  postgres: RehearsalPostgres,
  database: string,
  user: string,
  heir: string,
): Promise<void> {
  await asSuperuser(postgres, database, async (client) => {
    await client.query(`ALTER ROLE ${quote(user)} NOLOGIN`);
    await endSessions(client, user);
    await client.query(`REASSIGN OWNED BY ${quote(user)} TO ${quote(heir)}`);
    // Not only for what is owned: it also removes the role from others' grants and default privileges, without which
    // DROP ROLE is refused.
    await client.query(`DROP OWNED BY ${quote(user)}`);
    await client.query(`DROP ROLE ${quote(user)}`);
  });
}

/** What `pg:info` shows of a database. */
export async function databaseFigures(
  postgres: RehearsalPostgres,
  database: string,
): Promise<{ bytes: number; tables: number; connections: number; version: string }> {
  const result = await asSuperuser(postgres, database, (client) =>
    client.query<{ bytes: string; tables: string; connections: string; version: string }>(
      `SELECT pg_database_size(current_database()) AS bytes,
              (SELECT count(*) FROM pg_stat_user_tables) AS tables,
              (SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()) AS connections,
              current_setting('server_version') AS version`,
    ),
  );
  const row = result.rows[0];
  return {
    bytes: Number(row?.bytes),
    tables: Number(row?.tables),
    connections: Number(row?.connections),
    version: row?.version ?? '',
  };
}

async function endSessions(client: pg.Client, user: string): Promise<void> {
  await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [user]);
}
