import { type DeclaredProperty, declaredProperties } from '../events/declared-properties';
import { isExcluded } from '../events/declared-type';
import type { Class } from '../events/event-class';
import { isPlainObject } from '../events/json-value';
import type { EventModel } from './class-model';
import { givenSchema } from './given-schema';
import { draft7, type JsonSchema, nullable } from './json-schema';
import { propertySchema } from './property-schema';
import { type EnumMembers, type RuleSchema, ruleSchemas } from './rule-schema';

/**
 * @returns the JSON Schema of the plain form that events of a class are stored in: from its schema where the library of that
 * tells, class-validator's rules, class-transformer's decorators, the types that compilers emit, and the values of a new instance.
 */
export function eventSchema(event: Pick<EventModel, 'class' | 'schema'>): JsonSchema {
  const { definitions, ...described } = eventShape(event);
  const named = definitions && Object.entries(definitions).map(([name, schema]) => [name, withoutMarks(schema)] as const);
  return {
    $schema: draft7,
    title: event.class.name,
    ...withoutMarks(described),
    ...(named && { definitions: Object.fromEntries(named) }),
  };
}

/** @returns the same with what a contract keeps beside it, for JSON Schema has no word for it: see {@link ShapeMarks}. */
export function eventShape({ class: target, schema }: Pick<EventModel, 'class' | 'schema'>): JsonSchema & ShapeMarks {
  const given = schema && givenSchema(schema);
  const nested = new NestedClasses(given?.definitions);
  const described = nested.objectSchema(target, given);
  const definitions = nested.definitions();
  return { ...described, ...(definitions && { definitions }) };
}

/** What the schema of a class does not say of its properties. */
export interface ShapeMarks {
  /** Those that only a `@Transform` knows the stored form of. */
  readonly transformed?: readonly string[];
  /** Those that may be missing, where the schema of a property says nothing of null. */
  readonly optional?: readonly string[];
  /** Of those that hold a member of an enum: its members, and what each is stored as. */
  readonly members?: Readonly<Record<string, EnumMembers>>;
}

function withoutMarks({ optional: _, transformed: __, members: ___, ...schema }: JsonSchema & ShapeMarks): JsonSchema {
  return schema;
}

/** The classes that an event's data holds, each described once: they may hold each other. */
class NestedClasses {
  private readonly names = new Map<Class, string>();
  private readonly schemas: Map<string, JsonSchema>;

  constructor(given: JsonSchema['definitions'] = {}) {
    this.schemas = new Map(Object.entries(given));
  }

  /** @param given What is known of the properties beside the class. */
  objectSchema(target: Class, given: JsonSchema = {}): JsonSchema & ShapeMarks {
    const source = { target, rules: ruleSchemas(target), given };
    const declared = [...declaredProperties(target), ...undeclared(target, given)];
    const properties = declared.map((property) => [property.storedName, this.schemaOf(property, source)] as const);
    const required = declared.filter((property) => isRequired(property, source)).map(({ storedName }) => storedName);
    return {
      type: 'object',
      properties: Object.fromEntries(properties),
      ...(required.length > 0 && { required }),
      ...marks(declared, source, Object.fromEntries(properties)),
    };
  }

  definitions(): Readonly<Record<string, JsonSchema>> | undefined {
    return this.schemas.size === 0 ? undefined : Object.fromEntries([...this.schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private schemaOf(property: DeclaredProperty, { target, rules, given: { properties } }: Source): JsonSchema {
    const rule = rules.get(property.name);
    const referTo = (nested: Class) => this.referTo(nested);
    const schema = propertySchema(target, property, { rule, referTo, given: properties?.[property.name] ?? {} });
    // What a function makes of a list is not known.
    const isDefault = property.isTransformed ? isJsonScalar : isJson;
    const given = { ...schema, ...(property.isConstant && isDefault(property.initial) && { default: property.initial }) };
    return rule?.isOptional ? nullable(given) : given;
  }

  private referTo(target: Class): JsonSchema {
    let name = this.names.get(target);
    if (name === undefined) {
      name = this.freeName(target.name === '' ? 'Anonymous' : target.name);
      this.names.set(target, name);
      this.schemas.set(name, {}); // taken, before what it holds refers to it
      this.schemas.set(name, this.objectSchema(target));
    }
    return { $ref: `#/definitions/${name}` };
  }

  private freeName(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.schemas.has(name); count += 1) name = `${wanted}${count}`;
    return name;
  }
}

/** What is known of a class. */
interface Source {
  readonly target: Class;
  readonly rules: ReadonlyMap<string, RuleSchema>;
  readonly given: JsonSchema;
}

function marks(
  declared: readonly DeclaredProperty[],
  { rules }: Source,
  schemas: Readonly<Record<string, JsonSchema>>,
): ShapeMarks {
  const isUnknown = (storedName: string) => Object.keys(schemas[storedName] ?? {}).length === 0;
  const optional = declared
    .filter(({ name, storedName }) => rules.get(name)?.isOptional === true && isUnknown(storedName))
    .map(({ storedName }) => storedName);
  const transformed = declared.filter(({ isTransformed }) => isTransformed).map(({ storedName }) => storedName);
  const members = declared.flatMap(({ name, storedName, isTransformed }) => {
    const found = isTransformed ? undefined : rules.get(name)?.members;
    return found === undefined ? [] : [[storedName, found] as const];
  });
  return {
    ...(optional.length > 0 && { optional: optional.sort() }),
    ...(transformed.length > 0 && { transformed: transformed.sort() }),
    ...(members.length > 0 && { members: Object.fromEntries(members) }),
  };
}

/** What the class does not show, where the compiler defines no fields. */
function undeclared(target: Class, { properties = {} }: JsonSchema): DeclaredProperty[] {
  const known = new Set(declaredProperties(target).map(({ name }) => name));
  const names = Object.keys(properties).filter((name) => !known.has(name) && !isExcluded(target, name));
  return names.map((name) => ({ name, storedName: name, initial: undefined, isConstant: true, isTransformed: false }));
}

/** What a new instance holds already need not be stored. */
function isRequired({ name, initial }: DeclaredProperty, { rules, given: { required = [] } }: Source): boolean {
  const rule = rules.get(name);
  const isAsked = required.includes(name) || (rule?.isAsked === true && !rule.isOptional);
  return isAsked && initial === undefined;
}

function isJson(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  if (typeof value === 'object' && value !== null && isPlainObject(value)) return Object.values(value).every(isJson);
  return isJsonScalar(value);
}

function isJsonScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}
