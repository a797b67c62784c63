import type { JsonSchema } from '../metadata/json-schema';
import { bigint } from '../metadata/property-schema';
import { typesOf } from './alternatives';
import { isAllowed, valuesOf } from './compare-rules';
import { additive, breaking, type SchemaChange } from './schema-change';

export const lookBack = 'Look whether stored events have always held that';

/** What is stored otherwise than as it is comes to handlers as it is stored, once nothing says what it was made of. */
export function compareBare(path: string, before: JsonSchema, after: JsonSchema): SchemaChange | undefined {
  const form = Object.keys(after).length > 0 ? undefined : readForm(before);
  if (form === undefined) return undefined;
  const problem = `it was ${form}, and nothing says so any more: handlers get it as it is stored`;
  return breaking('TYPE_CHANGED', path, problem, 'Keep the decorator');
}

/** @returns what a value is read as, where that is not what is stored. A `Set` cannot be told from an array. */
function readForm(schema: JsonSchema): string | undefined {
  const { type, format, pattern, items } = schema;
  if (referenceOf(schema) !== undefined) return 'of a class';
  if (type === 'string' && format === 'date-time') return 'a Date';
  if (type === 'string' && pattern === bigint.pattern) return 'a bigint';
  if (items === undefined || isTuple(items)) return undefined;
  if (isPairOfMap(items.items)) return 'a Map';
  const form = readForm(items);
  return form && `a list with items that are ${form}`;
}

/** @returns that a list of values is none any more, where each of them may stay. */
export function compareOpened(path: string, before: JsonSchema, after: JsonSchema): SchemaChange | undefined {
  const values = valuesOf(before);
  if (values === undefined || valuesOf(after) !== undefined || typesOf(after) === undefined) return undefined;
  if (!values.every((value) => isAllowed(value, after))) return undefined;
  return additive('RULE_WIDENED', path, 'it was one of a list of values, and may have others');
}

/** Types that a list of values is of need not be given. */
function typesIn(schema: JsonSchema): readonly string[] | undefined {
  const values =
    schema.type === undefined ? (schema.enum ?? (schema.const === undefined ? undefined : [schema.const])) : undefined;
  return values === undefined ? typesOf(schema) : [...new Set(values.map((value) => (value === null ? 'null' : typeof value)))];
}

export function compareTypes(
  path: string,
  before: JsonSchema,
  after: JsonSchema,
): { changes: SchemaChange[]; isSettled: boolean } {
  const was = typesIn(before);
  const is = typesIn(after);
  const settled = (change: SchemaChange) => ({ changes: [change], isSettled: true });
  if (was === undefined && is === undefined) return { changes: [], isSettled: false };
  if (is === undefined) {
    const widened = additive('TYPE_WIDENED', path, `it may be anything, and was ${was?.join(' or ')}`);
    // What is excluded is said of any type.
    return { changes: [widened], isSettled: after['not'] === undefined };
  }
  if (was === undefined) {
    const problem = `it is ${is.join(' or ')}, and nothing was said of it before`;
    return settled(additive('TYPE_DECLARED', path, problem, lookBack));
  }
  const accepts = (type: string) => is.includes(type) || (type === 'integer' && is.includes('number'));
  const isEvery = was.every(accepts);
  const problem = `it was ${was.join(' or ')} and is ${is.join(' or ')}`;
  if (!isEvery) {
    const isPart = was.some((type) => accepts(type) || (type === 'number' && is.includes('integer')));
    return settled(breaking(isPart ? 'TYPE_NARROWED' : 'TYPE_CHANGED', path, problem, 'Keep the type'));
  }
  const isWider = is.some((type) => !was.includes(type));
  return { changes: isWider ? [additive('TYPE_WIDENED', path, problem)] : [], isSettled: false };
}

/** A library may wrap a reference, so that it can say more of it. */
export function referenceOf({ $ref, allOf }: JsonSchema): string | undefined {
  if ($ref !== undefined || !Array.isArray(allOf)) return $ref;
  const parts = (allOf as readonly JsonSchema[]).map(referenceOf);
  return parts.length === 1 ? parts[0] : undefined;
}

/** A `Map` has a key of any scalar type, and so differs from a list of two that a schema describes. */
export function isPairOfMap(items: JsonSchema['items']): items is readonly JsonSchema[] {
  return isTuple(items) && items.length === 2 && typesOf(items[0] ?? {})?.length === 4;
}

export function isTuple(items: JsonSchema['items']): items is readonly JsonSchema[] {
  return Array.isArray(items);
}
