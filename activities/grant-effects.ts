/** What a privilege is on. A `default` is what the owner's tables or sequences of the future are given. */
export type Kind = 'schema' | 'table' | 'sequence' | 'default table' | 'default sequence';

/** A table (or a view of any kind) or a sequence. */
export interface Relation {
  readonly kind: 'table' | 'sequence';
  readonly schema: string;
  readonly name: string;
}

/** A privilege as an access control list holds it; PUBLIC is a grantee like others. */
export interface Entry {
  readonly grantee: string;
  readonly kind: Kind;
  /** Empty for defaults in every schema. */
  readonly schema: string;
  /** Empty for schemas and defaults. */
  readonly name: string;
  readonly privilege: string;
}

/** What a matrix would be applied to. */
export interface Ground {
  /** Who applies it. */
  readonly owner: string;
  /** Where names without a schema are. */
  readonly schema: string;
  readonly relations: readonly Relation[];
  /** Relations that pending revisions create before the matrix is applied. */
  readonly coming: readonly Relation[];
  readonly entries: readonly Entry[];
  /** Whether ALL on a table includes MAINTAIN, as it does from PostgreSQL 17 on. */
  readonly maintain: boolean;
}

export interface GrantEffects {
  /** The entries that there are once the matrix is applied. */
  readonly after: readonly Entry[];
  readonly given: readonly Entry[];
  readonly taken: readonly Entry[];
  /** Statements that are not understood here: PostgreSQL runs them as they stand. */
  readonly asTheyStand: readonly string[];
  /** Names that the matrix has and the database has not: applying it would fail. */
  readonly missing: readonly string[];
}

/** Stands for the sequences that revisions create: nobody knows their names beforehand. */
export const sequencesToCome = '*';

const tablePrivileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN'];
const sequencePrivileges = ['USAGE', 'SELECT', 'UPDATE'];
/** What there is to grant on each kind, in the order in which it is listed. */
export const privilegesOf: Record<Kind, readonly string[]> = {
  schema: ['USAGE', 'CREATE'],
  table: tablePrivileges,
  sequence: sequencePrivileges,
  'default table': tablePrivileges,
  'default sequence': sequencePrivileges,
};

interface Change {
  readonly gives: boolean;
  readonly privileges: readonly string[];
  readonly grantees: readonly string[];
  readonly on: Objects;
}

type Objects =
  | { readonly each: 'table' | 'sequence'; readonly schemas: readonly string[] }
  | { readonly named: readonly string[]; readonly kind?: Kind }
  | { readonly future: 'default table' | 'default sequence'; readonly schemas: readonly string[] };

const grant =
  /^(?<verb>GRANT|REVOKE) (?<privileges>.+?) ON (?<objects>.+) (?<to>TO|FROM) (?<grantees>[\w, ]+?)(?: (?:CASCADE|RESTRICT))?$/i;
const defaults =
  /^ALTER DEFAULT PRIVILEGES(?: FOR (?:ROLE|USER) (?<owner>\w+))?(?: IN SCHEMA (?<schemas>\w+(?: ?, ?\w+)*))? (?<rest>(?:GRANT|REVOKE) .+)$/i;
const allInSchema = /^ALL (?<kind>TABLES|SEQUENCES) IN SCHEMA (?<schemas>[\w, ]+)$/i;
const named = /^(?:(?<kind>TABLE|SEQUENCE|SCHEMA) )?(?<names>[\w.]+(?: ?, ?[\w.]+)*)$/i;
/** Words in the place of a role that mean another one, depending on who runs the statement. */
const movingRoles = ['current_user', 'session_user', 'current_role'];

/** The schemas whose objects a matrix is about, as far as it is understood. */
export function schemasOf(statements: readonly string[], own: string): string[] {
  const changes = statements.flatMap((text) => changeOf(text, undefined) ?? []);
  const found = changes.flatMap(({ on }) => {
    if ('named' in on) return on.named.map((name) => (on.kind === 'schema' ? name : (name.split('.').at(-2) ?? own)));
    return on.schemas;
  });
  return [...new Set([own, ...found])].sort();
}

/**
 * Works out what applying a matrix would change, from access control lists alone: nothing is run, so that this can be
 * asked of a database in a transaction that may only read, and of tables and a role that do not exist yet.
 *
 * @param statements of a checked matrix, with single spaces
 */
export function grantEffects(statements: readonly string[], ground: Ground): GrantEffects {
  const before = new Set([...ground.entries, ...bornWith(ground)].map(keyOf));
  const after = new Set(before);
  const asTheyStand: string[] = [];
  const missing = new Set<string>();
  for (const text of statements) {
    const change = changeOf(text, ground.owner);
    if (change === undefined) {
      asTheyStand.push(text);
      continue;
    }
    const { objects, unknown } = objectsOf(change.on, ground);
    for (const name of unknown) missing.add(name);
    const listed = objects.map((object) => ({ object, privileges: privilegesIn(change, object.kind, ground) }));
    if (listed.some(({ privileges }) => privileges === undefined)) {
      asTheyStand.push(text);
      continue;
    }
    for (const { object, privileges = [] } of listed) {
      for (const key of keysOf(object, change.grantees, privileges)) {
        if (change.gives) after.add(key);
        else after.delete(key);
      }
    }
  }
  return {
    after: [...after].map(entryOf),
    given: [...after].filter((key) => !before.has(key)).map(entryOf),
    taken: [...before].filter((key) => !after.has(key)).map(entryOf),
    asTheyStand,
    missing: [...missing],
  };
}

/** @param owner undefined: whoever it is */
function changeOf(text: string, owner: string | undefined): Change | undefined {
  const future = defaults.exec(text)?.groups;
  if (future !== undefined) {
    if (owner !== undefined && (future['owner']?.toLowerCase() ?? owner) !== owner) return undefined;
    const parts = grant.exec(future['rest'] ?? '')?.groups;
    const kind = /^(TABLE|SEQUENCE)S$/i.exec(parts?.['objects'] ?? '')?.[1]?.toLowerCase();
    if (parts === undefined || kind === undefined) return undefined;
    const schemas = future['schemas'] === undefined ? [''] : names(future['schemas']);
    return changed(parts, { future: kind === 'table' ? 'default table' : 'default sequence', schemas }, owner);
  }
  const parts = grant.exec(text)?.groups;
  const objects = parts?.['objects'] ?? '';
  const all = allInSchema.exec(objects)?.groups;
  if (parts !== undefined && all !== undefined) {
    const each = all['kind']?.toUpperCase() === 'TABLES' ? 'table' : 'sequence';
    return changed(parts, { each, schemas: names(all['schemas'] ?? '') }, owner);
  }
  const some = named.exec(objects)?.groups;
  if (parts === undefined || some === undefined) return undefined;
  const kind = some['kind']?.toLowerCase() as 'table' | 'sequence' | 'schema' | undefined;
  // Without a word before it a name may be a sequence's too.
  const on = { named: names(some['names'] ?? ''), ...(kind === undefined || kind === 'table' ? {} : { kind }) };
  return changed(parts, on, owner);
}

function changed(
  parts: Readonly<Record<string, string | undefined>>,
  on: Objects,
  owner: string | undefined,
): Change | undefined {
  const gives = parts['verb']?.toUpperCase() === 'GRANT';
  if (gives !== (parts['to']?.toUpperCase() === 'TO')) return undefined;
  const grantees = names(parts['grantees'] ?? '').map((name) => (name === 'public' ? 'PUBLIC' : name));
  if (grantees.some((name) => !/^\w+$/.test(name) || movingRoles.includes(name) || name === owner)) return undefined;
  const privileges = names(parts['privileges'] ?? '').map((name) => name.toUpperCase());
  return { gives, privileges, grantees, on };
}

function names(list: string): string[] {
  return list.split(',').map((name) => name.trim().toLowerCase());
}

type Thing = Omit<Entry, 'grantee' | 'privilege'>;

function objectsOf(on: Objects, ground: Ground): { objects: Thing[]; unknown: string[] } {
  const relations = [...ground.relations, ...ground.coming];
  if ('future' in on) {
    return { objects: on.schemas.map((schema) => ({ kind: on.future, schema, name: '' })), unknown: [] };
  }
  if ('each' in on) {
    return { objects: relations.filter((one) => one.kind === on.each && on.schemas.includes(one.schema)), unknown: [] };
  }
  if (on.kind === 'schema') {
    return { objects: on.named.map((schema) => ({ kind: 'schema', schema, name: '' })), unknown: [] };
  }
  const objects: Thing[] = [];
  const unknown: string[] = [];
  for (const full of on.named) {
    const [name = '', schema = ground.schema] = full.split('.').reverse();
    const found = relations.find((one) => one.name === name && one.schema === schema);
    if (found !== undefined) objects.push(found);
    // What revisions create is known by the tables that the target file names, and they may create more.
    else if (ground.coming.length > 0) objects.push({ kind: on.kind ?? 'table', schema, name });
    else unknown.push(full);
  }
  return { objects, unknown };
}

/** The privileges that a statement lists, or undefined where one of them is not of the kind: columns have their own. */
function privilegesIn({ privileges, gives }: Change, kind: Kind, { maintain }: Ground): readonly string[] | undefined {
  const [first = ''] = privileges;
  const known = privilegesOf[kind];
  if (/^ALL( PRIVILEGES)?$/.test(first)) return gives && !maintain ? known.filter((one) => one !== 'MAINTAIN') : known;
  return privileges.every((one) => known.includes(one)) ? privileges : undefined;
}

/** What relations have from the moment that they are created: the owner's default privileges of today. */
function bornWith({ coming, entries }: Ground): Entry[] {
  return coming.flatMap(({ kind, schema, name }) =>
    entries
      .filter((one) => one.kind === `default ${kind}` && (one.schema === '' || one.schema === schema))
      .map((one) => ({ ...one, kind, schema, name })),
  );
}

function keysOf(thing: Thing, grantees: readonly string[], privileges: readonly string[]): string[] {
  return grantees.flatMap((grantee) => privileges.map((privilege) => keyOf({ ...thing, grantee, privilege })));
}

function keyOf({ grantee, kind, schema, name, privilege }: Entry): string {
  return JSON.stringify([grantee, kind, schema, name, privilege]);
}

function entryOf(key: string): Entry {
  const [grantee, kind, schema, name, privilege] = JSON.parse(key) as [string, Kind, string, string, string];
  return { grantee, kind, schema, name, privilege };
}
