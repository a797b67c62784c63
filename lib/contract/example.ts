import type { JsonSchema } from '../metadata/json-schema';
import { alternativesOf, type RootedSchema, resolved, typesOf } from './alternatives';

/** Data that holds itself ends here. */
const deepest = 4;

const texts: Readonly<Record<string, string>> = {
  uuid: '00000000-0000-4000-8000-000000000001',
  'date-time': '2001-02-03T04:05:06.000Z',
  date: '2001-02-03',
  email: 'ann@example.com',
  uri: 'https://example.com/',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
};

/** @returns data that fits a schema, always the same: every property is there, and no value is null. */
export function exampleOf(schema: JsonSchema): Record<string, unknown> {
  return value({ schema, root: schema }, 'text', 0) as Record<string, unknown>;
}

function value(rooted: RootedSchema, name: string, depth: number): unknown {
  const [chosen] = alternativesOf(rooted).others;
  if (chosen === undefined) return null;
  const schema = resolved(chosen);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const type = typesOf(schema)?.[0];
  // An empty list would tell of nothing.
  if (schema.default !== undefined && type !== 'array') return schema.default;
  if (type === 'object') return object({ schema, root: rooted.root }, depth);
  if (type === 'array') return list({ schema, root: rooted.root }, name, depth);
  if (type === 'number' || type === 'integer') return number(schema);
  if (type === 'boolean') return true;
  return text(schema, name);
}

function object({ schema, root }: RootedSchema, depth: number): object {
  const properties = Object.entries(schema.properties ?? {});
  const wanted = properties.filter(([name]) => depth < deepest || schema.required?.includes(name));
  return Object.fromEntries(wanted.map(([name, part]) => [name, value({ schema: part, root }, name, depth + 1)]));
}

function list({ schema, root }: RootedSchema, name: string, depth: number): unknown[] {
  const { items = {}, minItems } = schema;
  if (isPair(items)) return items.map((part) => value({ schema: part, root }, name, depth + 1));
  const count = typeof minItems === 'number' ? minItems : depth < deepest ? 1 : 0;
  return Array.from({ length: Math.min(count, 100) }, () => value({ schema: items, root }, name, depth + 1));
}

function number(schema: JsonSchema): number {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema as Readonly<
    Record<string, number | undefined>
  >;
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  const most = maximum ?? (exclusiveMaximum === undefined ? undefined : exclusiveMaximum - 1);
  const wanted = least ?? (most === undefined ? 1 : Math.min(1, most));
  return multipleOf === undefined ? wanted : Math.ceil(wanted / multipleOf) * multipleOf;
}

function text(schema: JsonSchema, name: string): string {
  const {
    minLength = 0,
    maxLength = Number.POSITIVE_INFINITY,
    anyOf,
  } = schema as { minLength?: number; maxLength?: number; anyOf?: JsonSchema[] };
  const format = schema.format ?? anyOf?.find((part) => part.format !== undefined)?.format;
  const made = format === undefined ? undefined : texts[format];
  if (made !== undefined) return made;
  const begun = schema.pattern !== undefined && new RegExp(schema.pattern).test('1') ? '1' : name;
  return begun.padEnd(Math.min(minLength, 10_000), '.').slice(0, maxLength);
}

function isPair(items: NonNullable<JsonSchema['items']>): items is readonly JsonSchema[] {
  return Array.isArray(items);
}
