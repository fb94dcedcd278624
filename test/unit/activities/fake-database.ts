import type { QuerySqlToken } from 'slonik';
import type { Connection, PostgresClient, TlsFacts } from '../../../activities/clients/postgres.ts';
import type { SchemaShape } from '../../../activities/schema-shape.ts';

type Row = Record<string, unknown>;

/** What the runbook keeps in a schema of its own; null where there is no such table. */
interface Bookkeeping {
  seal: { addon_id: string; sealed_by: string; run: string; sealed_at: string } | null | undefined;
  fence: Map<string, number> | undefined;
}

/** What the driver throws when the server refuses a statement. */
export function sqlError(code: string, message = `refused with ${code}`): Error {
  return Object.assign(new Error(message), { code });
}

/**
 * PostgreSQL as far as the activities ask it. It knows their questions by what they are about, and does not know any
 * other: a question that is new fails the test that asks it.
 */
export class FakeDatabase {
  /** Rows of the version table; null where there is no such table. */
  revisions: string[] | null = null;
  shape: SchemaShape = {
    tables: ['customers', 'orders', 'version_table'],
    columns: [
      { table: 'customers', column: 'id', type: 'bigint', required: true },
      { table: 'orders', column: 'id', type: 'bigint', required: true },
      { table: 'orders', column: 'customer', type: 'bigint', required: true },
      { table: 'orders', column: 'at', type: 'timestamp with time zone', required: false },
    ],
    foreignKeys: [{ name: 'orders_customer', from: 'orders', to: 'customers', cascades: true }],
  };
  /** What the role can do, as `SELECT on orders`. */
  privileges = new Set<string>();
  /** What the role has by PUBLIC's grants or a membership. */
  inherited: string[] = [];
  /** Rows by table; none unless said. */
  rowsOf: Record<string, number> = {};
  roleExists = true;
  /** Privileges of the role that others than the owner granted: the owner cannot revoke them. */
  foreignPrivileges: string[] = [];
  bookkeeping: Bookkeeping = { seal: undefined, fence: undefined };
  /** Transactions on the bookkeeping that were committed. */
  noted = 0;
  /** Matrices that were applied and not rolled back. */
  grantsCommitted = 0;
  sessions: { user: string; application: string; plain?: boolean }[] = [];
  /** Sessions of the user who asks, with their age in milliseconds. */
  aged: { who: string; age: number | null }[] = [];
  recovering = false;
  readOnly = false;
  /** The next transaction that changes something is committed, and then the connection breaks. */
  losesNextCommit = false;
  /** Another session holds the advisory lock. */
  lockedElsewhere = false;
  /** Tables of which somebody holds a lock that none can share. */
  lockedTables: string[] = [];
  tls: TlsFacts = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: false, fingerprint: 'AB:CD' };
  /** Thrown by every attempt to connect. */
  unreachable: Error | undefined;
  /** Whether the password of a URL is the one that its user has now. */
  accepts: (url: URL) => boolean = () => true;

  readonly client: PostgresClient = {
    connected: async <T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> => {
      if (this.unreachable !== undefined) throw this.unreachable;
      if (!this.accepts(new URL(url))) throw sqlError('28P01', 'password authentication failed');
      return work(this.#connection(new URL(url).username));
    },
    inspectTls: () => (this.unreachable === undefined ? Promise.resolve(this.tls) : Promise.reject(this.unreachable)),
  };

  #connection(user: string): Connection {
    const rows = (query: QuerySqlToken): Promise<Row[]> =>
      Promise.resolve().then(() => this.#answer(query, user).map((row) => query.parser.parse(row) as Row));
    const firsts = async (query: QuerySqlToken): Promise<unknown[]> =>
      (await rows(query)).map((row) => Object.values(row)[0]);
    const one = async <T>(all: Promise<T[]>): Promise<T> => {
      const [first, ...more] = await all;
      if (first === undefined || more.length > 0)
        throw new Error(`expected one row, got ${first === undefined ? 0 : more.length + 1}`);
      return first;
    };
    const connection = {
      any: rows,
      anyFirst: firsts,
      maybeOne: async (query: QuerySqlToken) => (await rows(query))[0] ?? null,
      one: (query: QuerySqlToken) => one(rows(query)),
      oneFirst: (query: QuerySqlToken) => one(firsts(query)),
      query: rows,
      transaction: async <T>(work: (tx: unknown) => Promise<T>): Promise<T> => {
        const before = new Set(this.privileges);
        const noted = structuredClone(this.bookkeeping);
        const result = await work(connection).catch((error: unknown) => {
          this.privileges = before;
          this.bookkeeping = noted;
          throw error;
        });
        const changed = { grants: before.size !== this.privileges.size, notes: !isSame(noted, this.bookkeeping) };
        if (!changed.grants && !changed.notes) return result;
        if (changed.grants) this.grantsCommitted += 1;
        if (changed.notes) this.noted += 1;
        if (this.losesNextCommit) {
          this.losesNextCommit = false;
          throw sqlError('08006', 'connection failure');
        }
        return result;
      },
    };
    return connection as unknown as Connection;
  }

  #answer({ sql, values }: QuerySqlToken, user: string): Row[] {
    if (sql.includes('pg_try_advisory_lock')) return [{ locked: !this.lockedElsewhere }];
    if (sql.includes('to_regclass') && String(values[0]).startsWith('cutover.')) {
      return [
        { found: this.bookkeeping[String(values[0]).slice('cutover.'.length) as keyof Bookkeeping] !== undefined },
      ];
    }
    if (sql.includes('FROM cutover.seal')) return this.bookkeeping.seal ? [this.bookkeeping.seal] : [];
    if (sql.includes('FROM cutover.fence') && !sql.startsWith('DELETE')) {
      return [...(this.bookkeeping.fence ?? [])].map(([type, quantity]) => ({ type, quantity }));
    }
    if (sql.includes('SELECT EXISTS (SELECT FROM pg_roles')) return [{ found: this.roleExists }];
    if (sql.includes('rolname AS name')) return this.roleExists ? [{ name: String(values[0]) }] : [];
    if (sql.includes('pg_default_acl d LEFT JOIN')) return [];
    if (sql.includes('pg_has_role')) return this.#ownPrivileges();
    if (sql.startsWith('SELECT count(*) AS rows')) {
      return [{ rows: this.rowsOf[/"(\w+)"$/.exec(sql)?.[1] ?? ''] ?? 0 }];
    }
    if (sql.includes('to_regclass')) return [{ found: this.revisions !== null }];
    if (sql.includes('SELECT version_num')) return (this.revisions ?? []).map((version_num) => ({ version_num }));
    if (sql.includes('pg_stat_user_tables')) return [{ tables: this.shape.tables.length, rows: 7 }];
    if (sql.includes("'server_version'")) return [{ server_version: '16.4', version: '16.4' }];
    if (sql.includes('pg_is_in_recovery')) return [{ recovering: this.recovering, readOnly: this.readOnly }];
    if (sql.includes('WITH own AS')) return this.inherited.map((privilege) => ({ privilege }));
    if (sql.includes('has_table_privilege')) return [...this.privileges].sort().map((privilege) => ({ privilege }));
    if (sql.includes('format_type')) return this.shape.columns.map((column) => ({ ...column }));
    if (sql.includes('pg_constraint')) return this.shape.foreignKeys.map((key) => ({ ...key }));
    if (sql.includes('relname AS name')) return this.shape.tables.map((name) => ({ name }));
    if (sql.includes('max_connections')) return [{ used: this.sessions.length, limit: 120 }];
    if (sql.includes('AS age')) return this.aged;
    if (sql.includes('AS user')) return this.#byUser(values as [string]);
    if (sql.trim() === 'SELECT 1') return [];
    if (sql.includes('AS who')) return this.#sessionsOf(values as [string, string[], boolean], user);
    if (sql.includes('pg_stat_ssl')) return [this.#countEncrypted(values as [string, string[]])];
    if (sql.includes('pg_stat_activity')) return [this.#countSessions(values as [string[], string[], string], user)];
    if (sql.startsWith('SET LOCAL')) return [];
    if (this.#note(sql.trim(), values)) return [];
    return this.#statement(sql, user);
  }

  #countSessions([roleNames, ownerNames, application]: [string[], string[], string], user: string): Row {
    const others = this.sessions.filter((session) => session.application !== application);
    return {
      role: others.filter((session) => roleNames.includes(session.user)).length,
      owner: others.filter((session) => session.user === user || ownerNames.includes(session.user)).length,
    };
  }

  #countEncrypted([application, roleNames]: [string, string[]]): Row {
    const roles = this.sessions.filter((one) => one.application !== application && roleNames.includes(one.user));
    const plain = roles.filter((one) => one.plain).length;
    return { encrypted: roles.length - plain, plain };
  }

  #sessionsOf([application, names, asked]: [string, string[], boolean], user: string): Row[] {
    return this.sessions
      .filter(
        (session) =>
          session.application !== application && (names.includes(session.user) || (asked && session.user === user)),
      )
      .map((session) => ({ who: `${session.application} (process 1, since unknown)` }));
  }

  #byUser([application]: [string]): Row[] {
    const others = this.sessions.filter((session) => session.application !== application);
    const users = [...new Set(others.map(({ user }) => user))].sort();
    return users.map((user) => ({ user, sessions: others.filter((one) => one.user === user).length }));
  }

  #ownPrivileges(): Row[] {
    if (!this.roleExists) return [];
    return [
      ...[...this.privileges].map((on) => ({ on, revocable: true })),
      ...this.foreignPrivileges.map((on) => ({ on, revocable: false })),
    ];
  }

  /** The runbook's own notes, and what takes all from the role at once; false for any other statement. */
  #note(text: string, values: readonly unknown[]): boolean {
    const { bookkeeping } = this;
    if (/^(CREATE SCHEMA|REVOKE ALL ON (SCHEMA|ALL (SEQUENCES|ROUTINES))|SET TRANSACTION)/.test(text)) return true;
    if (/^REVOKE ALL ON ALL TABLES/.test(text)) {
      if (!text.includes('cutover')) this.privileges = new Set();
    } else if (/^CREATE TABLE IF NOT EXISTS cutover\.seal/.test(text)) bookkeeping.seal ??= null;
    else if (/^CREATE TABLE IF NOT EXISTS cutover\.fence/.test(text)) bookkeeping.fence ??= new Map();
    else if (/^DELETE FROM cutover\.fence/.test(text)) bookkeeping.fence?.clear();
    else if (/^INSERT INTO cutover\.fence/.test(text)) {
      const [type, quantity] = values as [string, number];
      if (quantity > 0 || bookkeeping.fence?.has(type) !== true) bookkeeping.fence?.set(type, quantity);
    } else if (/^INSERT INTO cutover\.seal/.test(text)) {
      const [addon_id, sealed_by, run] = values as [string, string, string];
      if (bookkeeping.seal?.addon_id !== addon_id)
        bookkeeping.seal = { addon_id, sealed_by, run, sealed_at: '2026-05-15T12:00:00Z' };
    } else return false;
    return true;
  }

  /** `GRANT SELECT ON orders TO app_role`, and what the role is to try: `SELECT FROM orders`. */
  #statement(text: string, user: string): Row[] {
    const grant = /^(GRANT|REVOKE) (\w+) ON (\w+)/.exec(text);
    if (grant !== null) {
      if (user === 'app_role') throw sqlError('42501');
      this.privileges[grant[1] === 'GRANT' ? 'add' : 'delete'](`${grant[2]} on ${grant[3]}`);
      return [];
    }
    const tried = /^(\w+) FROM (\w+)|^(\w+) (\w+)$/.exec(text);
    if (tried === null) throw new Error(`the fake database does not know: ${text}`);
    const [privilege, table] = [tried[1] ?? tried[3] ?? '', tried[2] ?? tried[4] ?? ''];
    if (!this.shape.tables.includes(table)) throw sqlError('42P01');
    if (this.lockedTables.includes(table)) throw sqlError('55P03');
    if (!this.privileges.has(`${privilege} on ${table}`)) throw sqlError('42501');
    return [];
  }
}

function isSame(one: Bookkeeping, other: Bookkeeping): boolean {
  const text = ({ seal, fence }: Bookkeeping): string => JSON.stringify([seal, fence && [...fence]]);
  return text(one) === text(other);
}
