import { privilegesOf, sequencesToCome, type Entry, type GrantEffects } from './grant-effects.ts';

/** Entries as the statements that would make or take them, with what has the same privileges in one line. */
export function grantLines({ given, taken }: Pick<GrantEffects, 'given' | 'taken'>, own: string): string[] {
  const lines = [
    ...grouped(taken).map((group) => ({ group, sign: '-', verb: 'REVOKE', to: 'FROM' })),
    ...grouped(given).map((group) => ({ group, sign: '+', verb: 'GRANT', to: 'TO' })),
  ];
  const order = Object.keys(privilegesOf);
  return lines
    .sort((a, b) => order.indexOf(a.group.kind) - order.indexOf(b.group.kind))
    .map(({ group, sign, verb, to }) => `${sign} ${statementOf(group, own, verb, to)}`);
}

interface Group extends Omit<Entry, 'name' | 'privilege'> {
  readonly privileges: readonly string[];
  readonly names: readonly string[];
}

function grouped(entries: readonly Entry[]): Group[] {
  const objects = new Map<string, Group>();
  for (const { name, privilege, ...rest } of entries) {
    const key = JSON.stringify([rest.grantee, rest.kind, rest.schema, name]);
    const known = objects.get(key)?.privileges ?? [];
    objects.set(key, { ...rest, names: [name], privileges: [...known, privilege] });
  }
  const groups = new Map<string, Group>();
  for (const [, one] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const privileges = privilegesOf[one.kind].filter((privilege) => one.privileges.includes(privilege));
    const key = JSON.stringify([one.grantee, one.kind, one.schema, privileges]);
    groups.set(key, { ...one, privileges, names: [...(groups.get(key)?.names ?? []), ...one.names] });
  }
  return [...groups.values()];
}

function statementOf(group: Group, own: string, verb: string, to: string): string {
  const { kind, schema, grantee } = group;
  const privileges = group.privileges.join(', ');
  const found = group.names
    .filter((name) => name !== sequencesToCome)
    .map((name) => (schema === own ? name : `${schema}.${name}`));
  const known = found.length > 0 ? [found.join(', ')] : [];
  switch (kind) {
    case 'schema':
      return `${verb} ${privileges} ON SCHEMA ${schema} ${to} ${grantee}`;
    case 'table':
      return `${verb} ${privileges} ON ${known.join()} ${to} ${grantee}`;
    case 'sequence': {
      const coming = group.names.includes(sequencesToCome) ? ['every sequence that the revisions create'] : [];
      return `${verb} ${privileges} ON SEQUENCE ${[...known, ...coming].join(' and ')} ${to} ${grantee}`;
    }
    case 'default table':
    case 'default sequence': {
      const where = schema === '' ? '' : ` IN SCHEMA ${schema}`;
      const what = kind === 'default table' ? 'TABLES' : 'SEQUENCES';
      return `ALTER DEFAULT PRIVILEGES${where} ${verb} ${privileges} ON ${what} ${to} ${grantee}`;
    }
  }
}
