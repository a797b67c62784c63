import { getMetadataStorage, type ValidationError, ValidationTypes, validateSync } from 'class-validator';
import { nestedType } from './declared-type';
import type { Class } from './event-class';
import { EventValidationError, type Violation } from './event-errors';
import { schemaViolations } from './schema-violations';
import type { StandardSchema } from './standard-schema';

/** What says how the data of an event has to be. */
export interface RuledEvent {
  /** With or without rules of class-validator. */
  readonly class: Class;
  readonly schema?: StandardSchema;
}

const hasRules = new WeakMap<Class, boolean>();
const none: readonly Violation[] = Object.freeze([]);

/**
 * Checks an event against the class-validator rules of its class and against its schema; what has neither passes.
 *
 * @throws {@link EventValidationError} with every rule that is broken.
 */
export function validateEvent(ruled: RuledEvent, event: object): void {
  const found = violationsOf(ruled, event);
  if (found.length > 0) throw new EventValidationError(ruled.class.name, found);
}

/** @returns every rule of its class and schema that an event breaks. */
export function violationsOf({ class: target, schema }: RuledEvent, event: object): readonly Violation[] {
  const found = classViolations(target, event);
  return schema === undefined ? found : [...found, ...schemaViolations(schema, event)];
}

function classViolations(target: Class, event: object): readonly Violation[] {
  let isChecked = hasRules.get(target);
  if (isChecked === undefined) {
    const unanswered = asyncViolations(target);
    if (unanswered.length > 0) return unanswered;
    isChecked = rulesOf(target).length > 0;
    hasRules.set(target, isChecked);
  }
  return isChecked ? violations(validateSync(event), '') : none;
}

/**
 * @returns the properties with a rule that only a promise could answer, which an emitted event cannot wait for; of
 * nested data too, such as `address.street`.
 */
export function asyncRules(target: Class): string[] {
  return [...new Set(asyncRulesIn(target, new Set()))];
}

function asyncRulesIn(target: Class, above: ReadonlySet<Class>): string[] {
  const storage = getMetadataStorage();
  return rulesOf(target).flatMap(({ constraintCls, propertyName, type }) => {
    const constraints = constraintCls === undefined ? [] : storage.getTargetValidatorConstraints(constraintCls);
    if (constraints.some((constraint) => constraint.async)) return [propertyName];
    const nested = type === ValidationTypes.NESTED_VALIDATION ? nestedType(target, propertyName) : undefined;
    if (nested === undefined || nested === target || above.has(nested)) return [];
    return asyncRulesIn(nested, new Set([...above, target])).map((property) => `${propertyName}.${property}`);
  });
}

/** class-validator would pass over a rule that is a promise. */
function asyncViolations(target: Class): Violation[] {
  return asyncRules(target).map((property) => {
    const message = `${property} has a rule that is a promise, which cannot be waited for`;
    return { property, rule: 'isSynchronous', message };
  });
}

function rulesOf(target: Class) {
  return getMetadataStorage().getTargetValidationMetadatas(target, '', false, false);
}

function violations(errors: readonly ValidationError[], path: string): Violation[] {
  return errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const here = /^\d+$/.test(property) ? `${path}[${property}]` : path === '' ? property : `${path}.${property}`;
    const own = Object.entries(constraints).map(([rule, message]) => ({ property: here, rule, message }));
    return [...own, ...violations(children, here)];
  });
}
