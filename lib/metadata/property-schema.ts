import type { DeclaredProperty } from '../events/declared-properties';
import { type DeclaredType, declaredType, isScalarClass, isTransformed } from '../events/declared-type';
import { type Class, isClass } from '../events/event-class';
import type { JsonSchema } from './json-schema';
import type { RuleSchema } from './rule-schema';

/** Gives the schema of a class that is nested in another: a reference. */
export type ReferTo = (target: Class) => JsonSchema;

const date: JsonSchema = { type: 'string', format: 'date-time' };
/** What a `bigint` is stored as. */
export const bigint: JsonSchema = { type: 'string', pattern: '^-?\\d+$' };
const mapKey: JsonSchema = { type: ['string', 'number', 'boolean', 'null'] };

/** What is known of a property beside its declared type. */
export interface PropertySource {
  readonly rule: RuleSchema | undefined;
  readonly referTo: ReferTo;
  /** What the schema of an event says of the property: of the value, which may be stored otherwise. */
  readonly given: JsonSchema;
}

/** What rules on an array mean for its stored form too, whatever its items are. */
const ofArrays = ['minItems', 'maxItems'];
const ofAnything = ['title', 'description', 'examples', 'deprecated'];

/** @returns the schema of a property's stored form, from its declared type where that has one of its own, else from its rules. */
export function propertySchema(
  target: Class,
  { name, initial, isTransformed: hasOwnForm }: DeclaredProperty,
  { rule, referTo, given }: PropertySource,
): JsonSchema {
  const rules = rule?.schema ?? {};
  if (hasOwnForm) return picked(rules, ofAnything);
  const declared = declaredType(target, name);
  const design: unknown = Reflect.getMetadata('design:type', target.prototype as object, name);
  const stored = declared && storedSchema(declared, { design, isEach: rule?.isEach ?? false, referTo, target });
  if (stored === undefined) return Object.keys(given).length > 0 ? given : jsonSchema(rules, design, initial);
  return { ...stored, ...picked(rules, stored.type === 'array' ? [...ofArrays, ...ofAnything] : ofAnything) };
}

interface StoredForm {
  readonly design: unknown;
  readonly isEach: boolean;
  readonly referTo: ReferTo;
  readonly target: Class;
}

/** @returns the schema of what is stored otherwise than as it is; undefined for JSON values. */
function storedSchema(declared: DeclaredType, form: StoredForm): JsonSchema | undefined {
  const one = valueSchema(declared, form.referTo);
  if (isTransformed(form.target) && declared.container === 'map') return { type: 'object' };
  if (declared.container === 'map') return mapSchema(one);
  if (declared.container === 'set' || declared.container === 'list') return listSchema(one);
  if (one === undefined || declared.container === 'one') return one;
  if (form.isEach) return listSchema(one);
  // What is of several classes is an Object to the compiler, and so is one or several of them.
  const isOne = isClass(form.design) && (declared.variants !== undefined || form.design !== (Object as Class));
  return isOne ? one : { anyOf: [one, listSchema(one)] };
}

function valueSchema({ value, variants }: DeclaredType, referTo: ReferTo): JsonSchema | undefined {
  if (variants !== undefined) {
    const { property, byName } = variants;
    const named = (name: unknown) => ({ type: 'object', properties: { [property]: { const: name } }, required: [property] });
    return { oneOf: [...byName].map(([name, target]) => ({ allOf: [referTo(target), named(name)] })) };
  }
  if (value === (Date as Class)) return date;
  if (value === (BigInt as unknown)) return bigint;
  if (value === Map) return mapSchema(undefined);
  if (value === Set) return listSchema(undefined);
  return value === undefined || isScalarClass(value) ? undefined : referTo(value);
}

function listSchema(items: JsonSchema | undefined): JsonSchema {
  return { type: 'array', ...(items && { items }) };
}

/** A `Map` is stored as an array of pairs. */
function mapSchema(value: JsonSchema | undefined): JsonSchema {
  return { type: 'array', items: { type: 'array', items: [mapKey, value ?? {}], minItems: 2, maxItems: 2 } };
}

function jsonSchema(rules: JsonSchema, design: unknown, initial: unknown): JsonSchema {
  const type = rules.type ?? (rules.enum ? undefined : (designedType(design) ?? initialType(initial)));
  const { items, ...rest } = rules;
  const hasItems = items !== undefined && Object.keys(items).length > 0;
  return { ...(type !== undefined && { type }), ...rest, ...(hasItems && { items }) };
}

function designedType(design: unknown): string | undefined {
  if (design === String) return 'string';
  if (design === Number) return 'number';
  if (design === Boolean) return 'boolean';
  return design === Array ? 'array' : undefined;
}

function initialType(initial: unknown): string | undefined {
  if (Array.isArray(initial)) return 'array';
  return ['string', 'number', 'boolean'].includes(typeof initial) ? typeof initial : undefined;
}

function picked(schema: JsonSchema, keywords: readonly string[]): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keywords.includes(keyword)));
}
