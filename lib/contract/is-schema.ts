import type { JsonSchema } from '../metadata/json-schema';

/** Says whether a value has the form of a JSON Schema, as far as schemas are compared. */
export function isSchema(value: unknown): value is JsonSchema {
  if (!isObject(value)) return false;
  return Object.entries(forms).every(([keyword, isFit]) => value[keyword] === undefined || isFit(value[keyword]));
}

const isText = (value: unknown) => typeof value === 'string';
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isSchemas = (value: unknown): boolean => Array.isArray(value) && value.every(isSchema);
const isNamedSchemas = (value: unknown): boolean => isObject(value) && Object.values(value).every(isSchema);

const forms: Readonly<Record<string, (value: unknown) => boolean>> = {
  $ref: isText,
  type: (value) => isText(value) || isTexts(value),
  properties: isNamedSchemas,
  definitions: isNamedSchemas,
  required: isTexts,
  transformed: isTexts,
  members: (value) => isObject(value) && Object.values(value).every(isObject),
  enum: Array.isArray,
  items: (value) => isSchema(value) || isSchemas(value),
  anyOf: isSchemas,
  oneOf: isSchemas,
  allOf: isSchemas,
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
