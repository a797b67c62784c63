import { createRequire } from 'node:module';
import { getMetadataStorage, ValidationTypes } from 'class-validator';
import type { Class } from '../events/event-class';
import type { JsonSchema } from './json-schema';

/** What class-validator's rules say of one property. */
export interface RuleSchema {
  readonly schema: JsonSchema;
  /** Says whether the property may be missing or null. */
  readonly isOptional: boolean;
  /** Says whether a rule asks for anything: `@Allow()` does not. */
  readonly isAsked: boolean;
  /** Says whether a rule is about each of several values. */
  readonly isEach: boolean;
  /** Those of the enum that `@IsEnum` names. */
  readonly members: EnumMembers | undefined;
}

/** The members of an enum, by name: what each is stored as. */
export type EnumMembers = Readonly<Record<string, unknown>>;

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
type Converter = JsonSchema | ((rule: Rule) => JsonSchema);

interface Library {
  validationMetadataArrayToSchemas(
    rules: readonly Rule[],
    options: { additionalConverters: Readonly<Record<string, Converter>> },
  ): Readonly<Record<string, JsonSchema>>;
}

/** Where the library says more than the rule does, less, or what holds for the instance but not for its stored form. */
const corrections: Readonly<Record<string, Converter>> = {
  [ValidationTypes.CUSTOM_VALIDATION]: {},
  [ValidationTypes.NESTED_VALIDATION]: {},
  isDefined: {},
  isInstance: {},
  isDate: {},
  minDate: {},
  maxDate: {},
  isNotEmpty: (rule) => (designOf(rule) === String ? { minLength: 1 } : {}),
  isEnum: (rule) => oneOf([...new Set(Object.values(enumMembers(rule)))]),
  isIn: (rule) => oneOf(listOf(rule.constraints?.[0])),
  isNotIn: (rule) => ({ not: { enum: listOf(rule.constraints?.[0]) } }),
  equals: (rule) => oneOf([rule.constraints?.[0]]),
  contains: (rule) => ({ type: 'string', pattern: literal(rule.constraints?.[0]) }),
  notContains: (rule) => ({ type: 'string', not: { pattern: literal(rule.constraints?.[0]) } }),
  matches: (rule) => matching(rule.constraints?.[0] as unknown),
  isIp: (rule) => ({ type: 'string', ...ipFormat(rule.constraints?.[0]) }),
  isUrl: { type: 'string', format: 'uri' },
  isDateString: { type: 'string', anyOf: [{ format: 'date' }, { format: 'date-time' }] },
  isIso8601: { type: 'string', anyOf: [{ format: 'date' }, { format: 'date-time' }] },
};

/** @returns what the rules of a class say, by property. */
export function ruleSchemas(target: Class): ReadonlyMap<string, RuleSchema> {
  const byProperty = new Map<string, Rule[]>();
  for (const rule of rulesOf(target)) byProperty.set(rule.propertyName, [...(byProperty.get(rule.propertyName) ?? []), rule]);
  return new Map([...byProperty].map(([property, rules]) => [property, ruleSchema(property, rules)]));
}

function ruleSchema(property: string, rules: readonly Rule[]): RuleSchema {
  // One call for each property: the library would mix up classes of one name.
  const [converted = {}] = Object.values(
    library().validationMetadataArrayToSchemas(rules, { additionalConverters: corrections }),
  );
  const schema = converted.properties?.[property] ?? {};
  const isWhole = rules.some(({ type, each }) => type === 'isInt' && !each);
  const isEachWhole = rules.some(({ type, each }) => type === 'isInt' && each) && isSchema(schema.items);
  return {
    schema: {
      ...schema,
      ...(isWhole && { type: 'integer' }),
      ...(isEachWhole && { items: { ...(schema.items as JsonSchema), type: 'integer' } }),
    },
    isOptional: rules.some(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION),
    isAsked: rules.some(({ type }) => type !== ValidationTypes.WHITELIST),
    isEach: rules.some(({ type, each }) => each || type.startsWith('array') || type === 'isArray'),
    members: rules.filter(({ type }) => type === 'isEnum').map(enumMembers)[0],
  };
}

/** The rules of a class and its ancestors, each under its name, as those of the class. */
function rulesOf(target: Class): Rule[] {
  const storage = getMetadataStorage();
  return storage.getTargetValidationMetadatas(target, '', false, false).map((rule) => {
    const [constraint] = rule.constraintCls === undefined ? [] : storage.getTargetValidatorConstraints(rule.constraintCls);
    return Object.assign(Object.create(Object.getPrototypeOf(rule) as object) as Rule, rule, {
      target,
      ...(constraint && { type: constraint.name }),
    });
  });
}

/** Loaded when it is asked for: who only stores events does without. */
function library(): Library {
  return createRequire(__filename)('class-validator-jsonschema') as Library;
}

function isSchema(items: JsonSchema['items']): items is JsonSchema {
  return items !== undefined && !Array.isArray(items);
}

function designOf({ target, propertyName }: Rule): unknown {
  return Reflect.getMetadata('design:type', (target as Class).prototype as object, propertyName);
}

/** A numeric enum of TypeScript lists its names beside its values. */
function enumMembers({ constraints }: Rule): EnumMembers {
  const entity = constraints?.[0] as Readonly<Record<string, unknown>>;
  const isReversed = ([key, name]: readonly [string, unknown]) => typeof name === 'string' && entity[name] === Number(key);
  return Object.fromEntries(Object.entries(entity).filter((entry) => !isReversed(entry)));
}

function oneOf(values: readonly unknown[]): JsonSchema {
  const types = [...new Set(values.map((value) => (value === null ? 'null' : typeof value)))];
  const isJson = types.every((type) => ['string', 'number', 'boolean', 'null'].includes(type));
  if (!isJson) return {};
  return { ...(types.length === 1 && { type: types[0] as string }), enum: [...values] };
}

function listOf(values: unknown): unknown[] {
  return Array.isArray(values) ? (values as unknown[]) : [];
}

function literal(text: unknown): string {
  return String(text).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** A pattern with flags cannot be written in JSON Schema. */
function matching(pattern: unknown): JsonSchema {
  const isPlain = pattern instanceof RegExp && pattern.flags.replace(/[gu]/g, '') === '';
  return { type: 'string', ...(isPlain && { pattern: pattern.source }) };
}

function ipFormat(version: unknown): JsonSchema {
  if (String(version) === '4') return { format: 'ipv4' };
  return String(version) === '6' ? { format: 'ipv6' } : {};
}
