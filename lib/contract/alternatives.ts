import type { JsonSchema } from '../metadata/json-schema';

/** A schema, and what its references are resolved in. */
export interface RootedSchema {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
}

/** What a schema allows beside null. */
export interface Alternatives {
  readonly isNullable: boolean;
  readonly others: readonly RootedSchema[];
}

/** @returns the schemas that a value may be of one of, and whether null is one. */
export function alternativesOf({ schema, root }: RootedSchema): Alternatives {
  const parts = schema.type === undefined ? (schema.anyOf ?? schema.oneOf) : undefined;
  if (parts !== undefined) {
    const each = parts.map((part) => alternativesOf({ schema: part, root }));
    return { isNullable: each.some(({ isNullable }) => isNullable), others: each.flatMap(({ others }) => others) };
  }
  const types = typesOf(schema);
  if (types === undefined || !types.includes('null')) return { isNullable: false, others: [{ schema, root }] };
  const rest = types.filter((type) => type !== 'null');
  if (rest.length === 0) return { isNullable: true, others: [] };
  const values = schema.enum?.filter((value) => value !== null);
  const type = rest.length === 1 ? (rest[0] as string) : rest;
  return { isNullable: true, others: [{ schema: { ...schema, type, ...(values && { enum: values }) }, root }] };
}

/** @returns the types that are allowed; undefined where all are. */
export function typesOf({ type }: JsonSchema): readonly string[] | undefined {
  return typeof type === 'string' ? [type] : type;
}

/** @returns the schema that a reference means, with all that `allOf` puts together as one. */
export function resolved({ schema, root }: RootedSchema): JsonSchema {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/definitions/', '');
    const definitions = root.definitions ?? {};
    return Object.hasOwn(definitions, name) ? (definitions[name] as JsonSchema) : {};
  }
  if (!Array.isArray(schema.allOf)) return schema;
  const parts = (schema.allOf as readonly JsonSchema[]).map((part) => resolved({ schema: part, root }));
  return {
    ...Object.assign({}, ...parts),
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)) as JsonSchema['properties'],
    required: [...new Set(parts.flatMap(({ required = [] }) => required))],
  } as JsonSchema;
}
