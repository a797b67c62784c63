import type { StandardSchemaV1 } from '@standard-schema/spec';
import { nameOf } from './event-class';
import type { Violation } from './event-errors';
import { Place } from './place';
import { schemaDifferences } from './schema-differences';
import type { StandardSchema } from './standard-schema';

/** @returns what the schema of an event's class has against its data; nothing where it gives that back as it is. */
export function schemaViolations(schema: StandardSchema, event: object): Violation[] {
  const standard = schema['~standard'];
  let data: object;
  let result: unknown;
  try {
    data = dataOf(event as Readonly<Record<string, unknown>>);
    result = standard.validate(data);
  } catch (error) {
    return [ofWhole('throws', `its schema threw ${error instanceof Error ? String(error) : nameOf(error)}`)];
  }
  if (isPromise(result)) {
    Promise.resolve(result).catch(() => undefined);
    return [ofWhole('isSynchronous', 'its schema answers with a promise, which cannot be waited for')];
  }
  const { issues, value } = (result ?? {}) as { readonly issues?: readonly Issue[]; readonly value?: unknown };
  if (issues === undefined) return schemaDifferences(data, value);
  if (issues.length === 0) return [ofWhole(standard.vendor, 'its schema refuses it')];
  return issues.map((issue) => violation(issue, standard.vendor));
}

/** What is undefined is not stored. */
function dataOf(event: Readonly<Record<string, unknown>>): object {
  const data = { ...event };
  for (const key of Object.keys(data)) if (data[key] === undefined) delete data[key];
  return data;
}

/** The standard has no names for rules; libraries give one all the same. */
interface Issue extends StandardSchemaV1.Issue {
  readonly code?: unknown;
  readonly type?: unknown;
}

function violation({ message, path = [], code, type }: Issue, vendor: string): Violation {
  const property = path.map(keyOf).reduce(within, Place.payload).toString();
  const rule = [code, type].find((name) => typeof name === 'string') ?? vendor;
  return { property, rule: String(rule), message: property === '' ? message : `${property}: ${message}` };
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): PropertyKey {
  return typeof segment === 'object' ? segment.key : segment;
}

function within(place: Place, key: PropertyKey): Place {
  return typeof key === 'number' ? place.item(key) : place.key(String(key));
}

function ofWhole(rule: string, message: string): Violation {
  return { property: '', rule, message };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
