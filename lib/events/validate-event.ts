import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator';
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
    isChecked = rulesOf(target).length > 0;
    hasRules.set(target, isChecked);
  }
  if (!isChecked) return;
  const errors = validateSync(event);
  if (errors.length > 0) throw new EventValidationError(target.name, violations(errors, ''));
}

/** @returns the properties with a rule that only a promise could answer, which an emitted event cannot wait for. */
export function asyncRules(target: Class): string[] {
  const storage = getMetadataStorage();
  const asynchronous = rulesOf(target).filter(
    ({ constraintCls }) =>
      constraintCls !== undefined && storage.getTargetValidatorConstraints(constraintCls).some((constraint) => constraint.async),
  );
  return [...new Set(asynchronous.map(({ propertyName }) => propertyName))];
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
