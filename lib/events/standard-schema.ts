import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/** A schema of any library that follows Standard Schema, such as Zod, Valibot or ArkType, which gives data like `D`. */
export type StandardSchema<D = unknown> = StandardSchemaV1<unknown, D>;

/** Says whether `value` is a schema of version 1 of the standard. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  // Schemas of some libraries are functions.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { '~standard': standard } = value as { readonly '~standard'?: Partial<StandardSchemaV1.Props> };
  return standard?.version === 1 && typeof standard.validate === 'function';
}

/** @returns what the schema's library writes of it as JSON Schema, draft 7; undefined where it cannot. */
export function jsonSchemaOf(schema: StandardSchema): Readonly<Record<string, unknown>> | undefined {
  const { jsonSchema } = schema['~standard'] as Partial<StandardJSONSchemaV1.Props>;
  try {
    // Zod would give up a whole schema for one date in it, and the class knows how that is stored.
    return jsonSchema?.input({ target: 'draft-07', libraryOptions: { unrepresentable: 'any' } });
  } catch {
    return undefined;
  }
}
