import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { canonicalDigest } from './canonical-json.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { versionSchemaOf } from './revisions.ts';
import { cascadesFrom, columnDifferences, readShape, shapeDifferences, type SchemaShape } from './schema-shape.ts';
import { targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

/** Differences that a message lists; a wrong database has hundreds. */
const listed = 40;

/** Verifies the schema that the upgrade left, table by table; the fingerprint names what was seen. */
export async function verifySchema(services: Services, call: StepCall): Promise<StepResult<Evidence<'verify-schema'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const { url } = await attachedDatabase(services, target);
    const seen = await services.postgres.connected(url, (connection) =>
      readShape(connection, target.migrations.schema),
    );
    const cascades = cascadesFrom(target.schema.cascadesFrom, seen);
    const differences = [
      ...tableDifferences(seen, target),
      ...Object.entries(target.schema.columns).flatMap(([table, columns]) =>
        columnDifferences(seen, table, new Map(Object.entries(columns))),
      ),
      ...(target.expectedSchema === null ? [] : shapeDifferences(target.expectedSchema, seen)),
      ...seen.columns
        .filter((one) => one.type === 'timestamp without time zone')
        .map((one) => `${one.table}.${one.column} is a time stamp without time zone`),
      ...cascades.broken,
    ];
    if (differences.length > 0) {
      const more = differences.length > listed ? ` and ${differences.length - listed} more` : '';
      throw fail(
        'SchemaDiffers',
        `The schema is not as the target says: ${differences.slice(0, listed).join('; ')}${more}. Mend it by a revision, deploy, upgrade, then try again.`,
      );
    }
    const checked = target.expectedSchema?.columns ?? Object.values(target.schema.columns).flatMap(Object.keys);
    return {
      tables: seen.tables.length,
      columnsChecked: checked.length,
      cascades: cascades.keys,
      fingerprint: canonicalDigest(seen),
    };
  });
}

function tableDifferences({ tables }: SchemaShape, target: Target): string[] {
  const { schema, migrations } = target;
  if (schema.tables === undefined) return [];
  const beside = versionSchemaOf(target) === migrations.schema;
  const expected = new Set([...schema.tables, ...(beside ? [migrations.versionTable] : [])]);
  return [
    ...[...expected].filter((name) => !tables.includes(name)).map((name) => `the table ${name} is missing`),
    ...tables.filter((name) => !expected.has(name)).map((name) => `the table ${name} is not expected`),
  ];
}
