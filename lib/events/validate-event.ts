import { getMetadataStorage, type ValidationError, ValidationTypes, validateSync } from 'class-validator';
import { nestedType } from './declared-type';
import type { Class } from './event-class';
import { EventValidationError, type Violation } from './event-errors';

const hasRules = new WeakMap<Class, boolean>();

/**
 * Checks an event against the class-validator rules of its class; a class without rules passes.
 *
 * @throws {@link EventValidationError} with every rule that is broken.
 */
export function validateEvent(target: Class, event: object): void {
  let isChecked = hasRules.get(target);
  if (isChecked === undefined) {
    checkSynchronous(target);
    isChecked = rulesOf(target).length > 0;
    hasRules.set(target, isChecked);
  }
  if (!isChecked) return;
  const errors = validateSync(event);
  if (errors.length > 0) throw new EventValidationError(target.name, violations(errors, ''));
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
function checkSynchronous(target: Class): void {
  const violations = asyncRules(target).map((property) => {
    const message = `${property} has a rule that is a promise, which cannot be waited for`;
    return { property, rule: 'isSynchronous', message };
  });
  if (violations.length > 0) throw new EventValidationError(target.name, violations);
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
