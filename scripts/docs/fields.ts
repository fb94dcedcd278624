import { z } from 'zod';

/** One field of a schema, as a table shows it. */
export interface Field {
  /** Where it stands: `smoke.checks[].path`. */
  readonly path: string;
  /** What it takes. */
  readonly takes: string;
  /** What holds where it is left out: a value, `optional`, or nothing where it must be given. */
  readonly unless: string;
}

/** Every field of a schema, those of blocks inside it included. */
export function fieldsOf(schema: z.ZodTypeAny, path = ''): Field[] {
  const { inner, unless } = unwrapped(schema);
  if (inner instanceof z.ZodObject) {
    const shape = inner.shape as Record<string, z.ZodTypeAny>;
    const fields = Object.entries(shape).flatMap(([name, field]) =>
      fieldsOf(field, path === '' ? name : `${path}.${name}`),
    );
    return path === '' ? fields : [{ path, takes: 'a block', unless }, ...fields];
  }
  if (inner instanceof z.ZodArray) {
    const element = unwrapped(inner.element as z.ZodTypeAny).inner;
    const blocks = blocksOf(element);
    const takes = blocks.length > 0 ? 'a list of blocks' : `a list: ${takesOf(element)}`;
    return [{ path, takes, unless }, ...blocks.flatMap((block) => fieldsOf(block, `${path}[]`).slice(1))];
  }
  const blocks = blocksOf(inner);
  if (blocks.length > 0) {
    const others = optionsOf(inner).filter((option) => !blocks.includes(option as z.AnyZodObject));
    const takes = [...others.map(takesOf), 'a block'].join(', or ');
    return [{ path, takes, unless }, ...blocks.flatMap((block) => alternative(block, path))];
  }
  return [{ path, takes: takesOf(inner), unless }];
}

/** The fields of one of several blocks; what tells it from the others stands in front. */
function alternative(block: z.AnyZodObject, path: string): Field[] {
  const shape = block.shape as Record<string, z.ZodTypeAny>;
  const [mark] = Object.entries(shape).filter(([, field]) => field instanceof z.ZodLiteral);
  const named = mark === undefined ? path : `${path}(${mark[0]} ${String((mark[1] as z.ZodLiteral<unknown>).value)})`;
  return fieldsOf(block, named)
    .slice(1)
    .filter((field) => field.path !== `${named}.${mark?.[0] ?? ''}`);
}

function unwrapped(schema: z.ZodTypeAny): { inner: z.ZodTypeAny; unless: string } {
  let inner = schema;
  let unless = '';
  for (;;) {
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodNullable) {
      unless ||= 'optional';
      inner = inner.unwrap() as z.ZodTypeAny;
    } else if (inner instanceof z.ZodDefault) {
      unless = `\`${JSON.stringify(inner._def.defaultValue())}\``;
      inner = inner.removeDefault() as z.ZodTypeAny;
    } else if (inner instanceof z.ZodEffects) {
      inner = inner.innerType() as z.ZodTypeAny;
    } else if (inner instanceof z.ZodPipeline) {
      inner = (inner._def as { in: z.ZodTypeAny }).in;
    } else {
      return { inner, unless };
    }
  }
}

function optionsOf(schema: z.ZodTypeAny): readonly z.ZodTypeAny[] {
  if (schema instanceof z.ZodUnion || schema instanceof z.ZodDiscriminatedUnion) {
    return [...(schema.options as Iterable<z.ZodTypeAny>)];
  }
  return [schema];
}

function blocksOf(schema: z.ZodTypeAny): z.AnyZodObject[] {
  return optionsOf(schema).filter((option): option is z.AnyZodObject => option instanceof z.ZodObject);
}

function takesOf(schema: z.ZodTypeAny): string {
  const { inner } = unwrapped(schema);
  if (inner instanceof z.ZodEnum) return (inner.options as string[]).map((option) => `\`${option}\``).join(', ');
  if (inner instanceof z.ZodLiteral) return `\`${JSON.stringify(inner.value)}\``;
  if (inner instanceof z.ZodString) return inner._def.checks.flatMap(({ message }) => message ?? []).at(0) ?? 'text';
  if (inner instanceof z.ZodNumber) return numberText(inner);
  if (inner instanceof z.ZodBoolean) return 'true or false';
  if (inner instanceof z.ZodNull) return 'null';
  if (inner instanceof z.ZodRecord) return `by name: ${takesOf(inner.valueSchema as z.ZodTypeAny)}`;
  if (inner instanceof z.ZodUnion) return optionsOf(inner).map(takesOf).join(', ');
  if (inner instanceof z.ZodArray) return `a list: ${takesOf(inner.element as z.ZodTypeAny)}`;
  throw new Error(`the reference has no words for a ${inner.constructor.name}`);
}

function numberText(schema: z.ZodNumber): string {
  const kind = schema.isInt ? 'a whole number' : 'a number';
  const { minValue, maxValue } = schema;
  const isAbove = schema._def.checks.some((check) => check.kind === 'min' && !check.inclusive);
  const least = minValue === null ? '' : isAbove ? ` above ${minValue}` : ` from ${minValue}`;
  return `${kind}${least}${maxValue === null ? '' : ` up to ${maxValue}`}`;
}
