import type { RehearsalPostgres } from '../rehearsal/postgres.ts';
import type { Write } from './writes.ts';

/**
 * PostgreSQL itself writes down each DDL statement that takes effect, in the very transaction of the statement: one that is
 * tried and rolled back is none, and one that ran twice is there twice.
 */
const listener = `
  CREATE SCHEMA drill;
  CREATE TABLE drill.effects (what text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE FUNCTION drill.note_change() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = drill AS $$
    BEGIN
      INSERT INTO drill.effects (what)
        SELECT concat_ws(' ', command_tag, object_type, object_identity) FROM pg_event_trigger_ddl_commands();
    END $$;
  CREATE FUNCTION drill.note_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = drill AS $$
    BEGIN
      INSERT INTO drill.effects (what)
        SELECT concat_ws(' ', 'DROP', object_type, object_identity) FROM pg_event_trigger_dropped_objects() WHERE original;
    END $$;
  CREATE EVENT TRIGGER drill_changes ON ddl_command_end EXECUTE FUNCTION drill.note_change();
  CREATE EVENT TRIGGER drill_drops ON sql_drop EXECUTE FUNCTION drill.note_drop()`;

/** Has every database of the add-ons keep account of what takes effect in it. */
export async function listenForEffects(postgres: RehearsalPostgres): Promise<void> {
  await inEachDatabase(postgres, (query) => query(listener));
}

/** What took effect since then, an entry for each time, with the moment at which its statement ran. */
export async function effectsOf(postgres: RehearsalPostgres): Promise<Write[]> {
  const asked = 'SELECT what, (extract(epoch FROM at) * 1000)::float8 AS at FROM drill.effects ORDER BY at';
  const found = await inEachDatabase(postgres, (query) => query(asked));
  return found.flat().map(({ what, at }) => ({ at: Number(at), what: `${withoutNames(String(what))} in the catalog` }));
}

/** The owner's name is another one for each add-on. */
const withoutNames = (what: string): string => what.replace(/\bu[0-9a-f]{12,}\b/g, '<owner>');

type Rows = Record<string, unknown>[];

/** Does something in the database of each add-on, as the server's superuser. */
export async function inEachDatabase<T>(
  postgres: RehearsalPostgres,
  work: (query: (text: string, values?: unknown[]) => Promise<Rows>, database: string) => Promise<T>,
): Promise<T[]> {
  const server = await postgres.connect('postgres');
  const names = await server
    .query<{ name: string }>(
      "SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1",
    )
    .finally(() => server.end());
  const done: T[] = [];
  for (const { name } of names.rows) {
    const client = await postgres.connect(name);
    try {
      done.push(await work(async (text, values) => (await client.query<Rows[number]>(text, values)).rows, name));
    } finally {
      await client.end();
    }
  }
  return done;
}
