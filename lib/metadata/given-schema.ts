import { jsonSchemaOf, type StandardSchema } from '../events/standard-schema';
import { type JsonSchema, withReferences } from './json-schema';

/** @returns what a schema says of each property; undefined where it says it otherwise, or says that it holds itself. */
export function givenSchema(schema: StandardSchema): JsonSchema | undefined {
  const given = jsonSchemaOf(schema) as JsonSchema | undefined;
  if (given?.properties === undefined || given.$ref !== undefined) return undefined;
  let holdsItself = false;
  withReferences(given, (reference) => {
    holdsItself ||= !reference.startsWith('#/definitions/');
    return reference;
  });
  return holdsItself ? undefined : (withoutNoise(given) as JsonSchema);
}

/**
 * Libraries spell out what is known: the pattern of a format, which the next release may write otherwise, and the bounds of all
 * whole numbers. Neither is a change of what is stored.
 */
function withoutNoise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNoise);
  if (typeof value !== 'object' || value === null) return value;
  const { format } = value as JsonSchema;
  const isNoise = ([key, part]: readonly [string, unknown]) =>
    (key === 'pattern' && typeof part === 'string' && typeof format === 'string') ||
    (key === 'maximum' && part === Number.MAX_SAFE_INTEGER) ||
    (key === 'minimum' && part === Number.MIN_SAFE_INTEGER);
  const entries = Object.entries(value).filter((entry) => !isNoise(entry));
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutNoise(part)]));
}
