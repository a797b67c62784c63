import { getMetadataStorage, ValidationTypes } from 'class-validator';
import { declaredType, isTransformed } from './declared-type';
import type { Class } from './event-class';
import { jsonSchemaOf, type StandardSchema } from './standard-schema';
import type { RuledEvent } from './validate-event';

/** A property that holds values of one kind: no event with another was ever emitted. */
interface ScalarProperty {
  readonly name: string;
  /** What `typeof` says of it. */
  readonly kind: string;
  /** The rules are not asked where it is null. */
  readonly isOptional: boolean;
}

/** Rules of class-validator that hold for values of one kind only. */
const kinds: Readonly<Record<string, string>> = {
  isInt: 'number',
  isNumber: 'number',
  isPositive: 'number',
  isNegative: 'number',
  isDivisibleBy: 'number',
  min: 'number',
  max: 'number',
  isBoolean: 'boolean',
  isString: 'string',
  isUuid: 'string',
  isEmail: 'string',
  isUrl: 'string',
  isISO8601: 'string',
  isLength: 'string',
  minLength: 'string',
  maxLength: 'string',
  matches: 'string',
};

const known = new WeakMap<Class, readonly ScalarProperty[]>();

/**
 * Looks whether stored data holds numbers, texts and truth values where the rules of its class let nothing else be emitted. The
 * rules themselves are not asked.
 *
 * @returns the first property that is of another kind, and what is so; undefined when there is none.
 */
export function otherKind(
  { class: target, schema }: RuledEvent,
  data: object,
): { readonly property: string; readonly reason: string } | undefined {
  let properties = known.get(target);
  if (properties === undefined) {
    properties = isTransformed(target) ? [] : [...scalarProperties(target), ...schemaProperties(target, schema)];
    known.set(target, properties);
  }
  for (const { name, kind, isOptional } of properties) {
    const value = (data as Readonly<Record<string, unknown>>)[name];
    // One that came to the class later is not there.
    if (value === undefined || typeof value === kind || (value === null && isOptional)) continue;
    return { property: name, reason: `is ${wordOf(value)} where the class declares a ${kind}` };
  }
  return undefined;
}

function scalarProperties(target: Class): ScalarProperty[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(target, '', false, false);
  const conditions = rules.filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION);
  const found = new Map<string, ScalarProperty>();
  for (const { name = '', propertyName, each, groups } of rules) {
    const kind = kinds[name];
    if (kind === undefined || each || groups?.length > 0 || found.has(propertyName)) continue;
    const own = conditions.filter((condition) => condition.propertyName === propertyName);
    // With a condition of its author's, anything may have been emitted.
    if (own.some((condition) => condition.name !== 'isOptional')) continue;
    found.set(propertyName, { name: propertyName, kind, isOptional: own.length > 0 });
  }
  return [...found.values()];
}

/** What is stored otherwise than as it is, is not in its stored form what the schema says of it. */
function schemaProperties(target: Class, schema: StandardSchema | undefined): ScalarProperty[] {
  const properties = (schema && jsonSchemaOf(schema)?.['properties']) ?? {};
  return Object.entries(properties as Readonly<Record<string, { readonly type?: unknown }>>).flatMap(([name, { type }]) => {
    const kind = type === 'integer' ? 'number' : type;
    const isScalar = kind === 'number' || kind === 'string' || kind === 'boolean';
    return isScalar && declaredType(target, name) === undefined ? [{ name, kind, isOptional: false }] : [];
  });
}

function wordOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
