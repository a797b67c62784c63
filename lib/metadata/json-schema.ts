/** A JSON Schema of draft 7, as far as Eventfold writes it. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** The schema of every item, or one for each. */
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly [keyword: string]: unknown;
}

/** The dialect that the schemas are written in. */
export const draft7 = 'http://json-schema.org/draft-07/schema#';

/** @returns `schema`, or null. */
export function nullable(schema: JsonSchema): JsonSchema {
  if (schema.$ref !== undefined || schema.anyOf !== undefined || schema.oneOf !== undefined)
    return { anyOf: [schema, { type: 'null' }] };
  if (schema.type === undefined && schema.enum === undefined) return schema;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return {
    ...schema,
    ...(types.length > 0 && { type: [...types.filter((type) => type !== 'null'), 'null'] }),
    ...(schema.enum && { enum: [...schema.enum.filter((value) => value !== null), null] }),
  };
}

/** @returns a copy of `schema` with every reference replaced. */
export function withReferences(schema: JsonSchema, replace: (reference: string) => string): JsonSchema {
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, key === '$ref' && typeof part === 'string' ? replace(part) : copy(part)]),
    );
  };
  return copy(schema) as JsonSchema;
}
