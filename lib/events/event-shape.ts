import 'reflect-metadata';
import { getMetadataStorage, ValidationTypes, validateSync } from 'class-validator';
import type { Class } from './event-class';
import { schemaViolations } from './schema-violations';
import type { StandardSchema } from './standard-schema';
import type { RuledEvent } from './validate-event';

/** What a class, and its schema if it has one, tell of the data that instances have. */
interface Shape {
  /** Properties with a rule that is not only for when they are there, and that nothing at all would break. */
  readonly required: readonly string[];
  /** What `typeof` says of a property, where the compiler told. */
  readonly kinds: readonly (readonly [property: string, kind: string])[];
}

const shapes = new WeakMap<Class, Shape>();

const kindsOf = new Map<unknown, string>([
  [String, 'string'],
  [Number, 'number'],
  [Boolean, 'boolean'],
]);

/**
 * Looks whether data that no emit has checked can be that of a class at all: its rules are not asked, only whether what they
 * are about is there, and of the declared kind.
 *
 * @returns what is wrong; undefined when nothing is, as far as the class tells.
 */
export function shapeProblem({ class: target, schema }: RuledEvent, instance: object): string | undefined {
  let shape = shapes.get(target);
  if (shape === undefined) {
    const { required, kinds } = shapeOf(target);
    shape = { required: [...required, ...(schema === undefined ? [] : askedBySchema(target, schema))], kinds };
    shapes.set(target, shape);
  }
  const values = instance as Readonly<Record<string, unknown>>;
  for (const property of shape.required) if (values[property] === undefined) return `"${property}" is missing`;
  for (const [property, kind] of shape.kinds) {
    const value = values[property];
    if (value !== undefined && value !== null && typeof value !== kind) return `"${property}" is a ${typeof value}, no ${kind}`;
  }
  return undefined;
}

function shapeOf(target: Class): Shape {
  const rules = getMetadataStorage().getTargetValidationMetadatas(target, '', false, false);
  const properties = [...new Set(rules.map(({ propertyName }) => propertyName))];
  const conditional = new Set(
    rules.filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION).map(({ propertyName }) => propertyName),
  );
  const refused = refusedWhenMissing(target);
  return {
    required: properties.filter((property) => !conditional.has(property) && (refused?.has(property) ?? true)),
    kinds: properties.flatMap((property) => {
      const kind = kindsOf.get(Reflect.getMetadata('design:type', target.prototype as object, property));
      return kind === undefined ? [] : [[property, kind] as const];
    }),
  };
}

/** @returns the properties that a schema of any library asks for when it is given nothing. */
function askedBySchema(target: Class, schema: StandardSchema): string[] {
  const missing = schemaViolations(schema, Object.create(target.prototype as object) as object);
  return missing.map(({ property }) => property).filter((property) => property !== '' && !/[.[]/.test(property));
}

/** @returns the properties that rules ask for: `@Allow()`, `@ValidateNested()` and `@IsNotIn()` do not. Undefined where one throws. */
function refusedWhenMissing(target: Class): ReadonlySet<string> | undefined {
  try {
    const errors = validateSync(Object.create(target.prototype as object) as object);
    return new Set(errors.map(({ property }) => property));
  } catch {
    return undefined; // a rule of the user's own that cannot do without data
  }
}
